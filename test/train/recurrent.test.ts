import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { BYTE_SCALING, type Dataset } from '../../src/data/dataset.js';
import { hostOnly } from '../../src/quantize/device-network.js';
import { quantize } from '../../src/quantize/quantize.js';
import { type Backend, selectBackend } from '../../src/train/backend.js';
import { encodeCheckpoint } from '../../src/train/checkpoint.js';
import { decodeCheckpoint } from '../../src/train/checkpoint-reader.js';
import {
  completeConfig,
  type PartialTrainConfig,
  type ShapeOptions,
  shapeFor,
  surroundingsOf,
} from '../../src/train/config.js';
import { evaluate } from '../../src/train/evaluation.js';
import { labelGoodness, plainProduct } from '../../src/train/forward.js';
import { LayerTrainer, type LayerTrainerConfig } from '../../src/train/layers/layer-trainer.js';
import { RecurrentStack } from '../../src/train/layers/recurrent-stack.js';
import { Stack } from '../../src/train/layers/stack.js';
import { createNetwork, type Network } from '../../src/train/network.js';
import { thresholdLoss } from '../../src/train/objectives/losses.js';
import { readoutScores } from '../../src/train/objectives/readout.js';
import { Trainer } from '../../src/train/trainer.js';
import { BACKENDS } from './backends.js';
import { bars } from './blobs.js';

let backend: Backend;
beforeAll(async () => {
  backend = await selectBackend('simd', { threads: 1 });
});

const SHAPE: ShapeOptions = { hidden: [32, 24], objective: 'label', recurrent: {} };

function trainerOn(data: Dataset, shape: ShapeOptions = SHAPE, config: PartialTrainConfig = {}): Trainer {
  const { geometry } = data;
  return new Trainer({
    backend,
    seed: 1,
    shape: shapeFor(data, shape),
    config,
    ...(geometry === undefined ? {} : { geometry }),
  });
}

/** A bright spot on a line of six places that wanders to the right or to the left, in four frames: no single frame tells which. */
function wanderers(count: number, seed: number): Dataset {
  const random = new Random(seed);
  const inputs = new Uint8Array(count * 24);
  const labels = new Uint8Array(count);
  for (let s = 0; s < count; s++) {
    labels[s] = s % 2;
    const start = random.integer(6);
    for (let frame = 0; frame < 4; frame++) {
      const place = (start + (labels[s] === 0 ? frame : 6 - frame)) % 6;
      inputs[s * 24 + frame * 6 + place] = 150 + random.integer(100);
    }
  }
  return { name: 'wanderers', inputs, labels, count, width: 24, classes: ['right', 'left'], scaling: BYTE_SCALING };
}

/** Goodness of one sample with one label, straight from the definition, in double precision. */
function expected(network: Network, sample: readonly number[], label: number): number {
  const { layers, classes, recurrent, preprocessing } = network;
  const { iterations, damping, scored, frames } = recurrent!;
  const unit = (x: readonly number[]): number[] => {
    const mean = x.reduce((sum, v) => sum + v * v, 0) / x.length;
    return mean > 0 ? x.map((v) => v / Math.sqrt(mean)) : [...x];
  };
  const each = sample.length / frames;
  const frame = (f: number): number[] => {
    const x = sample.slice(f * each, (f + 1) * each);
    return unit(preprocessing.encoding === 'complement' ? [...x, ...x.map((v) => 255 - v)] : x);
  };
  const relu = (l: number, below: readonly number[], above: readonly number[]): number[] => {
    const { outputs, weights } = layers[l]!;
    const x = unit([...below, ...above]);
    return Array.from({ length: outputs }, (_, j) =>
      Math.max(
        0,
        x.reduce((sum, v, i) => sum + v * weights[i * outputs + j]!, 0),
      ),
    );
  };
  const top = unit(Array.from({ length: classes }, (_, c) => (c === label ? 1 : 0)));
  const states: number[][] = [];
  layers.forEach(({ inputs }, l) => {
    const below = l === 0 ? frame(0) : unit(states[l - 1]!);
    states.push(relu(l, below, new Array(inputs - below.length).fill(0)));
  });
  let total = 0;
  for (let t = 0; t < iterations; t++) {
    const before = states.map((y) => [...y]);
    layers.forEach((_, l) => {
      const below = l === 0 ? frame(Math.floor((t * frames) / iterations)) : unit(before[l - 1]!);
      const above = l + 1 < layers.length ? unit(before[l + 1]!) : top;
      states[l] = relu(l, below, above).map((y, j) => damping * before[l]![j]! + (1 - damping) * y);
    });
    if (t + 1 < scored[0] || t + 1 > scored[1]) continue;
    for (const y of states) total += y.reduce((sum, v) => sum + v * v, 0) / y.length / (scored[1] - scored[0] + 1);
  }
  return total;
}

describe('a recurrent network', () => {
  it.each<[string, ShapeOptions, Dataset]>([
    ['a still image', SHAPE, bars(6, 3)],
    ['frames with complements', { ...SHAPE, recurrent: { frames: 4, damping: 0.5 } }, wanderers(6, 3)],
    ['frames of images', { ...SHAPE, recurrent: { frames: 2, iterations: 3 }, hidden: [10] }, bars(6, 3)],
    ['three layers', { ...SHAPE, hidden: [12, 9, 7] }, bars(6, 3)],
  ])('scores %s as it is defined', (_, shape, data) => {
    const network = createNetwork(shapeFor(data, shape), new Random(4));
    const goodness = labelGoodness(network, data.inputs, data.count);
    const { width, count } = data;
    for (let s = 0; s < count; s++) {
      const sample = [...data.inputs.subarray(s * width, (s + 1) * width)];
      for (let c = 0; c < network.classes; c++) {
        expect(goodness[s * network.classes + c]).toBeCloseTo(expected(network, sample, c), 4);
      }
    }
  });

  it('scores a sample that shows nothing at all', () => {
    const data = bars(3, 1);
    const network = createNetwork(shapeFor(data, SHAPE), new Random(4));
    const goodness = labelGoodness(network, new Uint8Array(64), 1);
    for (let c = 0; c < 3; c++) expect(goodness[c]).toBeCloseTo(expected(network, new Array(64).fill(0), c), 4);
  });

  it('moves in training as it does when it answers', () => {
    const data = bars(20, 2);
    const trainer = trainerOn(data, SHAPE, {
      dropout: 0,
      inputDropout: 0,
      augmentation: { shift: 0 },
    });
    const network = trainer.network();
    const reports = trainer.step(data.inputs, data.labels, 0);
    const all = scoredFor(network, [1, 8]);
    const goodness = labelGoodness(all, data.inputs, data.count);
    let mean = 0;
    data.labels.forEach((truth, s) => {
      mean += goodness[s * 3 + truth]! / data.count;
    });
    expect(reports.reduce((sum, { positive }) => sum + positive, 0)).toBeCloseTo(mean, 4);
  });

  it.each(BACKENDS)('learns the slope of its loss, as numerical differentiation has it: %s', async (name) => {
    const random = new Random(5);
    const [rows, inputs, outputs, share, theta] = [6, 5, 8, 0.3, 0.4];
    const source = Float32Array.from({ length: rows * inputs }, () => Math.abs(random.normal()));
    const before = Float32Array.from({ length: rows * outputs }, () => Math.abs(random.normal()));
    const weights = Float32Array.from({ length: inputs * outputs }, () => random.normal());
    const config: LayerTrainerConfig = {
      groups: 1,
      goodness: { kind: 'mean-squares' },
      optimizer: { kind: 'sgd', momentum: 0, weightDecay: 0 },
      threshold: { kind: 'width' },
      theta,
      peer: 0,
      norm: 'free',
      centring: 0,
    };
    const loss = { theta, contrast: 0, temperature: 1, softness: 0.5, negativeWeight: 1, collaboration: 0 };
    const slopes = new Float32Array(rows);
    const used = await selectBackend(name);
    const at = (w: Float32Array): { value: number; layer: LayerTrainer } => {
      const layer = new LayerTrainer({ inputs, outputs, weights: w }, config, used);
      layer.forward(source, rows, 0, random, { before, share });
      return { value: thresholdLoss(loss, layer.goodness, 3, rows, slopes), layer };
    };
    const { layer } = at(weights);
    const old = layer.weights.values.slice();
    layer.update(slopes, 1, 3);
    const [step, checked] = [1e-2, 20];
    for (let k = 0; k < checked; k++) {
      const [up, down] = [weights.slice(), weights.slice()];
      up[k] = up[k]! + step;
      down[k] = down[k]! - step;
      const slope = (at(up).value - at(down).value) / (2 * step);
      expect(old[k]! - layer.weights.values[k]!).toBeCloseTo(slope, 3);
    }
  });

  it('learns still images, by goodness and by its read-out', async () => {
    const data = bars(600, 1);
    const trainer = trainerOn(data);
    await trainer.fit(data, { epochs: 15, batch: 20 });
    const { error, readoutError } = evaluate(trainer.network(), bars(300, 2));
    expect(error).toBeLessThan(6);
    expect(readoutError).toBeLessThan(6);
  });

  it('learns what only a sequence of frames tells', async () => {
    const data = wanderers(400, 1);
    const shape: ShapeOptions = { ...SHAPE, recurrent: { frames: 4 }, preprocessing: { encoding: 'plain' } };
    const trainer = trainerOn(data, shape, { dropout: 0, inputDropout: 0 });
    await trainer.fit(data, { epochs: 40, batch: 20 });
    expect(evaluate(trainer.network(), wanderers(200, 2)).error).toBeLessThan(6);
    // The same network on the first frame alone is left to guess.
    const still = wanderers(200, 2);
    for (let s = 0; s < still.count; s++) {
      const first = still.inputs.slice(s * 24, s * 24 + 6);
      for (let frame = 1; frame < 4; frame++) still.inputs.set(first, s * 24 + frame * 6);
    }
    expect(evaluate(trainer.network(), still).error).toBeGreaterThan(25);
  });

  it('is the same from the same seed, and after a stop', async () => {
    const data = bars(120, 1);
    const plan = { epochs: 4, batch: 20 };
    const whole = trainerOn(data);
    await whole.fit(data, plan);
    const again = trainerOn(data);
    await again.fit(data, plan);
    expect(again.network()).toEqual(whole.network());
    const stopped = trainerOn(data);
    const stop = new AbortController();
    await stopped.fit(data, {
      ...plan,
      signal: stop.signal,
      reportEvery: 1,
      onProgress: ({ step }) => {
        if (step === 9) stop.abort();
      },
    });
    const bytes = encodeCheckpoint(stopped.checkpoint(data));
    const resumed = Trainer.restore(decodeCheckpoint(bytes), backend);
    await resumed.resume(data);
    expect(resumed.network()).toEqual(whole.network());
    expect(resumed.network().recurrent).toEqual({ iterations: 8, damping: 0.3, scored: [3, 5], frames: 1 });
  });

  it('has no device image, and says why', () => {
    const data = bars(30, 1);
    const network = createNetwork(shapeFor(data, SHAPE), new Random(1));
    expect(hostOnly(network)).toMatch(/see those above/);
    expect(() => quantize(network, { calibration: data })).toThrow(/no device image/);
  });

  it('reads out its first pass, in which labels have no part', () => {
    const data = bars(5, 1);
    const trainer = trainerOn(data);
    const { readout, ...network } = trainer.network();
    readout!.layer.weights.set(readout!.layer.weights.map((_, i) => (i % 7) - 3));
    const scores = readoutScores({ ...network, readout: readout! }, data.inputs, data.count, plainProduct);
    expect(new Set(scores).size).toBeGreaterThan(3);
  });

  it.each<[string, ShapeOptions, RegExp]>([
    ['another objective', { hidden: [9], recurrent: {} }, /the label above them/],
    ['scored iterations beyond the last', { ...SHAPE, recurrent: { scored: [3, 9] } }, /that are scored/],
    ['frames that are not equal', { ...SHAPE, recurrent: { frames: 3 } }, /number of frames/],
    ['more frames than iterations', { ...SHAPE, recurrent: { frames: 16 } }, /number of frames/],
    ['local fields', { ...SHAPE, fields: [{ size: 4, stride: 4 }] }, /see everything/],
  ])('refuses %s', (_, shape, message) => {
    expect(() => createNetwork(shapeFor(bars(3, 1), shape), new Random(1))).toThrow(message);
  });
});

describe('dropout', () => {
  it.each<[string, ShapeOptions]>([
    ['feed-forward', { hidden: [30], objective: 'label' }],
    ['recurrent', { hidden: [30], objective: 'label', recurrent: {} }],
  ])('leaves labels alone in %s layers', (_, options) => {
    const data = bars(3, 1);
    const shape = shapeFor(data, options);
    const config = completeConfig({ inputDropout: 0.9, dropout: 0.9 }, surroundingsOf(shape, data.geometry));
    const network = createNetwork(shape, new Random(1));
    const { recurrent } = network;
    const stack =
      recurrent === undefined
        ? new Stack(network, config, backend)
        : new RecurrentStack({ ...network, recurrent }, config, backend);
    // Samples that show nothing but their labels.
    const source = new Uint8Array(60 * 67);
    for (let r = 0; r < 60; r++) source[r * 67 + (r % 3)] = 255;
    const random = new Random(1);
    stack.forward(source, 60, random);
    if (recurrent !== undefined) stack.iterate(0);
    expect(stack.layers[0]!.goodness.every((g) => g > 0)).toBe(true);
    // And of what they do show, much is dropped.
    source.fill(200);
    stack.forward(source, 60, random);
    expect(new Set(stack.layers[0]!.goodness).size).toBeGreaterThan(20);
    stack.forward(source, 60, random, false);
    expect(new Set(stack.layers[0]!.goodness).size).toBe(1);
  });
});

/** The network with other iterations scored. */
function scoredFor(network: Network, scored: readonly [number, number]): Network {
  return { ...network, recurrent: { ...network.recurrent!, scored } };
}
