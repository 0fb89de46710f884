import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSlot, decodeSlotHeader, encodeSlot, isLater, newestObject, SLOT_HEADER } from '../../src/format/slot.js';

const object = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const slot = encodeSlot(object, 9, 1);

describe('slot', () => {
  it('gives its object back, whatever stands behind it', () => {
    expect(decodeSlotHeader(slot)).toMatchObject({ sequence: 9, objectLength: 8, kind: 1 });
    expect(decodeSlot(Uint8Array.of(...slot, 255, 255))).toEqual(object);
  });

  it('counts as empty without a commit mark, with a damaged header, or erased', () => {
    for (let at = 0; at < SLOT_HEADER; at++) {
      const bad = slot.slice();
      bad[at] = bad[at]! ^ 1;
      expect(decodeSlotHeader(bad)).toBeUndefined();
    }
    expect(() => decodeSlot(new Uint8Array(64).fill(255))).toThrow(expect.objectContaining({ code: 'slot.empty' }));
    for (let n = 0; n < SLOT_HEADER; n++) expect(decodeSlotHeader(slot.subarray(0, n))).toBeUndefined();
    expect(() => decodeSlot(slot.subarray(0, 36))).toThrow(expect.objectContaining({ code: 'slot.empty' }));
  });

  it('refuses a damaged object', () => {
    const bad = slot.slice();
    bad[SLOT_HEADER] = 0;
    expect(() => decodeSlot(bad)).toThrow(expect.objectContaining({ code: 'slot.crc' }));
  });

  it('with the later sequence number wins, also after the numbers have wrapped', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 1, max: 0x7fffffff }), (n, step) => {
        expect(isLater((n + step) >>> 0, n)).toBe(true);
        expect(isLater(n, (n + step) >>> 0)).toBe(false);
      }),
    );
    const older = encodeSlot(Uint8Array.of(1), 0xffffffff, 1);
    const newer = encodeSlot(Uint8Array.of(2), 0, 1);
    expect(newestObject(older, newer)).toEqual(Uint8Array.of(2));
    expect(newestObject(newer, older)).toEqual(Uint8Array.of(2));
  });

  it('that is damaged leaves the other one in use', () => {
    const newer = encodeSlot(Uint8Array.of(2), 10, 1);
    newer[SLOT_HEADER] = 7;
    expect(newestObject(slot, newer)).toEqual(object);
    expect(newestObject(new Uint8Array(40), new Uint8Array(40))).toBeUndefined();
  });
});
