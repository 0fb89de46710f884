import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeClassStatistics } from '../../src/format/class-statistics.js';
import { decodeImage, encodeImage } from '../../src/format/image.js';
import { FLAG } from '../../src/format/message.js';
import type { Model } from '../../src/format/model.js';
import { diffPatch } from '../../src/format/patch.js';
import { isqrt } from '../../src/reference/forward.js';
import { SLOPE_TABLE } from '../../src/reference/learning.js';
import { Reference } from '../../src/reference/reference.js';
import { Xorshift } from '../../src/reference/xorshift.js';
import { randomInputs, randomModel } from '../golden/random-model.js';

const options = { seed: 3, rawInputs: 18, classes: 3, hidden: [12, 9] } as const;
const model = randomModel(options);
const inputs = randomInputs(7, 20, 18);

/** SPEC.md, section 4, in numbers without any limit of size: slow, and of no kinship with the typed arrays. */
function bigScores(m: Model, raw: Uint8Array): bigint[] {
  const passes = m.objective === 'label' ? m.classes : 1;
  const groups = m.objective === 'label' ? 1 : m.classes;
  const scores = Array.from({ length: m.classes }, () => 0n);
  const low = m.subtractMin ? Math.min(...raw) : 0;
  for (let pass = 0; pass < passes; pass++) {
    let x = [...raw].map((b) => BigInt(b - low));
    if (m.encoding === 'complement') x = [...x, ...x.map((b) => 255n - b)];
    if (m.objective === 'label') {
      x = [...Array.from({ length: m.classes }, (_, c) => (c === pass ? BigInt(m.labelValue) : 0n)), ...x];
    }
    m.layers.forEach((layer, l) => {
      const squares = x.reduce((sum, v) => sum + v * v, 0n);
      let root = 0n;
      while ((root + 1n) * (root + 1n) <= squares) root++;
      const factor = root === 0n ? 0n : (1n << BigInt(layer.lengthShift + 16)) / root;
      const xq = x.map((v) => (v * factor + 32768n) >> 16n).map((v) => (v > 255n ? 255n : v));
      const s = BigInt(layer.outputShift);
      x = Array.from({ length: layer.outputs }, (_, j) => {
        let sum = 0n;
        xq.forEach((v, i) => {
          sum += v * BigInt(layer.weights[i * layer.outputs + j]!);
        });
        const y = ((sum > 0n ? sum : 0n) + (s === 0n ? 0n : 1n << (s - 1n))) >> s;
        return y > BigInt(layer.activityMax) ? BigInt(layer.activityMax) : y;
      });
      const size = layer.outputs / groups;
      for (let g = 0; g < groups; g++) {
        const goodness = x.slice(g * size, (g + 1) * size).reduce((sum, v) => sum + v * v, 0n);
        const part = (goodness * BigInt(m.state.layers[l]!.scoreFactor) + 32768n) >> 16n;
        scores[pass + g] = scores[pass + g]! + part;
      }
    });
  }
  return scores;
}

describe('inference', () => {
  it('agrees with the same arithmetic in unlimited integers, for every encoding and objective, at all extremes', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.integer(),
          rawInputs: fc.integer({ min: 1, max: 12 }),
          classes: fc.integer({ min: 1, max: 4 }),
          objective: fc.constantFrom('partitioned' as const, 'label' as const),
          encoding: fc.constantFrom('plain' as const, 'complement' as const),
          subtractMin: fc.boolean(),
          extreme: fc.boolean(),
          lengthShift: fc.integer({ min: 4, max: 12 }),
          outputShift: fc.integer({ min: 0, max: 24 }),
        }),
        (o) => {
          const m = randomModel({ ...o, hidden: [2 * o.classes, 3 * o.classes] });
          const reference = new Reference(m);
          for (const x of randomInputs(o.seed, 4, o.rawInputs)) {
            const result = reference.infer(x, 0);
            const scores = bigScores(m, x);
            expect([...result.scores].map(BigInt)).toEqual(scores);
            expect(BigInt(result.score)).toBe(scores.toSorted((a, b) => Number(a - b)).at(-1));
          }
        },
      ),
    );
  });

  it('takes the lowest of equal classes, and sets the flags as thresholds say', () => {
    const zero = new Uint8Array(18);
    const at = (thresholds: number[], novelty: number): number => {
      const state = { ...model.state, thresholds: Uint32Array.from(thresholds), noveltyThreshold: novelty };
      const result = new Reference({ ...model, state }).infer(zero, 1);
      expect(result).toMatchObject({ class: 0, score: 0, labelScore: 0 });
      return result.flags;
    };
    expect(at([1, 1, 1], 0)).toBe(FLAG.falseReject);
    expect(at([1, 0, 1], 0)).toBe(0);
    expect(at([0, 0, 1], 0)).toBe(FLAG.falseAccept);
    expect(at([1, 0, 1], 1)).toBe(FLAG.novel);
    expect(new Reference(model).infer(zero, 0).flags & FLAG.correct).toBe(FLAG.correct);
    expect(new Reference({ ...model, state: { ...model.state, noveltyThreshold: 0 } }).infer(zero).flags).toBe(0);
  });

  it('changes nothing', () => {
    const reference = new Reference(model);
    for (const x of inputs) reference.infer(x, 1);
    expect(reference.image()).toEqual(encodeImage(model));
  });

  it('refuses wrong lengths, labels and layers', () => {
    const reference = new Reference(model);
    expect(() => reference.infer(new Uint8Array(17))).toThrow(expect.objectContaining({ code: 'device.length' }));
    expect(() => reference.infer(inputs[0]!, 3)).toThrow(expect.objectContaining({ code: 'device.label' }));
    expect(() => reference.trace(inputs[0]!, 2)).toThrow(expect.objectContaining({ code: 'device.range' }));
  });

  it('traces the activities whose squares are the goodness', () => {
    const reference = new Reference(model);
    const { goodness } = reference.infer(inputs[0]!);
    const y = reference.trace(inputs[0]!, 1);
    expect([0, 1, 2].map((c) => y.slice(3 * c, 3 * c + 3).reduce((s, v) => s + v * v, 0))).toEqual([...goodness[1]!]);
  });
});

describe('learning', () => {
  it('is the same whole, and in parts with the image written and read between', () => {
    const whole = new Reference(model);
    let part = new Reference(model);
    inputs.forEach((x, n) => {
      const label = n % 3;
      const a = whole.learn(x, label);
      const b = part.learn(x, label);
      expect(b).toEqual(a);
      if (n % 4 === 3) part = new Reference(decodeImage(part.image()));
    });
    expect(part.image()).toEqual(whole.image());
    expect(whole.image()).not.toEqual(encodeImage(model));
  });

  it('leaves the model given alone', () => {
    const before = encodeImage(model);
    const reference = new Reference(model);
    for (const x of inputs) reference.learn(x, 1);
    expect(encodeImage(model)).toEqual(before);
  });

  it('answers what inference said before, and counts', () => {
    const watch = new Reference(model);
    const reference = new Reference(model);
    const { scores } = watch.infer(inputs[0]!, 2);
    expect(reference.learn(inputs[0]!, 2).scores).toEqual(scores);
    const { state } = reference.toModel();
    expect(state.samples).toBe(model.state.samples + 1);
    expect(state.t).toBe(model.state.t + 1);
    expect(state.counts[2]).toBe(model.state.counts[2]! + 1);
  });

  it('touches the weights of the true group only, and only in layers that learn', () => {
    const m = randomModel({ ...options, learns: [false, true], margin: 255, thetaScale: 4 });
    const reference = new Reference(m);
    for (const x of inputs) reference.learn(x, 1);
    const after = reference.toModel();
    expect(after.layers[0]!.weights).toEqual(m.layers[0]!.weights);
    const changed = new Set<number>();
    after.layers[1]!.weights.forEach((w, at) => {
      if (w !== m.layers[1]!.weights[at]) changed.add(Math.floor((at % 9) / 3));
    });
    expect([...changed]).toEqual([1]);
  });

  it('raises the goodness of a sample that it sees again and again, and keeps weights within +-127', () => {
    const m = randomModel({ ...options, margin: 255, thetaScale: 20 });
    const reference = new Reference(m);
    const x = inputs[5]!;
    const before = reference.infer(x, 1).labelScore;
    for (let n = 0; n < 200; n++) reference.learn(x, 1);
    expect(reference.infer(x, 1).labelScore).toBeGreaterThan(before);
    for (const layer of reference.toModel().layers) {
      expect(Math.max(...layer.weights)).toBeLessThanOrEqual(127);
      expect(Math.min(...layer.weights)).toBeGreaterThanOrEqual(-127);
    }
  });

  it('at rate 0 moves means and counters only', () => {
    const m = randomModel({ ...options, rate: 0 });
    const reference = new Reference(m);
    for (const x of inputs) reference.learn(x, 0);
    const after = reference.toModel();
    expect(after.layers.map((l) => l.weights)).toEqual(m.layers.map((l) => l.weights));
    expect(after.state.means).not.toEqual(m.state.means);
  });

  it('stays put at the largest counters', () => {
    const most = 0xffffffff;
    const state = {
      ...model.state,
      t: most,
      samples: most,
      updates: most,
      errors: most,
      falseRejects: most,
      falseAccepts: most,
    };
    const reference = new Reference({ ...model, state: { ...state, counts: new Uint32Array(3).fill(most) } });
    inputs.forEach((x, n) => {
      reference.learn(x, n % 3);
    });
    const after = reference.toModel().state;
    expect(after).toMatchObject({
      t: most,
      samples: most,
      updates: most,
      errors: most,
      falseRejects: most,
      falseAccepts: most,
    });
    expect([...after.counts]).toEqual([most, most, most]);
  });

  it('is refused by a model of which no layer learns', () => {
    const reference = new Reference(randomModel({ ...options, learns: [false, false] }));
    expect(() => reference.learn(inputs[0]!, 0)).toThrow(expect.objectContaining({ code: 'device.no_learn' }));
    const label = new Reference(randomModel({ ...options, objective: 'label' }));
    expect(() => label.learn(inputs[0]!, 0)).toThrow(expect.objectContaining({ code: 'device.no_learn' }));
  });
});

describe('class statistics', () => {
  it('follow the means and mean squares of each class within a rounding of their steps', () => {
    const reference = new Reference(model);
    const length = reference.statistics(2);
    expect(length).toBe(4 + 3 * 76);
    const sums = [0, 1, 2].map(() => ({ count: 0, x: new Float64Array(18), xx: new Float64Array(18) }));
    const many = randomInputs(99, 600, 18);
    many.forEach((x, n) => {
      const c = n % 3;
      reference.learn(x, c);
      const sum = sums[c]!;
      sum.count++;
      x.forEach((v, i) => {
        sum.x[i] = sum.x[i]! + v;
        sum.xx[i] = sum.xx[i]! + v * v;
      });
    });
    const got = decodeClassStatistics(reference.statisticsBytes());
    expect(reference.statisticsBytes().length).toBe(length);
    got.classes.forEach((summary, c) => {
      expect(summary.count).toBe(200);
      for (let i = 0; i < 18; i++) {
        expect(Math.abs(summary.means[i]! / 256 - sums[c]!.x[i]! / 200)).toBeLessThan(0.5);
        expect(Math.abs(summary.squares[i]! - sums[c]!.xx[i]! / 200)).toBeLessThan(40);
      }
    });
  });

  it('take no bytes while they are off, and start empty', () => {
    const reference = new Reference(model);
    expect(reference.statistics(1)).toBe(4 + 3 * 40);
    reference.learn(inputs[0]!, 0);
    reference.statistics(1);
    expect(decodeClassStatistics(reference.statisticsBytes()).classes.every((c) => c.count === 0)).toBe(true);
    expect(reference.statistics(0)).toBe(0);
    expect(reference.statisticsBytes()).toHaveLength(0);
  });

  it('of an unknown level or a wrong length are refused', () => {
    const reference = new Reference(model);
    reference.statistics(1);
    const bytes = reference.statisticsBytes();
    expect(() => decodeClassStatistics(Uint8Array.of(3, ...bytes.subarray(1)))).toThrow(
      expect.objectContaining({ code: 'statistics.level' }),
    );
    for (const n of [0, 3, 5, bytes.length - 1]) {
      expect(() => decodeClassStatistics(bytes.subarray(0, n))).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^statistics\./) }),
      );
    }
  });
});

describe('a patch', () => {
  it('is taken once for the ticket that was remembered', () => {
    const reference = new Reference(model);
    const to = { ...model, state: { ...model.state, baseId: 5, tau: 9 } };
    const { patch } = diffPatch(model, to, 77);
    expect(() => reference.applyPatch(patch)).toThrow(expect.objectContaining({ code: 'patch.ticket' }));
    reference.remember(77);
    reference.applyPatch(patch);
    expect(reference.toModel().state).toMatchObject({ baseId: 5, tau: 9 });
    expect(() => reference.applyPatch(patch)).toThrow(expect.objectContaining({ code: 'patch.base' }));
  });

  it('needs a ticket, and seeds a number, other than 0', () => {
    const reference = new Reference(model);
    expect(() => reference.remember(0)).toThrow(expect.objectContaining({ code: 'device.argument' }));
    expect(() => reference.seed(0)).toThrow(expect.objectContaining({ code: 'device.argument' }));
    reference.seed(0xffffffff);
    expect(reference.toModel().state.random).toBe(0xffffffff);
  });
});

describe('the parts of the arithmetic', () => {
  it('draw the published xorshift32 sequence', () => {
    const random = new Xorshift(2463534242);
    expect([random.next(), random.next(), random.next()]).toEqual([723471715, 2497366906, 2064144800]);
  });

  it('have the table of the specification', () => {
    expect([...SLOPE_TABLE.slice(0, 8)]).toEqual([64282, 64118, 63934, 63727, 63494, 63232, 62937, 62607]);
    expect([...SLOPE_TABLE.slice(56)]).toEqual([2928, 2598, 2303, 2041, 1808, 1601, 1417, 1253]);
  });

  it('take exact integer square roots around every square', () => {
    for (const r of [0, 1, 2, 255, 256, 46340, 46341, 65534, 65535]) {
      expect(isqrt(r * r)).toBe(r);
      expect(isqrt(r * r + 2 * r)).toBe(r);
      if (r > 0) expect(isqrt(r * r - 1)).toBe(r - 1);
    }
  });
});
