import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { BYTE_SCALING, type Dataset, sample, selectClasses } from '../../src/data/dataset.js';
import { decodeImage, encodeImage } from '../../src/format/image.js';
import { FLAG } from '../../src/format/message.js';
import { metaOf } from '../../src/format/meta.js';
import { applyPatch, diffPatch } from '../../src/format/patch.js';
import { dequantize, requantize } from '../../src/quantize/dequantize.js';
import { evaluateModel } from '../../src/quantize/evaluation.js';
import { calibrate, quantize, scoreUnit, thetaScore } from '../../src/quantize/quantize.js';
import { scoreDataset } from '../../src/quantize/scores.js';
import { Reference } from '../../src/reference/reference.js';
import { selectBackend } from '../../src/train/backend.js';
import { evaluate } from '../../src/train/evaluation.js';
import { labelGoodness } from '../../src/train/forward.js';
import { createNetwork, type Network, type NetworkShape, shapeOf } from '../../src/train/network.js';
import { Trainer } from '../../src/train/trainer.js';

const CLASSES = 4;
const WIDTH = 24;

/** Samples around one random pattern per class. */
function blobs(seed: number, count: number, noise = 12): Dataset {
  const patterns = new Random(1);
  const centres = Array.from({ length: CLASSES }, () =>
    Array.from({ length: WIDTH }, () => (patterns.integer(3) === 0 ? 40 + patterns.integer(180) : 0)),
  );
  const random = new Random(seed);
  const labels = Uint8Array.from({ length: count }, (_, s) => s % CLASSES);
  const inputs = Uint8Array.from({ length: count * WIDTH }, (_, k) => {
    const v = centres[labels[Math.floor(k / WIDTH)]!]![k % WIDTH]! + noise * random.normal();
    return Math.max(0, Math.min(255, Math.round(v)));
  });
  const classes = ['north', 'east', 'south', 'west'];
  return { name: 'blobs', inputs, labels, count, width: WIDTH, classes, scaling: BYTE_SCALING };
}

/** A network whose groups look for the mean of their class, among random neurons: fair without training. */
function matched(
  hidden: readonly number[],
  objective: 'partitioned' | 'label' = 'partitioned',
  encoding: 'plain' | 'complement' = 'plain',
): Network {
  const shape: NetworkShape = {
    width: WIDTH,
    classes: CLASSES,
    objective,
    preprocessing: { subtractMin: false, encoding },
    labelValue: 255,
    theta: 2,
    hidden,
  };
  const network = createNetwork(shape, new Random(5), 0.7);
  if (objective === 'label') return network;
  const data = blobs(2, 400);
  const [first, second] = network.layers;
  for (let s = 0; s < data.count; s++) {
    for (let j = 0; j < first!.outputs; j++) {
      if (Math.floor((j * CLASSES) / first!.outputs) !== data.labels[s]) continue;
      for (let i = 0; i < WIDTH; i++) {
        const at = i * first!.outputs + j;
        first!.weights[at] = first!.weights[at]! + (data.inputs[s * WIDTH + i]! - 40) / 80000;
      }
    }
  }
  if (second !== undefined) {
    for (let i = 0; i < second.inputs; i++) {
      for (let j = 0; j < second.outputs; j++) {
        const same = Math.floor((i * CLASSES) / second.inputs) === Math.floor((j * CLASSES) / second.outputs);
        const at = i * second.outputs + j;
        second.weights[at] = 0.3 * second.weights[at]! + (same ? 0.1 : -0.02);
      }
    }
  }
  return network;
}

const train = blobs(10, 600);
const test = blobs(11, 400);
const network = matched([16, 12]);
const { model, report } = quantize(network, { calibration: train, seed: 3 });

describe('quantize', () => {
  it('gives a valid image', () => {
    expect(decodeImage(encodeImage(model))).toEqual(model);
    expect(report.imageBytes).toBe(encodeImage(model).length);
  });

  it('keeps the accuracy of a trained network within a sample in a hundred, and its thresholds', async () => {
    const [noisy, unseen] = [blobs(20, 800, 45), blobs(21, 800, 45)];
    const shape = shapeOf(matched([32, 32]));
    const trainer = new Trainer({ backend: await selectBackend(), seed: 1, shape });
    await trainer.fit(noisy, { epochs: 30, batch: 50 });
    const float = evaluate(trainer.network(), unseen);
    const integer = evaluateModel(
      quantize(trainer.network(), { calibration: noisy, thresholds: 'theta' }).model,
      unseen,
    );
    expect(float.error).toBeLessThan(20);
    expect(Math.abs(integer.error - float.error)).toBeLessThanOrEqual(1);
    expect(Math.abs(integer.falseReject - float.falseReject)).toBeLessThanOrEqual(1);
    expect(Math.abs(integer.falseAccept - float.falseAccept)).toBeLessThanOrEqual(1);
  });

  it('gives scores that are the float goodness in other units', () => {
    const scores = scoreDataset(model, test);
    const goodness = labelGoodness(network, test.inputs, test.count);
    const unit = scoreUnit(model);
    for (let k = 0; k < scores.length; k++) {
      expect(Math.abs(scores[k]! / unit - goodness[k]!)).toBeLessThan(0.03 * goodness[k]! + 0.05);
    }
    // theta is 2 in each of two layers.
    expect(thetaScore(model) / unit).toBeCloseTo(4, 2);
  });

  it.each([
    ['a network with its label in the input', matched([20, 10], 'label')],
    ['complement encoding', matched([16], 'partitioned', 'complement')],
    ['a wide layer', matched([1024])],
    ['groups of one neuron', matched([4, 4])],
  ])('follows the float goodness of %s', (_, net) => {
    const { model: m } = quantize(net, { calibration: train });
    const scores = scoreDataset(m, test);
    const goodness = labelGoodness(net, test.inputs, test.count);
    const unit = scoreUnit(m);
    let difference = 0;
    let whole = 0;
    for (let k = 0; k < scores.length; k++) {
      difference += (scores[k]! / unit - goodness[k]!) ** 2;
      whole += goodness[k]! ** 2;
    }
    expect(Math.sqrt(difference / whole)).toBeLessThan(0.03);
    for (const layer of m.layers) expect(layer.activityMax).toBeGreaterThanOrEqual(8 * layer.outputUnit);
  });

  it('evaluates sample by sample as the reference does', () => {
    const reference = new Reference(model);
    const got = evaluateModel(model, test);
    let [wrong, rejected, accepted, novel] = [0, 0, 0, 0];
    for (let s = 0; s < test.count; s++) {
      const { class: cls, flags } = reference.infer(sample(test, s), test.labels[s]);
      expect(got.classes[s]).toBe(cls);
      if ((flags & FLAG.correct) === 0) wrong++;
      if (flags & FLAG.falseReject) rejected++;
      if (flags & FLAG.falseAccept) accepted++;
      if (flags & FLAG.novel) novel++;
    }
    expect([got.error, got.falseReject, got.falseAccept, got.novel].map((r) => (r * test.count) / 100)).toEqual([
      wrong,
      rejected,
      accepted,
      novel,
    ]);
    expect(got.confusion.reduce((a, b) => a + b, 0)).toBe(test.count);
  });

  it('balances false rejects and false accepts on the calibration data, and calls a twentieth of them novel', () => {
    const { falseReject, falseAccept, novel } = report.calibration;
    expect(Math.abs(falseReject - falseAccept)).toBeLessThan(1);
    expect(novel).toBeCloseTo(5, 0);
  });

  it('starts the running means where the data are, and clips hardly anything', () => {
    const reference = new Reference({
      ...model,
      state: { ...model.state, layers: model.state.layers.map((layer) => ({ ...layer, rate: 0 })) },
    });
    for (let s = 0; s < train.count; s++) reference.learn(sample(train, s), train.labels[s]!);
    reference.toModel().state.means.forEach((means, l) => {
      const total = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);
      expect(total(means) / total(model.state.means[l]!)).toBeCloseTo(1, 1);
    });
    for (const layer of report.layers) {
      expect(layer.clippedInputs).toBeLessThan(1e-3);
      expect(layer.saturated).toBeLessThan(1e-4);
      expect(layer.clippedWeights).toBe(0);
      expect(layer.weightError).toBeLessThan(0.02);
    }
  });

  it('is the same for the same seed, and gives another random state for another', () => {
    const again = quantize(network, { calibration: train, seed: 3 });
    expect(encodeImage(again.model)).toEqual(encodeImage(model));
    expect(quantize(network, { calibration: train, seed: 4 }).model.state.random).not.toBe(model.state.random);
  });

  it('takes scales that are given, and learning parameters', () => {
    const { model: m } = quantize(network, {
      calibration: train,
      scales: [0.01, 0.02],
      learning: { tau: 77, rates: [0, 0.5] },
      meta: { created: 'test', zone: 3 },
    });
    expect(m.layers.map((l) => l.scale)).toEqual([Math.fround(0.01), Math.fround(0.02)]);
    expect(m.state.tau).toBe(77);
    expect(m.state.layers[0]!.rate).toBe(0);
    expect(m.state.layers[1]!.rate).toBeGreaterThan(0);
    expect(metaOf(m)).toMatchObject({ classes: train.classes, dataset: 'blobs', created: 'test', zone: 3 });
    expect(quantize(network, { calibration: train, learns: false }).model.layers.some((l) => l.learns)).toBe(false);
  });

  it('spends few bits on the many small weights, and eight on the largest one as well', () => {
    const scalesOf = (bits: number, scales?: 'fit' | 'largest'): number[] =>
      quantize(network, { calibration: train, bits, ...(scales === undefined ? {} : { scales }) }).model.layers.map(
        ({ scale }) => scale,
      );
    for (const bits of [2, 3, 4]) expect(scalesOf(bits)).toEqual(scalesOf(bits, 'fit'));
    expect(scalesOf(8)).toEqual(scalesOf(8, 'largest'));
    expect(scalesOf(3)[0]).toBeLessThan(scalesOf(3, 'largest')[0]!);
  });

  it('gives a class that is not in the calibration data the threshold of training', () => {
    const { model: m } = quantize(network, { calibration: selectClasses(train, [0, 1, 2]) });
    expect(m.state.thresholds[3]).toBe(thetaScore(m));
  });

  it('refuses what it can not do', () => {
    const code = (text: string) => expect.objectContaining({ code: text });
    expect(() => quantize(network, { calibration: train, bits: 5 })).toThrow(code('quantize.bits'));
    expect(() => quantize(network, { calibration: { ...train, width: 12 } })).toThrow(code('quantize.data'));
    expect(() => quantize(network, { calibration: { ...train, count: 0 } })).toThrow(code('quantize.data'));
    expect(() => quantize(network, { calibration: train, scales: [1] })).toThrow(code('quantize.scale'));
    expect(() => quantize(network, { calibration: train, scales: [1, 0] })).toThrow(code('quantize.scale'));
    expect(() => quantize(matched([4100]), { calibration: train })).toThrow(code('quantize.limit'));
    const broken = {
      ...network,
      layers: network.layers.map((l) => ({ ...l, weights: l.weights.map(() => Number.NaN) })),
    };
    expect(() => quantize(broken, { calibration: train })).toThrow(code('network.weights'));
  });
});

describe('dequantize and requantize', () => {
  it('lead back to the same weights', () => {
    const float = dequantize(model);
    expect(float.theta).toBeCloseTo(network.theta, 3);
    expect(float.preprocessing).toEqual(network.preprocessing);
    const back = requantize(float, model);
    expect(back.clipped).toBe(0);
    expect(encodeImage(back.model)).toEqual(encodeImage(model));
  });

  it('keep scales and shifts for new weights, so that a patch carries the change', () => {
    const float = dequantize(model);
    const moved = {
      ...float,
      layers: float.layers.map((l, k) => ({ ...l, weights: l.weights.map((w) => w + model.layers[k]!.scale * 3) })),
    };
    const { model: next } = requantize(moved, model, { calibration: train });
    expect(next.layers.map((l) => l.scale)).toEqual(model.layers.map((l) => l.scale));
    expect(next.state.baseId).not.toBe(model.state.baseId);
    const { patch, clipped } = diffPatch(model, next, 9);
    expect(clipped).toBe(0);
    expect(encodeImage(applyPatch(model, patch, 9))).toEqual(encodeImage(next));
    expect(requantize(float, model, { baseId: 4 }).model.state.baseId).toBe(4);
  });

  it('count weights that no longer fit', () => {
    const float = dequantize(model);
    const far = { ...float, layers: float.layers.map((l) => ({ ...l, weights: l.weights.map(() => 1e6) })) };
    expect(requantize(far, model).clipped).toBe(24 * 16 + 16 * 12);
  });

  it('refuse another shape, and images without scales', () => {
    expect(() => requantize(matched([8, 12]), model)).toThrow(expect.objectContaining({ code: 'quantize.shape' }));
    const blank = { ...model, layers: model.layers.map((l) => ({ ...l, scale: 0 })) };
    expect(() => dequantize(blank)).toThrow(expect.objectContaining({ code: 'quantize.scale' }));
  });

  it('calibrate leaves weights and thetas alone', () => {
    const { model: m } = calibrate(model, test);
    expect(m.layers).toEqual(model.layers);
    expect(m.state.layers).toEqual(model.state.layers);
    expect(m.state.thresholds).not.toEqual(model.state.thresholds);
  });
});
