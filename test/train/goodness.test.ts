import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { completeGoodness } from '../../src/train/config-schema.js';
import { goodnessOf, type PartialGoodness } from '../../src/train/goodness/goodness.js';
import { completeThreshold, Threshold } from '../../src/train/goodness/threshold.js';

const KINDS: readonly PartialGoodness[] = [
  'mean-squares',
  'sum-squares',
  'minus-sum-squares',
  'mean-absolute',
  { kind: 'top-k', k: 2 },
  { kind: 'top-k', k: 0.5 },
  'top-k',
];

function measured(kind: PartialGoodness, activities: readonly number[], rows = 1, groups = 1): number[] {
  const goodness = new Float32Array(rows * groups);
  const y = Float32Array.from(activities);
  goodnessOf(completeGoodness(kind)).measure(y, goodness, rows, y.length / rows, groups);
  return [...goodness];
}

describe('goodness', () => {
  it('is what its name says, of each group', () => {
    const y = [1, 3, 0, 2, 1, 1, 4, 0];
    expect(measured('mean-squares', y, 2, 2)).toEqual([5, 2, 1, 8]);
    expect(measured('sum-squares', y, 2, 2)).toEqual([10, 4, 2, 16]);
    expect(measured('minus-sum-squares', y, 2, 2)).toEqual([-10, -4, -2, -16]);
    expect(measured('mean-absolute', y, 2, 2)).toEqual([2, 1, 1, 2]);
    expect(measured({ kind: 'top-k', k: 1 }, y, 2, 2)).toEqual([9, 4, 1, 16]);
    expect(measured({ kind: 'top-k', k: 3 }, y, 2, 1)).toEqual([14 / 3, 6].map(Math.fround));
  });

  it('asks a share of the neurons, or a number of them, for top-k, and one at least', () => {
    const y = [4, 3, 2, 1, 0, 0, 0, 0, 0, 0];
    expect(measured({ kind: 'top-k', k: 0.2 }, y)).toEqual([12.5]);
    expect(measured({ kind: 'top-k', k: 0.01 }, y)).toEqual([16]);
    expect(measured({ kind: 'top-k', k: 99 }, y)).toEqual([3]);
  });

  it.each(KINDS)('has the slope that differences show: %j', (kind) => {
    const random = new Random(3);
    const [rows, outputs, groups] = [3, 12, 2];
    // Some neurons are silent: relu lets nothing through there, in either direction.
    // They lie apart, so that a difference does not change which of them are the largest.
    const order = random.permutation(rows * outputs);
    const y = Float32Array.from(order, (place) => (random.uniform() < 0.3 ? 0 : 0.2 + 0.08 * place));
    const slopes = Float32Array.from({ length: rows * groups }, () => random.normal());
    const { measure, backward } = goodnessOf(completeGoodness(kind));
    const value = (activities: Float32Array): number => {
      const goodness = new Float32Array(rows * groups);
      measure(activities, goodness, rows, outputs, groups);
      return goodness.reduce((sum, g, k) => sum + g * slopes[k]!, 0);
    };
    const back = y.slice();
    backward(back, slopes, rows, outputs, groups);
    for (let i = 0; i < y.length; i++) {
      if (y[i] === 0) {
        expect(Math.abs(back[i]!)).toBe(0);
        continue;
      }
      const up = y.slice();
      const down = y.slice();
      up[i] = up[i]! + 1e-2;
      down[i] = down[i]! - 1e-2;
      expect(back[i]).toBeCloseTo((value(up) - value(down)) / 2e-2, 2);
    }
  });

  it('says how steep it is for a neuron of activity 1, and what a group of them is worth', () => {
    for (const kind of KINDS) {
      const goodness = goodnessOf(completeGoodness(kind));
      const ones = new Float32Array(6).fill(1);
      const value = new Float32Array(1);
      goodness.measure(ones, value, 1, 6, 1);
      expect(value[0]).toBe(goodness.unit(6));
      const back = ones.slice();
      goodness.backward(back, Float32Array.of(1), 1, 6, 1);
      expect(Math.abs(back[0]!)).toBeCloseTo(goodness.steepness(6));
    }
  });

  it('lets exactly k neurons learn where several are equal', () => {
    const y = new Float32Array(8).fill(2);
    goodnessOf({ kind: 'top-k', k: 3 }).backward(y, Float32Array.of(1), 1, 8, 1);
    expect(y.filter((v) => v > 0)).toHaveLength(3);
  });
});

describe('the threshold of a layer', () => {
  it('is theta for every neuron, or theta itself, in the direction of its goodness', () => {
    const start = (kind: 'width' | 'fixed', unit: number): number => new Threshold({ kind }, 2, unit).value;
    expect([start('width', 1), start('width', 30), start('width', -30)]).toEqual([2, 60, -60]);
    expect([start('fixed', 1), start('fixed', 30), start('fixed', -30)]).toEqual([2, 2, -2]);
    const still = new Threshold({ kind: 'width' }, 2, 30);
    still.update(5, 1, 9, 1);
    expect([still.value, still.moves]).toEqual([60, false]);
  });

  it('learns down the slope of the loss', () => {
    const threshold = new Threshold(completeThreshold('learned'), 2, 10);
    threshold.update(-0.5, Number.NaN, Number.NaN, 0.1);
    expect(threshold.value).toBeCloseTo(20.5);
    for (let k = 0; k < 1000; k++) threshold.update(1, Number.NaN, Number.NaN, 0.1);
    expect(threshold.value).toBeCloseTo(1);
  });

  it('follows the middle between both phases, whichever is under way', () => {
    const threshold = new Threshold({ kind: 'follow', rate: 0.5 }, 2, 1);
    threshold.update(0, 6, Number.NaN, 1);
    expect(threshold.value).toBe(2);
    threshold.update(0, Number.NaN, 2, 1);
    expect(threshold.value).toBe(4);
    threshold.update(0, 10, Number.NaN, 1);
    expect(threshold.value).toBe(5);
  });
});
