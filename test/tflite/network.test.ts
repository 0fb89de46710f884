import { beforeAll, describe, expect, it } from 'vitest';
import { BYTE_SCALING, type Dataset, slice } from '../../src/data/dataset.js';
import { generateGestures } from '../../src/data/gestures.js';
import { loadMnist } from '../../src/data/mnist.js';
import { fitScaling } from '../../src/data/scaling.js';
import { splitTable } from '../../src/data/table.js';
import type { Model } from '../../src/format/model.js';
import { scoreDataset } from '../../src/quantize/scores.js';
import { compareTflite, EQUAL_ENOUGH } from '../../src/tflite/comparison.js';
import { exportTflite } from '../../src/tflite/network.js';
import { randomInputs, randomModel } from '../golden/random-model.js';
import { digits, trained } from './support/trained.js';

/** Random samples for a model, labelled with the classes that the reference gives them. */
function samplesFor(model: Model, count: number): Dataset {
  const inputs = Uint8Array.from(randomInputs(9, count, model.rawInputs).flatMap((bytes) => [...bytes]));
  const classes = Array.from({ length: model.classes }, (_, c) => `class ${c}`);
  const data = { name: 'random', inputs, labels: new Uint8Array(count), count, width: model.rawInputs, classes };
  const scores = scoreDataset(model, { ...data, scaling: BYTE_SCALING });
  const labels = Uint8Array.from({ length: count }, (_, s) => {
    const own = scores.subarray(s * model.classes, (s + 1) * model.classes);
    return own.indexOf(Math.max(...own));
  });
  return { ...data, labels, scaling: BYTE_SCALING };
}

describe('an exported network in the runtime of TensorFlow Lite', { timeout: 60_000 }, () => {
  const base = { seed: 3, rawInputs: 20, classes: 4, hidden: [24, 16] } as const;

  it.each([
    ['plain', {}],
    ['with its smallest byte taken off', { subtractMin: true }],
    ['with complements', { encoding: 'complement' }],
    ['with both', { encoding: 'complement', subtractMin: true }],
    ['of one layer', { hidden: [16] }],
    ['of eight layers', { hidden: [16, 8, 12, 8, 8, 12, 8, 8] }],
    ['of one class', { classes: 1 }],
    ['whose activities reach their bound', { activityMax: 300 }],
    ['of weights of -127 and 127', { extreme: true, outputShift: 8 }],
    ['with a long input', { lengthShift: 12 }],
    ['with weights of 4, 3 and 2 bits', { hidden: [24, 16, 16], bits: [4, 3, 2], outputShift: 2 }],
    ['with inputs of 4 bits', { inputBits: 4, lengthShift: 6, outputShift: 2 }],
    ['with inputs of 4 bits that reach their end', { inputBits: [4, 8], lengthShift: 10 }],
  ] as const)('computes in 16 bits what SPEC.md says, %s', async (_, options) => {
    const model = randomModel({ ...base, ...options });
    const data = samplesFor(model, 60);
    const { samples, different, goodness } = await compareTflite(model, exportTflite(model, { activations: 16 }), data);
    expect(samples).toBe(60);
    expect(different).toBe(0);
    expect(goodness.largest).toBeLessThan(1e-4);
  });

  it('is near it in 8 bits even with random weights', async () => {
    const model = randomModel(base);
    const { different, goodness } = await compareTflite(model, exportTflite(model), samplesFor(model, 200));
    expect(different).toBeLessThanOrEqual(10);
    expect(goodness.mean).toBeLessThan(0.02);
  });

  it('refuses networks with the label in the input, and data of other widths', async () => {
    const label = randomModel({ ...base, objective: 'label' });
    expect(() => exportTflite(label)).toThrow(/label in its input/);
    expect(() => exportTflite(randomModel({ ...base, layersBelow: 1 }))).toThrow(/upper layers of a network/);
    const model = randomModel(base);
    const other = randomModel({ ...base, rawInputs: 21 });
    await expect(compareTflite(model, exportTflite(other), samplesFor(model, 10))).rejects.toMatchObject({
      code: 'tflite.shape',
    });
  });

  it('finds another network out', async () => {
    const model = randomModel(base);
    const other = randomModel({ ...base, seed: 4 });
    const { equal } = await compareTflite(model, exportTflite(other), samplesFor(model, 100));
    expect(equal).toBeLessThan(60);
  });
});

describe('a trained network, exported', () => {
  let model: Model;
  let test: Dataset;
  beforeAll(async () => {
    ({ model, test } = await digits());
  }, 120_000);

  it('puts at least 99.9% of 10,000 digits into the same class in int8, and is as good', async () => {
    const { samples, equal, error, goodness } = await compareTflite(model, exportTflite(model), test);
    expect(samples).toBe(10_000);
    expect(equal).toBeGreaterThanOrEqual(EQUAL_ENOUGH);
    expect(error.reference).toBeLessThan(6);
    expect(Math.abs(error.tflite - error.reference)).toBeLessThanOrEqual(0.1);
    expect(goodness.mean).toBeLessThan(0.005);
  }, 60_000);

  it('puts all of them into the same class with 16 bits between the layers', async () => {
    const file = exportTflite(model, { activations: 16 });
    const { different, goodness } = await compareTflite(model, file, slice(test, 0, 2000));
    expect(different).toBe(0);
    expect(goodness.largest).toBeLessThan(1e-5);
  }, 60_000);

  it('is the same with weights and inputs of 4 bits', async () => {
    const { train } = await loadMnist();
    const small = await trained(slice(train, 0, 8000), [60, 60], 6, { bits: 4, inputBits: 4 });
    expect(small.layers.map((layer) => [layer.weightBits, layer.inputBits])).toEqual([
      [4, 4],
      [4, 4],
    ]);
    const in8 = await compareTflite(small, exportTflite(small), test);
    expect(in8.equal).toBeGreaterThanOrEqual(99.8);
    const in16 = await compareTflite(small, exportTflite(small, { activations: 16 }), slice(test, 0, 2000));
    expect(in16.different).toBe(0);
  }, 60_000);

  it('needs 16 bits for vectors with complements, where classes differ by little', async () => {
    const table = generateGestures({ seed: 3, perClass: 400 });
    const split = splitTable(table, { seed: 3, scaling: fitScaling(table.values, table.width, 0.25) });
    const gestures = await trained(split.train, [24, 24], 20);
    expect(gestures.encoding).toBe('complement');
    const in8 = await compareTflite(gestures, exportTflite(gestures), split.test);
    const in16 = await compareTflite(gestures, exportTflite(gestures, { activations: 16 }), split.test);
    expect(in8.equal).toBeGreaterThan(99);
    expect(in8.goodness.mean).toBeLessThan(0.01);
    expect(in16.different).toBe(0);
    expect(in16.goodness.largest).toBeLessThan(1e-5);
  }, 60_000);
});
