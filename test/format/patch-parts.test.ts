import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { encodeImage, imageLayout } from '../../src/format/image.js';
import type { Model } from '../../src/format/model.js';
import { applyPatch, diffPatch, encodePatch, type Patch, patchLength, recordStart } from '../../src/format/patch.js';
import { splitPatch } from '../../src/format/patch-parts.js';
import { randomModel } from '../golden/random-model.js';

const base = randomModel({ seed: 9, rawInputs: 9, classes: 3, hidden: [9, 6, 3], learns: [true, false, true] });
const layout = imageLayout(base);

/** What a sync might make of a model: weights, thresholds, means, some parameters. */
function retrained(seed: number): Model {
  const random = new Random(seed);
  return {
    ...base,
    layers: base.layers.map((layer) =>
      layer.learns ? { ...layer, weights: layer.weights.map(() => random.integer(255) - 127) } : layer,
    ),
    state: {
      ...base.state,
      baseId: random.uint32(),
      t: 0,
      tau: 1 + random.integer(65535),
      margin: random.integer(256),
      thresholds: base.state.thresholds.map(() => random.uint32()),
      means: base.state.means.map((means) => means.map(() => random.integer(65281))),
      layers: base.state.layers.map((layer) => ({
        ...layer,
        theta: 32 + random.integer(100_000),
        recentErrors: random.integer(65536),
      })),
    },
  };
}

function applyAll(model: Model, parts: readonly Patch[]): Model {
  return parts.reduce((now, part) => applyPatch(now, part, part.ticket), model);
}

describe('a patch in parts', () => {
  it('does what the whole does, in parts that fit, for every size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 48, max: 900 }), fc.nat(1000), (most, seed) => {
        const { patch } = diffPatch(base, retrained(seed), 77);
        const parts = splitPatch(patch, most, new Random(seed));
        expect(Math.max(...parts.map((part) => encodePatch(part).length))).toBeLessThanOrEqual(most);
        expect(encodeImage(applyAll(base, parts))).toEqual(encodeImage(applyPatch(base, patch, 77)));
      }),
      { numRuns: 400 },
    );
  });

  it('goes from base to base, begins with the ticket of the pull, and uses no ticket or base twice', () => {
    const { patch } = diffPatch(base, retrained(1), 77);
    const parts = splitPatch(patch, 100, new Random(5));
    expect(parts.length).toBeGreaterThan(3);
    expect([parts[0]!.ticket, parts[0]!.baseId, parts.at(-1)!.nextBaseId]).toEqual([
      77,
      base.state.baseId,
      patch.nextBaseId,
    ]);
    for (let k = 1; k < parts.length; k++) expect(parts[k]!.baseId).toBe(parts[k - 1]!.nextBaseId);
    expect(new Set(parts.map((part) => part.ticket)).size).toBe(parts.length);
    expect(new Set(parts.map((part) => part.nextBaseId)).size).toBe(parts.length);
    expect(parts.every((part) => part.ticket !== 0)).toBe(true);
  });

  it('changes the state last and at once, where its records fit a part', () => {
    const { patch } = diffPatch(base, retrained(2), 77);
    const parts = splitPatch(patch, 240, new Random(5));
    const withState = parts.filter((part) => part.records.some((record) => record.operation === 'replace'));
    expect(withState).toEqual([parts.at(-1)]);
  });

  it('cuts no number of the state in two', () => {
    const { patch } = diffPatch(base, retrained(3), 77);
    const bounds = splitPatch(patch, 48, new Random(5))
      .flatMap((part) => part.records)
      .filter((record) => record.operation === 'replace')
      .map((record) => record.offset + record.bytes.length - layout.stateOffset);
    const whole = patch.records.map((record) => recordStart(record) + record.bytes.length - layout.stateOffset);
    expect(bounds.length).toBeGreaterThan(10);
    expect(bounds.filter((at) => at % 4 !== 0 && !whole.includes(at))).toEqual([]);
  });

  it('is the patch itself where that fits, also one without records', () => {
    const { patch } = diffPatch(base, retrained(4), 77);
    expect(splitPatch(patch, patchLength(patch), new Random(1))).toEqual([patch]);
    expect(splitPatch(patch, patchLength(patch) - 1, new Random(1)).length).toBe(2);
    const empty = { ...patch, records: [] };
    expect(splitPatch(empty, 32, new Random(1))).toEqual([empty]);
  });

  it('is refused where not even four bytes fit', () => {
    const { patch } = diffPatch(base, retrained(5), 77);
    for (const most of [0, 31, 47]) {
      expect(() => splitPatch(patch, most, new Random(1))).toThrow(
        expect.objectContaining({ code: 'patch.parts', expected: '48 bytes', got: `${most}` }),
      );
    }
  });
});
