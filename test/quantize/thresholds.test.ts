import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeScores } from '../../src/quantize/evaluation.js';
import { balancePoint, calibrateThresholds, noveltyThreshold, quantile } from '../../src/quantize/thresholds.js';

const ascending = fc
  .array(fc.nat(1000), { minLength: 1, maxLength: 60 })
  .map((values) => Uint32Array.from(values).sort());

describe('balance point', () => {
  it('lies in the middle of the gap where own and other scores are apart', () => {
    expect(balancePoint(Uint32Array.of(100, 200), Uint32Array.of(10, 20))).toBe(60);
  });

  it('splits overlapping scores so that rejects and accepts are equally many', () => {
    const own = Uint32Array.of(10, 30, 50, 70);
    const others = Uint32Array.of(5, 8, 12, 35, 36);
    const t = balancePoint(own, others)!;
    expect(own.filter((v) => v < t).length).toBe(others.filter((v) => v >= t).length);
  });

  it('balances within the number of equal scores, for any scores', () => {
    fc.assert(
      fc.property(ascending, ascending, (own, others) => {
        const t = balancePoint(own, others);
        if (t === undefined) return;
        const rejects = own.filter((v) => v < t).length;
        const accepts = others.filter((v) => v >= t).length;
        const ties = Math.max(0, ...[...own, ...others].map((v) => [...own, ...others].filter((w) => w === v).length));
        expect(Math.abs(rejects - accepts)).toBeLessThanOrEqual(ties);
      }),
    );
  });

  it('does not exist without samples on both sides', () => {
    expect(balancePoint(new Uint32Array(0), Uint32Array.of(1))).toBeUndefined();
    expect(balancePoint(Uint32Array.of(1), new Uint32Array(0))).toBeUndefined();
  });
});

describe('class thresholds', () => {
  // Two classes: own scores 100 to 119, scores of the other class 0 to 19.
  const labels = Uint8Array.from({ length: 40 }, (_, s) => s % 2);
  const scores = Uint32Array.from({ length: 80 }, (_, k) => {
    const [s, c] = [k >> 1, k & 1];
    return (labels[s] === c ? 100 : 0) + (s >> 1);
  });

  it('separate what can be separated', () => {
    const thresholds = calibrateThresholds(scores, labels, 2, 'balanced', 7);
    expect([...thresholds]).toEqual([60, 60]);
    expect(judgeScores(scores, labels, thresholds, 0)).toMatchObject({
      error: 0,
      falseReject: 0,
      falseAccept: 0,
      novel: 0,
    });
  });

  it('reject the part of a class that was asked for', () => {
    const thresholds = calibrateThresholds(scores, labels, 2, { falseReject: 0.25 }, 7);
    expect([...thresholds]).toEqual([105, 105]);
    expect(judgeScores(scores, labels, thresholds, 0).falseReject).toBe(25);
  });

  it('are those of training on request, and for a class without samples', () => {
    expect([...calibrateThresholds(scores, labels, 2, 'theta', 7)]).toEqual([7, 7]);
    const wider = new Uint32Array(120);
    for (let s = 0; s < 40; s++) wider.set(scores.subarray(2 * s, 2 * s + 2), 3 * s);
    expect(calibrateThresholds(wider, labels, 3, 'balanced', 7)[2]).toBe(7);
  });

  it('of a class with hardly any samples are those of all classes together', () => {
    const rare = Uint8Array.from({ length: 40 }, (_, s) => (s < 2 ? 1 : 0));
    const values = Uint32Array.from({ length: 80 }, (_, k) => (rare[k >> 1] === (k & 1) ? 200 : 100));
    const thresholds = calibrateThresholds(values, rare, 2, 'balanced', 7);
    expect([...thresholds]).toEqual([150, 150]);
  });

  it('refuse rates that are none', () => {
    for (const rate of [-0.1, 1, Number.NaN]) {
      expect(() => calibrateThresholds(scores, labels, 2, { falseReject: rate }, 7)).toThrow(
        expect.objectContaining({ code: 'quantize.thresholds' }),
      );
      expect(() => noveltyThreshold(scores, 2, rate)).toThrow(expect.objectContaining({ code: 'quantize.thresholds' }));
    }
  });

  it('for novelty leave the asked part of the samples below', () => {
    const t = noveltyThreshold(scores, 2, 0.25);
    expect(judgeScores(scores, labels, Uint32Array.of(0, 0), t).novel).toBe(25);
    expect(noveltyThreshold(new Uint32Array(0), 2, 0.05)).toBe(0);
  });

  it('quantiles leave at most the asked part below', () => {
    fc.assert(
      fc.property(ascending, fc.double({ min: 0, max: 0.99, noNaN: true }), (values, rate) => {
        const t = quantile(values, rate)!;
        expect(values.filter((v) => v < t).length).toBeLessThanOrEqual(rate * values.length);
      }),
    );
  });
});
