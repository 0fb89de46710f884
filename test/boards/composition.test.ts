import { describe, expect, it } from 'vitest';
import { boardOf } from '../../src/device/boards/boards.js';
import { compose, modelSegments } from '../../src/device/boards/composition.js';
import { place, plan } from '../../src/device/boards/planner.js';
import { encodeImage } from '../../src/format/image.js';
import { decodeSlot, newestObject } from '../../src/format/slot.js';
import { randomModel } from '../golden/random-model.js';

const MODEL = randomModel({ seed: 1, rawInputs: 12, classes: 4, hidden: [16, 16] });

describe('a model that a bootloader writes', () => {
  it.each(['uno', 'mega', 'pico', 'stm32f405'])('is a committed slot at its place in the flash of %s', async (id) => {
    const board = boardOf(id);
    const image = encodeImage(place(MODEL, await plan(MODEL, board)));
    const { segments } = modelSegments(board, image);
    const home = board.regions.find((region) => region.use === 'model')!;
    expect(segments[0]!.address).toBe(home.address);
    expect(segments[0]!.bytes.length).toBeLessThanOrEqual(home.bytes);
    expect(decodeSlot(segments[0]!.bytes)).toEqual(image);
  });

  it('puts the other slot out of force, so that an older model there can not win', () => {
    const image = encodeImage(MODEL);
    const [slot, blank] = modelSegments(boardOf('pico'), image).segments;
    expect(blank!.address).toBe(boardOf('pico').regions.filter((region) => region.use === 'model')[1]!.address);
    expect(newestObject(slot!.bytes, blank!.bytes)).toEqual(image);
    expect(modelSegments(boardOf('uno'), image).segments).toHaveLength(1);
  });

  it('goes to no board that has no place for it', () => {
    expect(() => modelSegments(boardOf('linux'), encodeImage(MODEL))).toThrow(
      expect.objectContaining({ code: 'plan.board' }),
    );
  });

  it('is all that is written where the firmware stays, and nothing where there is neither', async () => {
    const model = modelSegments(boardOf('uno'), encodeImage(MODEL));
    expect(await compose(boardOf('uno'), undefined, model)).toBe(model);
    expect(await compose(boardOf('uno'), undefined, undefined)).toEqual({ segments: [] });
  });

  it('is not written over firmware that reaches too far', async () => {
    const board = boardOf('uno');
    const model = modelSegments(board, encodeImage(MODEL));
    const firmware = { segments: [{ address: 0, bytes: new Uint8Array(0x4801) }] };
    await expect(compose(board, firmware, model)).rejects.toMatchObject({ code: 'firmware.range' });
  });
});
