import { describe, expect, it } from 'vitest';
import { GoodnessError } from '../../src/base/errors.js';
import { Random } from '../../src/base/random.js';
import { selectBackend } from '../../src/train/backend.js';
import { completeConfig, type PartialTrainConfig, planFor, shapeFor, surroundingsOf } from '../../src/train/config.js';
import { backendProduct, labelGoodness } from '../../src/train/forward.js';
import { createNetwork, type Network, validateNetwork, validateShape } from '../../src/train/network.js';
import { BACKENDS } from './backends.js';
import { bars, blobs } from './blobs.js';

function failure(action: () => unknown): GoodnessError {
  try {
    action();
  } catch (error) {
    if (error instanceof GoodnessError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('the shape of a network', () => {
  it('names the nearest valid size where a layer cannot be split among the classes', () => {
    const error = failure(() => validateShape(shapeFor(blobs(3, 1), { hidden: [30, 31] })));
    expect(error.code).toBe('network.shape');
    expect(error.message).toContain('layer 2');
    expect(error.message).toContain('nearest valid size is 30');
    expect(failure(() => validateShape(shapeFor(blobs(3, 1), { hidden: [1] }))).message).toContain('size is 3');
  });

  it('may have layers of any size where the label is in the input', () => {
    validateShape(shapeFor(blobs(3, 1), { hidden: [31, 7], objective: 'label' }));
  });

  it.each([
    { hidden: [] },
    { hidden: [0] },
    { hidden: [1.5] },
    { hidden: [3], theta: 0 },
    { hidden: [3], labelValue: 256 },
  ])('is refused when it makes no sense: %j', (options) => {
    expect(failure(() => validateShape(shapeFor(blobs(3, 1), options))).code).toBe('network.shape');
  });

  it('takes its preprocessing from the kind of data', () => {
    expect(shapeFor(bars(3, 1), { hidden: [3] }).preprocessing).toEqual({ subtractMin: true, encoding: 'plain' });
    expect(shapeFor(blobs(3, 1), { hidden: [3] }).preprocessing).toEqual({
      subtractMin: false,
      encoding: 'complement',
    });
  });

  it('decides the inputs of the first layer', () => {
    const inputs = (network: Network): number => network.layers[0]!.inputs;
    expect(inputs(createNetwork(shapeFor(bars(3, 1), { hidden: [6] }), new Random(1)))).toBe(64);
    expect(inputs(createNetwork(shapeFor(blobs(3, 1), { hidden: [6] }), new Random(1)))).toBe(12);
    expect(inputs(createNetwork(shapeFor(blobs(3, 1), { hidden: [6], objective: 'label' }), new Random(1)))).toBe(15);
  });
});

describe('weights', () => {
  it('are refused when they do not fit or are no numbers', () => {
    const network = createNetwork(shapeFor(bars(3, 1), { hidden: [6, 6] }), new Random(1));
    validateNetwork(network);
    const [first, second] = network.layers;
    const short = { ...network, layers: [{ ...first!, weights: new Float32Array(5) }, second!] };
    expect(failure(() => validateNetwork(short)).code).toBe('network.weights');
    const bad = { ...network, layers: [first!, { ...second!, weights: second!.weights.map(() => Number.NaN) }] };
    expect(failure(() => validateNetwork(bad)).code).toBe('network.weights');
  });
});

describe('the forward pass', () => {
  it('computes goodness as worked out by hand', () => {
    const network: Network = {
      width: 2,
      classes: 2,
      objective: 'partitioned',
      preprocessing: { subtractMin: false, encoding: 'plain' },
      labelValue: 255,
      theta: 2,
      layers: [
        { inputs: 2, outputs: 2, weights: Float32Array.of(1, -1, 0, 2) },
        { inputs: 2, outputs: 2, weights: Float32Array.of(0.5, 1, 1, 1) },
      ],
    };
    // (3, 4) at mean square 1 is (3, 4) * sqrt(2) / 5; y = (3, 5) * sqrt(2) / 5; goodness (18, 50) / 25.
    // (3, 5) * sqrt(2 / 34): y = (6.5, 8) * sqrt(2 / 34); goodness (42.25, 64) / 17.
    const goodness = labelGoodness(network, Uint8Array.of(3, 4), 1);
    expect(goodness[0]).toBeCloseTo(18 / 25 + 42.25 / 17, 5);
    expect(goodness[1]).toBeCloseTo(50 / 25 + 64 / 17, 5);
  });

  it.each(BACKENDS.flatMap((name) => [['partitioned', name] as const, ['label', name] as const]))(
    'is the same on a backend (%s, %s)',
    async (objective, name) => {
      const backend = await selectBackend(name);
      const data = blobs(20, 1);
      const network = createNetwork(shapeFor(data, { hidden: [9, 6, 3], objective }), new Random(2));
      const plain = labelGoodness(network, data.inputs, data.count);
      const fast = labelGoodness(network, data.inputs, data.count, backendProduct(backend));
      for (const [i, g] of fast.entries()) expect(g).toBeCloseTo(plain[i]!, 4);
    },
  );

  it('does not depend on the brightness of a sample, and takes a blank one as zeros', () => {
    const network = createNetwork(shapeFor(bars(3, 1), { hidden: [6, 6] }), new Random(1));
    const sample = Uint8Array.from({ length: 64 }, (_, i) => (i % 5) * 10);
    const bright = sample.map((b) => b * 5);
    const one = labelGoodness(network, sample, 1);
    for (const [c, g] of labelGoodness(network, bright, 1).entries()) expect(g).toBeCloseTo(one[c]!, 4);
    expect([...labelGoodness(network, new Uint8Array(64).fill(9), 1)]).toEqual([0, 0, 0]);
  });

  it('puts each label in turn in front of the sample where the label is in the input', () => {
    const network = createNetwork(
      shapeFor(blobs(3, 1), { hidden: [5], objective: 'label', labelValue: 100 }),
      new Random(2),
    );
    const sample = Uint8Array.of(10, 20, 30, 40, 50, 60);
    const encoded = [...sample, ...sample.map((b) => 255 - b)];
    const { weights } = network.layers[0]!;
    const got = labelGoodness(network, sample, 1);
    for (let c = 0; c < 3; c++) {
      const x = [0, 0, 0, ...encoded];
      x[c] = 100;
      const squares = x.reduce((a, b) => a + b * b, 0);
      let goodness = 0;
      for (let j = 0; j < 5; j++) {
        const z = x.reduce((sum, v, i) => sum + v * weights[i * 5 + j]!, 0) * Math.sqrt(15 / squares);
        goodness += Math.max(0, z) ** 2 / 5;
      }
      expect(got[c]).toBeCloseTo(goodness, 4);
    }
  });
});

describe('the recipe', () => {
  const around = surroundingsOf(shapeFor(blobs(3, 1), { hidden: [6] }), undefined);

  it.each([
    { loss: { theta: -1 } },
    { loss: { temperature: 0 } },
    { loss: { contrast: 2 } },
    { learningRate: Number.NaN },
    { dropout: 1 },
    { augmentation: { shift: 0.5 } },
    { quantization: { bits: 1 } },
    { quantization: { bits: 8, scales: [0] } },
  ])('is refused when it makes no sense: %j', (config) => {
    expect(failure(() => completeConfig(config as PartialTrainConfig, around)).code).toBe('train.config');
  });

  it('gives small data sets enough steps, and never a batch larger than the data', () => {
    for (const count of [1, 9, 150, 600, 5000, 60000]) {
      const { epochs, batch } = planFor(count);
      expect(batch).toBeLessThanOrEqual(count);
      expect(epochs * Math.ceil(count / batch)).toBeGreaterThanOrEqual(6000);
    }
    expect(planFor(60000)).toEqual({ epochs: 20, batch: 100 });
  });
});
