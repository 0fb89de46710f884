import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { argmax } from '../../src/train/argmax.js';
import { meanSquares, squaresBackward } from '../../src/train/goodness/squares.js';
import {
  type LossConfig,
  partitionedLoss,
  sigmoid,
  softplus,
  thresholdLoss,
} from '../../src/train/objectives/losses.js';

const CONFIG: LossConfig = {
  theta: 2,
  contrast: 0.4,
  temperature: 0.7,
  softness: 0.8,
  negativeWeight: 0.6,
  collaboration: 0.5,
};

describe('goodness', () => {
  it('is the mean of squares of each group', () => {
    const goodness = new Float32Array(4);
    meanSquares(Float32Array.of(1, 3, 0, 2, 1, 1, 4, 0), goodness, 2, 4, 2);
    expect([...goodness]).toEqual([5, 2, 1, 8]);
  });

  it('is that of the whole layer with a single group', () => {
    const goodness = new Float32Array(1);
    meanSquares(Float32Array.of(1, 3, 0, 2), goodness, 1, 4, 1);
    expect(goodness[0]).toBe(3.5);
  });

  it('sends slopes back to the neurons as differences do', () => {
    const activities = Float32Array.of(0.5, 0, 1.5, 2, 0.25, 0.75);
    const slopes = Float32Array.of(0.3, -0.7);
    const value = (y: Float32Array): number => {
      const goodness = new Float32Array(2);
      meanSquares(y, goodness, 1, 6, 2);
      return goodness[0]! * slopes[0]! + goodness[1]! * slopes[1]!;
    };
    const back = activities.slice();
    squaresBackward(back, slopes, 1, 6, 2);
    for (let i = 0; i < 6; i++) {
      const up = activities.slice();
      const down = activities.slice();
      up[i] = up[i]! + 1e-2;
      down[i] = down[i]! - 1e-2;
      expect(back[i]).toBeCloseTo((value(up) - value(down)) / 2e-2, 4);
    }
  });

  it('picks the first of equal maxima', () => {
    expect(argmax([9, 1, 3, 3, 2], 1, 4)).toBe(1);
  });
});

describe('the loss of a class-partitioned layer', () => {
  const rows = 3;
  const groups = 4;
  const labels = Uint8Array.of(2, 0, 3);
  const random = new Random(5);
  const goodness = Float32Array.from({ length: rows * groups }, () => random.between(0, 4));
  const others = Float32Array.from({ length: rows * groups }, () => random.between(0, 4));
  const loss = (config: LossConfig, g: Float32Array, slopes = new Float32Array(rows * groups)): number =>
    partitionedLoss(
      config,
      g,
      others.map((o, i) => o + g[i]!),
      labels,
      rows,
      groups,
      slopes,
    );

  it.each([CONFIG, { ...CONFIG, contrast: 1 }, { ...CONFIG, contrast: 0 }, { ...CONFIG, collaboration: 0 }])(
    'has the slope that differences of the loss show (%#)',
    (config) => {
      const slopes = new Float32Array(rows * groups);
      loss(config, goodness, slopes);
      for (let i = 0; i < goodness.length; i++) {
        const up = goodness.slice();
        const down = goodness.slice();
        up[i] = up[i]! + 1e-2;
        down[i] = down[i]! - 1e-2;
        expect(slopes[i]).toBeCloseTo((loss(config, up) - loss(config, down)) / 2e-2, 3);
      }
    },
  );

  it('stays finite for a goodness of any size', () => {
    const slopes = new Float32Array(rows * groups);
    expect(
      Number.isFinite(
        loss(
          CONFIG,
          goodness.map((g) => g * 1e6),
          slopes,
        ),
      ),
    ).toBe(true);
    expect(slopes.every(Number.isFinite)).toBe(true);
  });
});

describe('the loss against the threshold', () => {
  it('has the slope that differences of the loss show', () => {
    const goodness = Float32Array.of(1, 3, 2.5, 0.5);
    const slopes = new Float32Array(4);
    thresholdLoss(CONFIG, goodness, 2, 4, slopes);
    for (let i = 0; i < 4; i++) {
      const up = goodness.slice();
      const down = goodness.slice();
      up[i] = up[i]! + 1e-2;
      down[i] = down[i]! - 1e-2;
      const scratch = new Float32Array(4);
      const slope = (thresholdLoss(CONFIG, up, 2, 4, scratch) - thresholdLoss(CONFIG, down, 2, 4, scratch)) / 2e-2;
      expect(slopes[i]).toBeCloseTo(slope, 4);
    }
  });

  it('uses a softplus and a sigmoid that do not overflow', () => {
    expect([softplus(1000), softplus(-1000), softplus(0)]).toEqual([1000, 0, Math.log(2)]);
    expect([sigmoid(1000), sigmoid(-1000), sigmoid(0)]).toEqual([1, 0, 0.5]);
  });
});
