import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { type Backend, selectBackend } from '../../src/train/backend.js';
import { shapeFor } from '../../src/train/config.js';
import { meanSquares, squaresBackward } from '../../src/train/goodness/squares.js';
import { kernelBackend } from '../../src/train/kernel/backend.js';
import { Kernel } from '../../src/train/kernel/kernel.js';
import { ADAM, createOptimizer, type Optimizer, type OptimizerConfig, SGD } from '../../src/train/layers/optimizer.js';
import type { Network } from '../../src/train/network.js';
import { partitionedLoss } from '../../src/train/objectives/losses.js';
import { Trainer } from '../../src/train/trainer.js';
import type { LayerWeights } from '../../src/train/weights.js';
import { BACKENDS } from './backends.js';
import { bars } from './blobs.js';

/** To whole numbers, halves to even ones. */
function nearest(value: number): number {
  const up = Math.round(value);
  return up - value === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

/** The work of `LayerWeights` in plain loops and double precision, without dropout. */
class PlainWeights {
  readonly values: Float32Array;
  private readonly inputs: number;
  private readonly outputs: number;
  private readonly optimizer: Optimizer;
  private x: number[][] = [];

  constructor(values: Float32Array, inputs: number, outputs: number, optimizer: OptimizerConfig) {
    this.values = values.slice();
    this.inputs = inputs;
    this.outputs = outputs;
    this.optimizer = createOptimizer(optimizer, values.length);
  }

  take(source: ArrayLike<number>, rows: number): void {
    this.x = Array.from({ length: rows }, (_, r) => {
      const row = Array.from({ length: this.inputs }, (_, i) => source[r * this.inputs + i]!);
      const squares = row.reduce((sum, v) => sum + v * v, 0);
      return row.map((v) => (squares > 0 ? v * Math.sqrt(this.inputs / squares) : 0));
    });
  }

  activities(scale?: number, limit = 0): number[] {
    const used = Array.from(this.values, (w) =>
      scale === undefined ? w : Math.max(-limit, Math.min(limit, nearest(w / scale))) * scale,
    );
    return this.x.flatMap((row) =>
      Array.from({ length: this.outputs }, (_, j) =>
        Math.max(
          0,
          row.reduce((sum, v, i) => sum + v * used[i * this.outputs + j]!, 0),
        ),
      ),
    );
  }

  learn(delta: Float32Array, rate: number, left?: Float32Array, right?: Float32Array): void {
    const gradient = new Float32Array(this.values.length);
    for (let i = 0; i < this.inputs; i++) {
      for (let j = 0; j < this.outputs; j++) {
        let sum = left === undefined ? 0 : left[i]! * right![j]!;
        for (let r = 0; r < this.x.length; r++) sum += this.x[r]![i]! * delta[r * this.outputs + j]!;
        gradient[i * this.outputs + j] = sum;
      }
    }
    this.optimizer.update(this.values, gradient, rate);
  }

  /** Whether rounding can have turned a step around: Adam goes as far for the smallest gradient as for the largest. */
  unsure(i: number): boolean {
    const square = this.optimizer.moments.get('square');
    return square !== undefined && square[i]! < 1e-9;
  }
}

const kernel = await kernelBackend(2);

function randomFloats(random: Random, count: number, density = 1): Float32Array {
  return Float32Array.from({ length: count }, () => (random.uniform() < density ? random.normal() : 0));
}

function expectClose(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = 2e-4,
  unsure: (i: number) => boolean = () => false,
): void {
  expect(got.length).toBe(expected.length);
  for (let i = 0; i < got.length; i++) {
    if (unsure(i)) continue;
    const off = Math.abs(got[i]! - expected[i]!);
    if (!(off <= tolerance * Math.max(1, Math.abs(expected[i]!)))) {
      expect.fail(`number ${i} is ${got[i]}, not ${expected[i]}`);
    }
  }
}

const OPTIMIZERS: OptimizerConfig[] = [ADAM, { ...ADAM, weightDecay: 0.1 }, SGD, { ...SGD, weightDecay: 0.1 }];

describe('the training kernel', () => {
  it('computes what plain loops compute, for any shape', () => {
    const shape = fc.record({
      inputs: fc.integer({ min: 1, max: 150 }),
      outputs: fc.integer({ min: 1, max: 110 }),
      rows: fc.integer({ min: 1, max: 40 }),
      optimizer: fc.constantFrom(...OPTIMIZERS),
      density: fc.constantFrom(0, 0.2, 1),
      bytes: fc.boolean(),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(shape, ({ inputs, outputs, rows, optimizer, density, bytes, seed }) => {
        const random = new Random(seed);
        const initial = randomFloats(random, inputs * outputs);
        const plain = new PlainWeights(initial, inputs, outputs, optimizer);
        const fast = kernel.weights(initial, inputs, outputs, optimizer);
        for (let step = 0; step < 3; step++) {
          const floats = randomFloats(random, rows * inputs, density);
          const source = bytes ? Uint8Array.from(floats, (v) => Math.abs(v) * 80) : floats;
          plain.take(source, rows);
          fast.take(source, rows, 0, random);
          expectClose(fast.activities(), plain.activities());
          expectClose(fast.activities({ scale: 0.25, bits: 4 }), plain.activities(0.25, 7));
          const delta = randomFloats(random, rows * outputs, 0.5);
          const outer =
            step === 1 ? { left: randomFloats(random, inputs), right: randomFloats(random, outputs) } : undefined;
          plain.learn(delta, 0.01, outer?.left, outer?.right);
          fast.learn(delta, 0.01, outer);
          expectClose(fast.values, plain.values, 2e-4, (i) => plain.unsure(i));
          plain.values.set(fast.values);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('measures squares and learns from slopes over them as loops do', () => {
    const random = new Random(8);
    for (const [groups, size] of [
      [10, 12],
      [3, 7],
      [1, 30],
      [5, 1],
    ] as const) {
      const outputs = groups * size;
      const initial = randomFloats(random, 20 * outputs);
      const [fast, loops] = [0, 1].map(() => kernel.weights(initial, 20, outputs, SGD));
      const source = randomFloats(random, 9 * 20, 0.7);
      for (const weights of [fast!, loops!]) weights.take(source, 9, 0, random);
      const goodness = new Float32Array(9 * groups);
      const expected = new Float32Array(9 * groups);
      const delta = loops!.activities();
      fast!.activities();
      fast!.squares!.measure(goodness, groups, -1 / size);
      meanSquares(delta, expected, 9, outputs, groups, -1);
      expectClose(goodness, expected, 1e-5);
      squaresBackward(delta, goodness, 9, outputs, groups, -1);
      loops!.learn(delta, 0.01);
      fast!.squares!.learn(goodness, groups, -1 / size, 0.01);
      expectClose(fast!.values, loops!.values, 1e-5);
    }
  });

  it('computes the loss of class-partitioned layers and its slopes', () => {
    const random = new Random(9);
    for (const groups of [2, 3, 4, 10, 61, 255]) {
      for (const spread of [0.1, 2, 80]) {
        const [rows, size] = [7, 7 * groups];
        const config = {
          theta: 2,
          contrast: 0.4,
          temperature: 0.3,
          softness: 0.2,
          negativeWeight: 0.7,
          collaboration: spread === 2 ? 0.5 : 0,
        };
        const goodness = Float32Array.from({ length: size }, () => spread * random.uniform());
        const total = Float32Array.from(goodness, (g) => g + random.uniform());
        const labels = Uint8Array.from({ length: rows }, () => random.integer(groups));
        const [slopes, expected] = [new Float32Array(size), new Float32Array(size)];
        const loss = kernel.partitionedLoss!(config, goodness, total, labels, rows, groups, slopes);
        const plain = partitionedLoss(config, goodness, total, labels, rows, groups, expected);
        expect(Math.abs(loss - plain)).toBeLessThan(1e-5 * Math.max(1, plain));
        expectClose(slopes, expected, 1e-6 * Math.max(1, spread));
        // Where rows have no label, it is the loop's.
        const some = labels.subarray(0, 3);
        expect(kernel.partitionedLoss!(config, goodness, total, some, rows, groups, slopes)).toBe(
          partitionedLoss(config, goodness, total, some, rows, groups, expected),
        );
        expect(slopes).toEqual(expected);
      }
    }
  });

  it('clears moments that fade, since denormal numbers are slow', () => {
    const weights = kernel.weights(new Float32Array(64).fill(0.1), 8, 8, ADAM);
    weights.take(new Float32Array(8).fill(1), 1, 0, new Random(1));
    weights.learn(new Float32Array(8).fill(1e-3), 1e-3);
    weights.take(new Float32Array(8), 1, 0, new Random(1));
    for (let step = 0; step < 700; step++) weights.learn(new Float32Array(8), 0);
    expect(weights.moments.get('mean')!.every((m) => m === 0)).toBe(true);
    expect(weights.moments.get('square')!.every((v) => v > 0)).toBe(true);
  });

  it('gives the same bytes on any number of threads', async () => {
    const run = (backend: Backend): Uint8Array => {
      const random = new Random(5);
      const weights = backend.weights(randomFloats(random, 300 * 170), 300, 170, ADAM);
      for (let step = 0; step < 8; step++) {
        weights.take(randomFloats(random, 90 * 300, 0.4), 90, 0.1, random);
        weights.activities({ scale: 0.1, bits: 8 });
        weights.learn(weights.activities(), 1e-3);
      }
      return new Uint8Array(weights.values.slice().buffer);
    };
    const expected = run(await kernelBackend(1));
    for (const threads of [2, 5]) expect(run(await kernelBackend(threads))).toEqual(expected);
  });

  it('drops the given share of inputs, others each time, and rescales what stays', () => {
    const random = new Random(6);
    const size = 100;
    const identity = Float32Array.from({ length: size * size }, (_, k) => (k % (size + 1) === 0 ? 1 : 0));
    const weights = kernel.weights(identity, size, size, SGD);
    const source = new Uint8Array(200 * size).fill(9);
    const masks = [0, 1].map(() => {
      weights.take(source, 200, 0.3, random);
      return weights.activities().map((v) => (v > 0 ? 1 : 0));
    });
    for (const mask of masks) {
      const share = mask.reduce((sum, v) => sum + v, 0) / mask.length;
      expect(share).toBeGreaterThan(0.68);
      expect(share).toBeLessThan(0.72);
    }
    expect(masks[0]).not.toEqual(masks[1]);
    const rows = weights.activities();
    for (let r = 0; r < 200; r++) {
      let squares = 0;
      for (let i = 0; i < size; i++) squares += rows[r * size + i]! ** 2;
      expect(squares / size).toBeCloseTo(1, 4);
    }
    // Neither rows nor columns are alike.
    const columns = new Set(
      Array.from({ length: size }, (_, i) => masks[0]!.filter((_, k) => k % size === i).join('')),
    );
    expect(columns.size).toBe(size);
  });

  it('moves weights as TensorFlow.js does', async () => {
    const data = bars(60, 1);
    const shape = shapeFor(data, { hidden: [24, 12] });
    const config = { dropout: 0, inputDropout: 0, augmentation: { shift: 0 } };
    const train = (backend: Backend): Network => {
      const trainer = new Trainer({ backend, seed: 3, shape, config });
      for (let step = 0; step < 10; step++) trainer.step(data.inputs, data.labels, 1e-2);
      return trainer.network();
    };
    const own = train(kernel);
    for (const name of BACKENDS) {
      const { layers } = train(await selectBackend(name));
      for (const [index, layer] of own.layers.entries()) expectClose(layer.weights, layers[index]!.weights, 1e-3);
    }
  });

  it('goes on from copied weights, moments and the number of updates', () => {
    const random = new Random(7);
    const begin = (): LayerWeights => kernel.weights(randomFloats(new Random(1), 40 * 8), 40, 8, ADAM);
    const step = (weights: LayerWeights, source: Float32Array): void => {
      weights.take(source, 5, 0, random);
      weights.learn(weights.activities(), 1e-2);
    };
    const sources = Array.from({ length: 4 }, () => randomFloats(random, 5 * 40, 0.1));
    const whole = begin();
    for (const source of sources) step(whole, source);
    const first = begin();
    for (const source of sources.slice(0, 2)) step(first, source);
    const second = kernel.weights(first.values, 40, 8, ADAM);
    for (const [name, moment] of first.moments) second.moments.get(name)!.set(moment);
    second.updates = first.updates;
    for (const source of sources.slice(2)) step(second, source);
    expect([...second.values]).toEqual([...whole.values]);
  });

  it('gives back the memory of what nobody holds any more', async () => {
    const { memory } = await Kernel.start(1);
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const large = 1 << 20;
    for (let round = 0; round < 40; round++) {
      memory.floats(large);
      collect();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    // 40 arrays of 4 MB in the place of a few.
    expect(memory.memory.buffer.byteLength).toBeLessThan(20 * 4 * large);
    const view = memory.floats(3);
    expect([...view]).toEqual([0, 0, 0]);
    expect(memory.owns(view)).toBe(true);
    expect(memory.owns(new Float32Array(3))).toBe(false);
  });
});
