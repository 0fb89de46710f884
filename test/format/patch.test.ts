import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../src/format/crc32.js';
import { decodeImage, encodeImage, imageLayout } from '../../src/format/image.js';
import { weightLimit } from '../../src/format/layout.js';
import type { Model } from '../../src/format/model.js';
import {
  applyPatch,
  decodePatch,
  diffPatch,
  encodePatch,
  type Patch,
  type PatchRecord,
  recordStart,
  type StateRecord,
  type WeightsRecord,
} from '../../src/format/patch.js';
import { stateFieldsLength, stateFixedLength, stateLength, stateParts } from '../../src/format/state.js';
import { randomModel } from '../golden/random-model.js';

const base = randomModel({ seed: 5, rawInputs: 7, classes: 3, hidden: [6, 9, 3], learns: [true, false, true] });
const layout = imageLayout(base);

/** The model with other weights in the layers that learn, and other state. */
function moved(model: Model, by: (w: number, i: number) => number): Model {
  const layers = model.layers.map((layer) =>
    layer.learns
      ? { ...layer, weights: layer.weights.map((w, i) => held(w + by(w, i), weightLimit(layer.weightBits))) }
      : layer,
  );
  const thresholds = model.state.thresholds.map((t) => t + 1);
  return { ...model, layers, state: { ...model.state, baseId: 77, t: 0, thresholds } };
}

function held(w: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, w));
}

function sealed(bytes: Uint8Array): Uint8Array {
  new DataView(bytes.buffer).setUint32(12, crc32(bytes.subarray(16)), true);
  return bytes;
}

describe('patch', () => {
  const after = moved(base, (_, i) => (i % 5) - 2);
  const { patch, clipped } = diffPatch(base, after, 42);
  const bytes = encodePatch(patch);

  it('of two models turns the one into the other', () => {
    expect(clipped).toBe(0);
    expect(encodeImage(applyPatch(base, decodePatch(bytes), 42))).toEqual(encodeImage(after));
  });

  it('holds one record per changed layer and one per stretch of changed state', () => {
    expect(patch.records.map((r) => [r.operation, 'layer' in r ? r.layer : r.offset])).toEqual([
      ['add', 0],
      ['add', 2],
      ['replace', layout.stateOffset + 4],
      ['replace', layout.stateOffset + 48 + 3 * 16],
    ]);
    expect(decodePatch(bytes)).toEqual(patch);
  });

  it('of two equal models holds no record', () => {
    expect(diffPatch(base, base, 1).patch.records).toEqual([]);
  });

  it('keeps what the device learned meanwhile: weights are added, counters stay', () => {
    const busy: Model = {
      ...base,
      layers: base.layers.map((l) => (l.learns ? { ...l, weights: l.weights.map((w) => Math.min(127, w + 3)) } : l)),
      state: { ...base.state, samples: 5000, updates: 9000, random: 123 },
    };
    const merged = applyPatch(busy, patch, 42);
    expect(merged.state).toMatchObject({ samples: 5000, updates: 9000, random: 123, baseId: 77, t: 0 });
    const at = busy.layers[0]!.weights.findIndex((w, i) => Math.abs(w) < 100 && i % 5 === 3);
    expect(merged.layers[0]!.weights[at]).toBe(busy.layers[0]!.weights[at]! + 1);
  });

  it('saturates at +-127 and counts differences that do not fit', () => {
    const low = { ...base, layers: base.layers.map((l) => ({ ...l, weights: l.weights.map(() => -127) })) };
    const high = {
      ...low,
      layers: low.layers.map((l) => (l.learns ? { ...l, weights: l.weights.map(() => 127) } : l)),
    };
    const difference = diffPatch(low, high, 1);
    expect(difference.clipped).toBe(42 + 27);
    expect(applyPatch(low, difference.patch, 1).layers[0]!.weights.every((w) => w === 0)).toBe(true);
    const again = applyPatch(high, difference.patch, 1);
    expect(again.layers[0]!.weights.every((w) => w === 127)).toBe(true);
    const minimum: Patch = {
      ...difference.patch,
      records: [{ operation: 'add', layer: 0, first: 0, bytes: Uint8Array.of(128) }],
    };
    expect(applyPatch(low, minimum, 1).layers[0]!.weights[0]).toBe(-127);
    expect(applyPatch(high, minimum, 1).layers[0]!.weights[0]).toBe(-1);
  });

  it('for another base or another ticket is refused', () => {
    expect(() => applyPatch(after, patch, 42)).toThrow(expect.objectContaining({ code: 'patch.base' }));
    expect(() => applyPatch(base, patch, 43)).toThrow(expect.objectContaining({ code: 'patch.ticket' }));
    expect(() => applyPatch(base, { ...patch, ticket: 0 }, 0)).toThrow(
      expect.objectContaining({ code: 'patch.ticket' }),
    );
  });

  it.each([
    ['replaces weights', { offset: layout.weightsOffsets[0]!, operation: 'replace' as const, bytes: Uint8Array.of(1) }],
    ['replaces the header', { offset: 0, operation: 'replace' as const, bytes: Uint8Array.of(1) }],
    [
      'reaches beyond the end',
      { offset: layout.length - 1, operation: 'replace' as const, bytes: Uint8Array.of(0, 0) },
    ],
    ['adds to a layer that there is not', { operation: 'add' as const, layer: 3, first: 0, bytes: Uint8Array.of(1) }],
    ['adds to a layer that does not learn', { operation: 'add' as const, layer: 1, first: 0, bytes: Uint8Array.of(1) }],
    [
      'runs beyond the weights of its layer',
      { operation: 'add' as const, layer: 0, first: 41, bytes: Uint8Array.of(1, 1) },
    ],
    ['adds beyond the end', { operation: 'add' as const, layer: 0, first: 42, bytes: Uint8Array.of(1) }],
    ['adds nothing behind the end', { operation: 'add' as const, layer: 0, first: 43, bytes: new Uint8Array(0) }],
    ['replaces nothing outside the state', { offset: 16, operation: 'replace' as const, bytes: new Uint8Array(0) }],
  ])('is refused if it %s', (_, record) => {
    expect(() => applyPatch(base, { ...patch, records: [record] }, 42)).toThrow(
      expect.objectContaining({ code: 'patch.field' }),
    );
  });

  it('names weights by their number, whatever their bits, and stops at what the bits hold', () => {
    const model = randomModel({ seed: 6, rawInputs: 4, classes: 3, hidden: [3, 3], bits: [4, 3] });
    const add = (layer: number, first: number, ...deltas: number[]): Patch => ({
      baseId: model.state.baseId,
      nextBaseId: 9,
      ticket: 42,
      records: [{ operation: 'add', layer, first, bytes: Uint8Array.from(deltas) }],
    });
    for (const [layer, limit] of [
      [0, 7],
      [1, 3],
    ] as const) {
      const { weights } = model.layers[layer]!;
      for (let at = 0; at < weights.length; at++) {
        const after = decodeImage(encodeImage(applyPatch(model, add(layer, at, 1), 42))).layers[layer]!.weights;
        expect([...after]).toEqual([...weights].map((w, k) => (k === at ? Math.min(limit, w + 1) : w)));
      }
      expect([...applyPatch(model, add(layer, 1, 127, 129), 42).layers[layer]!.weights.subarray(1, 3)]).toEqual([
        limit,
        -limit,
      ]);
    }
  });

  it('has weights first, by layer and number, then the state', () => {
    const [a, b, c, d] = patch.records as [WeightsRecord, WeightsRecord, StateRecord, StateRecord];
    const part = (from: number): WeightsRecord => ({ ...a, first: from, bytes: Uint8Array.of(1, 2) });
    const encodes = (...records: PatchRecord[]): boolean => {
      try {
        return encodePatch({ ...patch, records }).length > 0;
      } catch (error) {
        expect(error).toMatchObject({ code: 'patch.field' });
        return false;
      }
    };
    expect([encodes(a, b, c, d), encodes(part(0), part(2), b, c)]).toEqual([true, true]);
    const wrong = [
      encodes(c, a),
      encodes(b, a),
      encodes(d, c),
      encodes(part(2), part(0)),
      encodes(part(0), part(1)),
      encodes(c, c),
    ];
    expect(wrong).toEqual(Array(6).fill(false));
  });

  it('is refused if it touches the padding of the state, even with zeros', () => {
    const model = randomModel({ seed: 7, rawInputs: 5, classes: 2, hidden: [4], learns: [true] });
    const end = imageLayout(model).stateOffset + stateFieldsLength(model);
    expect(imageLayout(model).length).toBe(end + 2);
    const replace = (offset: number, count: number): Patch => ({
      baseId: model.state.baseId,
      nextBaseId: 9,
      ticket: 42,
      records: [{ offset, operation: 'replace', bytes: new Uint8Array(count) }],
    });
    for (const [offset, count] of [
      [end, 1],
      [end - 1, 2],
      [end + 1, 0],
    ] as const) {
      expect(() => applyPatch(model, replace(offset, count), 42)).toThrow(
        expect.objectContaining({ code: 'patch.field' }),
      );
    }
    expect(applyPatch(model, replace(end - 2, 2), 42).state.means[0]!.at(-1)).toBe(0);
    const means = model.state.means.map((m) => m.map((v) => v ^ 1));
    const { patch: made } = diffPatch(model, { ...model, state: { ...model.state, means } }, 42);
    expect(Math.max(...made.records.map((r) => recordStart(r) + r.bytes.length))).toBe(end);
  });

  it('is refused if the state would be invalid afterwards, and changes nothing then', () => {
    const before = encodeImage(base);
    const records = [
      patch.records[0]!,
      { offset: layout.stateOffset + 36, operation: 'replace' as const, bytes: Uint8Array.of(0, 0) },
    ];
    expect(() => applyPatch(base, { ...patch, records }, 42)).toThrow(expect.objectContaining({ code: 'image.field' }));
    expect(encodeImage(base)).toEqual(before);
  });

  it('is not made where a layer that does not learn differs, or the shapes do', () => {
    const other = {
      ...base,
      layers: base.layers.map((l) => (l.learns ? l : { ...l, weights: l.weights.map((w) => (w === 0 ? 1 : 0)) })),
    };
    expect(() => diffPatch(base, other, 1)).toThrow(expect.objectContaining({ code: 'patch.shape' }));
    expect(() => diffPatch(base, { ...base, metaText: '' }, 1)).toThrow(
      expect.objectContaining({ code: 'patch.shape' }),
    );
  });

  it('is refused as truncated at every length, and when any bit of it is flipped', () => {
    for (let n = 0; n < bytes.length; n++) {
      expect(() => decodePatch(bytes.subarray(0, n))).toThrow(expect.objectContaining({ code: 'patch.truncated' }));
    }
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const bad = bytes.slice();
      bad[bit >> 3] = bad[bit >> 3]! ^ (1 << (bit & 7));
      expect(() => decodePatch(bad)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^patch\./) }));
    }
  });

  it('with a good checksum but any byte altered is refused, or encodes to those bytes again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 16, max: bytes.length - 1 }), fc.nat(255), (at, value) => {
        const bad = bytes.slice();
        bad[at] = value;
        sealed(bad);
        let back: Patch;
        try {
          back = decodePatch(bad);
        } catch (error) {
          expect(error).toMatchObject({ code: 'patch.field' });
          return;
        }
        expect(encodePatch(back)).toEqual(bad);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('state', () => {
  it('is covered by its parts without gaps, but for the padding', () => {
    const parts = stateParts(base);
    let at = 0;
    for (const part of parts) {
      expect(part.offset).toBe(at);
      at += part.length;
    }
    expect(at).toBe(stateFieldsLength(base));
    expect(stateLength(base) - at).toBeLessThan(4);
    expect(parts.find((p) => p.name.startsWith('means'))!.offset).toBe(stateFixedLength(base));
    expect(parts.map((p) => p.name)).toContain('means[0]');
    expect(parts.map((p) => p.name)).not.toContain('means[1]');
  });

  it('comes back from an image as it was', () => {
    expect(decodeImage(encodeImage(base)).state).toEqual(base.state);
  });
});
