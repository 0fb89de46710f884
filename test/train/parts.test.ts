import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { augment, shiftImage } from '../../src/train/augmentation.js';
import { fakeQuantize, fittingScale } from '../../src/train/layers/fake-quantization.js';
import { ADAM, createOptimizer, SGD } from '../../src/train/layers/optimizer.js';
import { drawnLabels, randomWrongLabels } from '../../src/train/negatives/wrong-labels.js';
import { encode } from '../../src/train/preprocess.js';
import { scheduleFactor } from '../../src/train/schedule/schedule.js';
import { InputRows } from '../../src/train/tensorflow/input-rows.js';

describe('negatives', () => {
  it('are never the true label, and reach every other one', () => {
    const random = new Random(1);
    const labels = Uint8Array.from({ length: 400 }, (_, i) => i % 4);
    const goodness = Float32Array.from({ length: 1600 }, () => random.uniform());
    for (const draw of ['random', 'hard'] as const) {
      const wrong = new Uint8Array(400);
      if (draw === 'random') randomWrongLabels(labels, wrong, 4, random);
      else drawnLabels(goodness, labels, wrong, 4, 0.5, random);
      const pairs = new Set<number>();
      labels.forEach((label, i) => {
        expect(wrong[i]).not.toBe(label);
        expect(wrong[i]).toBeLessThan(4);
        pairs.add(label * 4 + wrong[i]!);
      });
      expect(pairs.size).toBe(12);
    }
  });

  it('are the likely labels where hard ones are asked for', () => {
    const wrong = new Uint8Array(1);
    drawnLabels(Float32Array.of(0, 90, 5, 99), Uint8Array.of(3), wrong, 4, 0.5, new Random(2));
    expect(wrong[0]).toBe(1);
  });
});

describe('optimizers', () => {
  it('take the first step of Adam by the learning rate, against the sign of the gradient', () => {
    const weights = Float32Array.of(1, 1, 1);
    createOptimizer(ADAM, 3).update(weights, Float32Array.of(0.3, -20, 0), 0.01);
    expect(weights[0]).toBeCloseTo(0.99, 5);
    expect(weights[1]).toBeCloseTo(1.01, 5);
    expect(weights[2]).toBe(1);
  });

  it('follow the published formulas over several steps', () => {
    const random = new Random(3);
    const weights = Float32Array.of(0.5);
    const adam = createOptimizer(ADAM, 1);
    let [w, m, v] = [0.5, 0, 0];
    for (let t = 1; t <= 20; t++) {
      const g = random.normal();
      adam.update(weights, Float32Array.of(g), 0.01);
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      w -= (0.01 * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
      expect(weights[0]).toBeCloseTo(w, 5);
    }
  });

  it('gather momentum and decay weights', () => {
    const weights = Float32Array.of(1);
    const sgd = createOptimizer({ ...SGD, weightDecay: 0.5 }, 1);
    sgd.update(weights, Float32Array.of(1), 0.1);
    expect(weights[0]).toBeCloseTo(1 - 0.1 * 1.5, 6);
    sgd.update(weights, Float32Array.of(1), 0.1);
    expect(weights[0]).toBeCloseTo(0.85 - 0.1 * (1.9 + 0.425), 6);
  });
});

describe('the schedule', () => {
  it('falls from 1 to almost 0, and never below', () => {
    for (const decay of ['linear', 'cosine'] as const) {
      const factors = Array.from({ length: 100 }, (_, step) => scheduleFactor({ decay, warmup: 0 }, step, 100));
      expect(factors[0]).toBe(1);
      expect(factors[99]).toBeGreaterThan(0);
      expect(factors[99]).toBeLessThan(0.02);
      for (let i = 1; i < 100; i++) expect(factors[i]!).toBeLessThan(factors[i - 1]!);
    }
  });

  it('rises first where a warm-up is asked for', () => {
    const factors = Array.from({ length: 20 }, (_, step) =>
      scheduleFactor({ decay: 'constant', warmup: 0.2 }, step, 20),
    );
    expect(factors.slice(0, 5).map((f) => Math.round(f * 100) / 100)).toEqual([0.2, 0.4, 0.6, 0.8, 1]);
    expect(factors[19]).toBe(1);
  });
});

describe('augmentation', () => {
  it('moves an image and repeats its edge', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: -6, max: 6 }),
        fc.integer({ min: -6, max: 6 }),
        (width, height, dx, dy) => {
          const image = Uint8Array.from({ length: width * height }, (_, i) => i + 1);
          const moved = new Uint8Array(width * height + 4).fill(77);
          shiftImage(image, 0, moved, 2, { width, height }, dx, dy);
          const clamp = (v: number, n: number): number => Math.max(0, Math.min(n - 1, v));
          for (let y = 0; y < height; y++) {
            for (let x = 0; x < width; x++) {
              expect(moved[2 + y * width + x]).toBe(image[clamp(y - dy, height) * width + clamp(x - dx, width)]);
            }
          }
          expect([moved[0], moved[1], moved.at(-2), moved.at(-1)]).toEqual([77, 77, 77, 77]);
        },
      ),
    );
  });

  it('adds noise to vectors within the range of a byte', () => {
    const source = Uint8Array.from({ length: 600 }, (_, i) => [0, 128, 255][i % 3]!);
    const target = new Uint8Array(600);
    augment({ shift: 1, jitter: 5 }, undefined, source, target, 200, 3, new Random(4));
    const values = Array.from({ length: 200 }, (_, i) => target[i * 3 + 1]! - 128);
    const mean = values.reduce((a, b) => a + b, 0) / 200;
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / 200);
    expect(Math.abs(mean)).toBeLessThan(1.5);
    expect(deviation).toBeGreaterThan(4);
    expect(deviation).toBeLessThan(6);
    for (let i = 0; i < 200; i++) {
      expect(target[i * 3]).toBeLessThan(40);
      expect(target[i * 3 + 2]).toBeGreaterThan(215);
    }
  });
});

describe('preprocessing', () => {
  it('subtracts the smallest byte and appends the complement, from the given column on', () => {
    const target = new Uint8Array(14).fill(9);
    encode({ subtractMin: true, encoding: 'complement' }, Uint8Array.of(5, 7, 5, 0, 255, 3), target, 2, 3, 7, 1);
    expect([...target]).toEqual([9, 0, 2, 0, 255, 253, 255, 9, 0, 255, 3, 255, 0, 252]);
  });

  it('leaves plain bytes as they are', () => {
    const target = new Uint8Array(3);
    encode({ subtractMin: false, encoding: 'plain' }, Uint8Array.of(5, 7, 255), target, 1, 3, 3);
    expect([...target]).toEqual([5, 7, 255]);
  });
});

describe('the input of a layer', () => {
  it('has mean square 1 in every row, and lists the same numbers as columns', () => {
    const random = new Random(6);
    const source = Uint8Array.from({ length: 5 * 8 }, (_, i) => (i % 8 === 3 || i < 8 ? 0 : random.integer(256)));
    const input = new InputRows(8);
    input.fill(source, 5, 0, random);
    expect(input.active).toBe(7);
    for (let r = 0; r < 5; r++) {
      let squares = 0;
      for (let a = 0; a < 7; a++) {
        const x = input.rows[r * 7 + a]!;
        squares += x * x;
        expect(input.columns[a * 5 + r]).toBe(x);
      }
      expect(squares).toBeCloseTo(r === 0 ? 0 : 8, 4);
    }
  });

  it('gathers the weights of active inputs and scatters their gradients', () => {
    const input = new InputRows(4);
    input.fill(Float32Array.of(0, 1, 0, 2), 1, 0, new Random(7));
    const weights = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const gathered = input.gatherRows(weights, 2, new Float32Array(8));
    expect([...gathered.subarray(0, 4)]).toEqual([3, 4, 7, 8]);
    expect([...input.scatterRows(Float32Array.of(9, 8, 7, 6), 2, new Float32Array(8).fill(1))]).toEqual([
      0, 0, 9, 8, 0, 0, 7, 6,
    ]);
  });

  it('drops the given share of inputs', () => {
    const input = new InputRows(50);
    const source = new Uint8Array(50 * 100).fill(3);
    input.fill(source, 100, 0.3, new Random(8));
    const kept = input.rows.filter((x) => x !== 0).length;
    expect(kept / 5000).toBeGreaterThan(0.67);
    expect(kept / 5000).toBeLessThan(0.73);
  });
});

describe('fake quantization', () => {
  it('rounds to whole steps and clamps', () => {
    const target = new Float32Array(5);
    fakeQuantize(Float32Array.of(0.26, -0.1, 9, -9, 0.7), target, 0.5, 4);
    expect([...target].map((w) => w / 0.5 + 0)).toEqual([1, 0, 7, -7, 1]);
  });

  it('finds a scale that beats that of the largest weight where bits are few', () => {
    const random = new Random(9);
    const weights = Float32Array.from({ length: 2000 }, () => random.normal());
    const error = (scale: number): number => {
      const target = new Float32Array(2000);
      fakeQuantize(weights, target, scale, 4);
      return weights.reduce((sum, w, i) => sum + (w - target[i]!) ** 2, 0);
    };
    const largest = weights.reduce((a, w) => Math.max(a, Math.abs(w)), 0);
    expect(error(fittingScale(weights, 4))).toBeLessThan(0.9 * error(largest / 7));
    expect(fittingScale(new Float32Array(3), 8)).toBe(1);
  });
});
