import { beforeAll, describe, expect, it } from 'vitest';
import { GoodnessError } from '../../src/base/errors.js';
import { Random } from '../../src/base/random.js';
import { pool } from '../../src/data/pool.js';
import { type Backend, selectBackend } from '../../src/train/backend.js';
import { encodeCheckpoint } from '../../src/train/checkpoint.js';
import { decodeCheckpoint } from '../../src/train/checkpoint-reader.js';
import type { PartialTrainConfig } from '../../src/train/config.js';
import { shapeFor } from '../../src/train/config.js';
import { evaluate } from '../../src/train/evaluation.js';
import { labelGoodness } from '../../src/train/forward.js';
import { trainedScales } from '../../src/train/layers/fake-quantization.js';
import { createNetwork, type Network } from '../../src/train/network.js';
import type { Progress } from '../../src/train/progress.js';
import { Trainer } from '../../src/train/trainer.js';
import { BACKENDS } from './backends.js';
import { bars, blobs } from './blobs.js';

let backend: Backend;
beforeAll(async () => {
  backend = await selectBackend('simd');
});

function bytes(network: Network): Uint8Array[] {
  return network.layers.map((layer) => new Uint8Array(layer.weights.slice().buffer));
}

function barsTrainer(config: PartialTrainConfig = {}, seed = 1, on = backend): Trainer {
  const data = bars(1, 1);
  return new Trainer({
    backend: on,
    seed,
    shape: shapeFor(data, { hidden: [24, 12] }),
    config,
    geometry: data.geometry!,
  });
}

async function rejection(action: Promise<unknown>): Promise<GoodnessError> {
  try {
    await action;
  } catch (error) {
    if (error instanceof GoodnessError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('training', () => {
  it('learns a few hundred sensor vectors with the defaults', async () => {
    const train = blobs(300, 1);
    const trainer = new Trainer({ backend, seed: 1, shape: shapeFor(train, { hidden: [30, 30] }) });
    const before = evaluate(trainer.network(), blobs(600, 2)).error;
    expect((await trainer.fit(train)).finished).toBe(true);
    const after = evaluate(trainer.network(), blobs(600, 2));
    expect(before).toBeGreaterThan(20);
    expect(after.error).toBeLessThan(4);
    expect(after.falseReject).toBeLessThan(12);
    expect(after.falseAccept).toBeLessThan(12);
  });

  it('learns a dozen samples too', async () => {
    const train = blobs(12, 1);
    const trainer = new Trainer({ backend, seed: 1, shape: shapeFor(train, { hidden: [30] }) });
    await trainer.fit(train, { epochs: 100 });
    expect(evaluate(trainer.network(), train).error).toBe(0);
  });

  it('learns images', async () => {
    const trainer = barsTrainer();
    await trainer.fit(bars(600, 1), { epochs: 20, batch: 20 });
    expect(evaluate(trainer.network(), bars(300, 2)).error).toBeLessThan(5);
  });

  it.each(['random', 'hard'] as const)('learns with the label in the input and %s negatives', async (negatives) => {
    const data = bars(600, 1);
    const shape = shapeFor(data, { hidden: [40, 20], objective: 'label' });
    const trainer = new Trainer({ backend, seed: 1, shape, config: { negatives, augmentation: { shift: 0 } } });
    await trainer.fit(data, { epochs: 30, batch: 20 });
    expect(evaluate(trainer.network(), bars(300, 2)).error).toBeLessThan(8);
  });

  it('gives the same bytes for the same seed, and others for another one', async () => {
    const weights = async (seed: number): Promise<Uint8Array[]> => {
      const trainer = barsTrainer({}, seed);
      await trainer.fit(bars(90, 1), { epochs: 2, batch: 20 });
      return bytes(trainer.network());
    };
    const first = await weights(3);
    expect(await weights(3)).toEqual(first);
    expect(await weights(4)).not.toEqual(first);
  });

  it('leaves no tensor behind', async () => {
    const tensors = await selectBackend('wasm');
    const trainer = barsTrainer({}, 1, tensors);
    const { inputs, labels } = bars(40, 1);
    trainer.step(inputs, labels, 1e-3);
    const before = tensors.tf!.memory();
    for (let i = 0; i < 5; i++) trainer.step(inputs, labels, 1e-3);
    const after = tensors.tf!.memory();
    expect([after.numTensors, after.numDataBuffers]).toEqual([before.numTensors, before.numDataBuffers]);
    expect(before.numTensors).toBe(0);
  });

  it('moves each layer down its own loss: a layer learns the same whatever lies above it', () => {
    const data = bars(40, 1);
    const shape = shapeFor(data, { hidden: [24, 12] });
    const config = { dropout: 0, inputDropout: 0, augmentation: { shift: 0 } };
    const two = new Trainer({ backend, seed: 1, shape, config });
    const network = two.network();
    const one = new Trainer({ backend, seed: 1, network: { ...network, layers: network.layers.slice(0, 1) }, config });
    for (let i = 0; i < 3; i++) {
      two.step(data.inputs, data.labels, 1e-2);
      one.step(data.inputs, data.labels, 1e-2);
    }
    expect(bytes(two.network())[0]).toEqual(bytes(one.network())[0]);
  });

  it('follows the slope of its loss', () => {
    const data = bars(12, 1);
    const network = createNetwork(shapeFor(data, { hidden: [6] }), new Random(2), 2);
    const config: PartialTrainConfig = {
      optimizer: { kind: 'sgd', momentum: 0, weightDecay: 0 },
      inputDropout: 0,
      augmentation: { shift: 0 },
    };
    const loss = (weights: Float32Array): number => {
      const changed = { ...network, layers: [{ ...network.layers[0]!, weights }] };
      return new Trainer({ backend, seed: 1, network: changed, config }).step(data.inputs, data.labels, 1e-9)[0]!.loss;
    };
    const trainer = new Trainer({ backend, seed: 1, network, config });
    trainer.step(data.inputs, data.labels, 1);
    const { weights } = network.layers[0]!;
    const moved = trainer.network().layers[0]!.weights;
    for (const i of [3, 60, 111, 160, 200, 290]) {
      const up = weights.slice();
      const down = weights.slice();
      up[i] = up[i]! + 1e-2;
      down[i] = down[i]! - 1e-2;
      expect(weights[i]! - moved[i]!).toBeCloseTo((loss(up) - loss(down)) / 2e-2, 3);
    }
  });

  it('computes the goodness that the plain forward pass computes', () => {
    const data = bars(30, 1);
    const trainer = barsTrainer({ dropout: 0, inputDropout: 0, augmentation: { shift: 0 } });
    const expected = labelGoodness(trainer.network(), data.inputs, data.count);
    trainer.step(data.inputs, data.labels, 1e-3);
    expected.forEach((g, i) => {
      const sum = trainer.layers.reduce((s, layer) => s + layer.goodness[i]!, 0);
      expect(sum).toBeCloseTo(g, 4);
    });
  });

  it('does not touch the network that it starts from', async () => {
    const data = bars(30, 1);
    const network = createNetwork(shapeFor(data, { hidden: [6] }), new Random(2));
    const before = bytes(network);
    const trainer = new Trainer({ backend, seed: 1, network });
    expect(bytes(trainer.network())).toEqual(before);
    await trainer.fit(data, { epochs: 1 });
    expect(bytes(network)).toEqual(before);
    expect(bytes(trainer.network())).not.toEqual(before);
  });

  it('reports epochs, losses, goodness, rate and speed', async () => {
    const reports: Progress[] = [];
    let time = 0;
    const now = (): number => {
      time += 100;
      return time;
    };
    await barsTrainer().fit(bars(90, 1), { epochs: 3, batch: 3, now, onProgress: (p) => reports.push(p) });
    expect(reports.map((r) => [r.epoch, r.step, r.steps])).toEqual([
      [1, 30, 90],
      [2, 60, 90],
      [3, 90, 90],
    ]);
    expect(reports[0]!.samplesPerSecond).toBe(900);
    expect(reports[2]!.learningRate).toBeLessThan(reports[0]!.learningRate);
    expect(reports[0]!.layers).toHaveLength(2);
    expect(reports[2]!.layers[0]!.positive).toBeGreaterThan(reports[2]!.layers[0]!.negative);
    expect(reports[2]!.layers[0]!.loss).toBeLessThan(reports[0]!.layers[0]!.loss);
  });
});

describe.each(BACKENDS)('a run that is stopped on %s', (name) => {
  const common = { peer: 0.03 };

  async function stopped(after: number, config: PartialTrainConfig, epochs = 20): Promise<Trainer> {
    const trainer = barsTrainer(config, 1, await selectBackend(name));
    const control = new AbortController();
    const onProgress = ({ step }: Progress): void => {
      if (step === after) control.abort();
    };
    const result = await trainer.fit(bars(90, 1), {
      epochs,
      batch: 10,
      reportEvery: 1,
      onProgress,
      signal: control.signal,
    });
    expect(result).toEqual({ finished: false, step: after, steps: 180 });
    return trainer;
  }

  it.each<[string, PartialTrainConfig, number]>([
    ['rounded from the first step on', { ...common, quantization: { bits: 4, epochs: 0 } }, 20],
    [
      'that goes on with rounded weights',
      { ...common, quantization: { bits: [4, 3], learningRate: 0.02, dropout: 0 } },
      10,
    ],
  ])('and %s gives the same weights as one that is not, through a checkpoint or without', async (_, config, epochs) => {
    const data = bars(90, 1);
    const whole = barsTrainer(config, 1, await selectBackend(name));
    await whole.fit(data, { epochs, batch: 10 });
    const expected = bytes(whole.network());
    for (const after of [1, 89, 90, 91, 131]) {
      const trainer = await stopped(after, config, epochs);
      const file = encodeCheckpoint(trainer.checkpoint(data));
      const restored = Trainer.restore(decodeCheckpoint(file), await selectBackend(name));
      expect(await restored.resume(data)).toEqual({ finished: true, step: 180, steps: 180 });
      expect(bytes(restored.network())).toEqual(expected);
      await trainer.resume(data);
      expect(bytes(trainer.network())).toEqual(expected);
    }
  });

  it('does not go on with data of another size', async () => {
    const trainer = await stopped(1, common);
    expect((await rejection(trainer.resume(bars(30, 1)))).code).toBe('train.run');
    expect((await rejection(barsTrainer().resume(bars(30, 1)))).code).toBe('train.run');
  });
});

describe('fake-quantized training', () => {
  it('makes weights of two bits do better than rounding them afterwards', async () => {
    const train = blobs(300, 1);
    const float = new Trainer({ backend, seed: 1, shape: shapeFor(train, { hidden: [30, 30] }) });
    await float.fit(train, { epochs: 30 });
    const aware = new Trainer({
      backend,
      seed: 2,
      network: float.network(),
      config: { quantization: { bits: 2, epochs: 0 } },
    });
    await aware.fit(train, { epochs: 30 });
    const rounded = (trainer: Trainer): Network => {
      const network = trainer.network();
      const layers = network.layers.map((layer, index) => {
        const { scale } = aware.layers[index]!.state();
        return {
          ...layer,
          weights: layer.weights.map((w) => Math.max(-1, Math.min(1, Math.round(w / scale))) * scale),
        };
      });
      return { ...network, layers };
    };
    const failures = (trainer: Trainer): number => {
      const { error, falseReject, falseAccept } = evaluate(rounded(trainer), blobs(600, 2));
      return error + falseReject + falseAccept;
    };
    expect(failures(aware)).toBeLessThan(failures(float));
  });

  it('begins after training in floating point, on a grid that stays', async () => {
    const trainer = barsTrainer({ quantization: { bits: 4, epochs: 3, learningRate: 0.02 } });
    const seen: { rounds: boolean; scale: number; rate: number }[] = [];
    const options = {
      epochs: 2,
      batch: 10,
      onProgress: ({ learningRate: rate }: Progress): void => {
        const { rounds, scale } = trainer.layers[0]!;
        seen.push({ rounds, scale, rate });
      },
    };
    expect((await trainer.fit(bars(30, 1), { ...options, reportEvery: 1 })).steps).toBe(15);
    expect(seen.map(({ rounds }) => rounds)).toEqual([...Array(6).fill(false), ...Array(9).fill(true)]);
    expect(seen[0]!.scale).toBe(0);
    expect(seen[6]!.scale).toBeGreaterThan(0);
    expect(new Set(seen.slice(6).map(({ scale }) => scale)).size).toBe(1);
    const highest = (from: number, to: number): number => Math.max(...seen.slice(from, to).map(({ rate }) => rate));
    expect(highest(0, 6)).toBeLessThanOrEqual(trainer.config.learningRate);
    expect(highest(6, 15)).toBeCloseTo(0.02);
    expect(trainedScales(trainer.config.quantization, trainer.layers, 4)).toEqual(
      trainer.layers.map(({ scale }) => scale),
    );
    expect(trainedScales(trainer.config.quantization, trainer.layers, [4, 8])).toBeUndefined();
    await trainer.fit(bars(30, 1), { ...options, reportEvery: 1 });
    expect(seen[15]).toMatchObject({ rounds: false, scale: 0 });
  });

  it('does not stop early, but where weights are rounded from the first step on', async () => {
    const stop = { holdout: 0.2 };
    const refused = await rejection(barsTrainer({ quantization: { bits: 4 } }).fit(bars(30, 1), { epochs: 2, stop }));
    expect(refused.code).toBe('train.config');
    const always = barsTrainer({ quantization: { bits: 4, epochs: 0 } });
    expect((await always.fit(bars(30, 1), { epochs: 2, stop })).finished).toBe(true);
  });

  it('keeps the scales that it is given', async () => {
    const trainer = barsTrainer({ quantization: { bits: 8, scales: [0.01, 0.02] } });
    await trainer.fit(bars(30, 1), { epochs: 2 });
    expect(trainer.layers.map((layer) => layer.state().scale)).toEqual([0.01, 0.02]);
    expect(() => barsTrainer({ quantization: { bits: 8, scales: [0.01] } })).toThrow('one per layer');
  });
});

describe('pooling', () => {
  const config = { augmentation: { shift: 0 } };

  it('of full-size samples gives what pooled samples give, where nothing moves them in between', async () => {
    const full = bars(60, 1);
    const small = pool(full, 2);
    const shape = shapeFor(small, { hidden: [12] });
    const geometry = small.geometry!;
    const one = new Trainer({ backend, seed: 1, shape, geometry, config: { ...config, pool: 2 } });
    const two = new Trainer({ backend, seed: 1, shape, geometry, config });
    await one.fit(full, { epochs: 2, batch: 20 });
    await two.fit(small, { epochs: 2, batch: 20 });
    expect(bytes(one.network())).toEqual(bytes(two.network()));
  });

  it('needs images, of the full size', async () => {
    const small = pool(bars(4, 1), 2);
    const shape = shapeFor(small, { hidden: [12] });
    expect(() => new Trainer({ backend, seed: 1, shape, config: { pool: 2 } })).toThrow('only images can be pooled');
    const trainer = new Trainer({ backend, seed: 1, shape, geometry: small.geometry!, config: { pool: 2 } });
    expect((await rejection(trainer.fit(small))).code).toBe('train.data');
  });
});

describe('data that do not fit', () => {
  it('are refused with what was expected', async () => {
    const trainer = barsTrainer();
    const { inputs, labels } = bars(2, 1);
    expect(() => trainer.step(inputs.subarray(1), labels, 1e-3)).toThrow('64 bytes for each of 2 labels');
    expect(() => trainer.step(inputs, Uint8Array.of(0, 3), 1e-3)).toThrow('expected 0 to 2; got 3');
    expect(() => trainer.step(new Uint8Array(0), new Uint8Array(0), 1e-3)).toThrow(GoodnessError);
    expect((await rejection(trainer.fit(blobs(9, 1)))).message).toContain('64 inputs');
    expect((await rejection(trainer.fit({ ...bars(0, 1) }))).code).toBe('train.data');
    expect((await rejection(trainer.fit(bars(9, 1), { epochs: 0 }))).code).toBe('train.config');
    expect(() => new Trainer({ backend, seed: 1 })).toThrow('a network or a shape');
  });
});
