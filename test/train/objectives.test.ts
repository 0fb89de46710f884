import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { type Backend, selectBackend } from '../../src/train/backend.js';
import { type PartialTrainConfig, type ShapeOptions, shapeFor } from '../../src/train/config.js';
import { evaluate, summedThreshold } from '../../src/train/evaluation.js';
import { layerGoodness } from '../../src/train/forward.js';
import { asOneClass } from '../../src/train/negatives/others.js';
import { createNetwork, type Network, thresholdOf } from '../../src/train/network.js';
import { keepPhase, partitionedLoss } from '../../src/train/objectives/losses.js';
import { auroc, quantile } from '../../src/train/objectives/novelty.js';
import { gatherFeatures, readoutScores, softmax } from '../../src/train/objectives/readout.js';
import type { FitOptions } from '../../src/train/run.js';
import { Trainer } from '../../src/train/trainer.js';
import { bars, blobs } from './blobs.js';

let backend: Backend;
beforeAll(async () => {
  backend = await selectBackend('simd', { threads: 1 });
});

/** Trains on bars and says the error on fresh ones. */
async function trained(
  shape: Omit<ShapeOptions, 'hidden'> & { readonly hidden?: readonly number[] },
  config: PartialTrainConfig,
  options: FitOptions = { epochs: 20, batch: 20 },
): Promise<{ readonly trainer: Trainer; readonly network: Network; readonly error: number }> {
  const data = bars(600, 1);
  const trainer = new Trainer({
    backend,
    seed: 1,
    shape: shapeFor(data, { hidden: [48, 24], ...shape }),
    config: { augmentation: { shift: 0 }, ...config },
    geometry: data.geometry!,
  });
  await trainer.fit(data, options);
  const network = trainer.network();
  return { trainer, network, error: evaluate(network, bars(300, 2)).error };
}

describe('every kind of goodness', () => {
  it.each([
    ['sum-squares', {}],
    ['mean-absolute', {}],
    ['top-k', {}],
    ['mean-squares', { threshold: 'learned' }],
    ['mean-squares', { threshold: 'follow' }],
    ['sum-squares', { threshold: 'learned' }],
  ] as const)('teaches class-partitioned layers: %s %j', async (goodness, config) => {
    const { error, network } = await trained({ goodness }, config);
    expect(error).toBeLessThan(6);
    if ('threshold' in config) {
      expect(network.thresholds).toHaveLength(2);
      expect(thresholdOf(network, 0)).not.toBe(
        thresholdOf(createNetwork(shapeFor(bars(1, 1), { goodness, hidden: [48, 24] }), new Random(1)), 0),
      );
    } else expect(network.thresholds).toBeUndefined();
  });

  it.each(['sum-squares', 'minus-sum-squares', 'mean-absolute', 'top-k'] as const)(
    'teaches layers with the label in their input: %s',
    async (goodness) => {
      const { error } = await trained({ goodness, objective: 'label' }, {}, { epochs: 25, batch: 20 });
      expect(error).toBeLessThan(12);
    },
  );

  it('of little activity gives positive data less of it than negative data', async () => {
    const { trainer, network } = await trained({ goodness: 'minus-sum-squares', objective: 'unsupervised' }, {});
    expect(thresholdOf(network, 0)).toBe(-2 * 48);
    const { inputs } = bars(50, 5);
    const noise = inputs.map((_, i) => (i * 7919) % 256);
    const active = (rows: Uint8Array): number => -layerGoodness(network, rows, 50)[0]!.reduce((a, b) => a + b, 0);
    expect(active(inputs)).toBeLessThan(0.7 * active(noise));
    expect(trainer.objective).toBe('unsupervised');
  });
});

describe('unsupervised layers', () => {
  it.each(['hybrid', 'shuffled', 'self'] as const)(
    'learn features that a read-out can name: %s negatives',
    async (kind) => {
      const { error, network } = await trained(
        { objective: 'unsupervised' },
        { negatives: kind, readout: { learningRate: 0.03 } },
        { epochs: 15, batch: 20 },
      );
      expect(network.readout).toMatchObject({ from: 1, layer: { inputs: 24, outputs: 3 } });
      expect(error).toBeLessThan(5);
    },
  );

  it('learn nothing from labels', async () => {
    const data = bars(60, 1);
    const config: PartialTrainConfig = { augmentation: { shift: 0 } };
    const options = { backend, seed: 1, shape: shapeFor(data, { hidden: [12], objective: 'unsupervised' }), config };
    const [one, other] = [0, 1].map(() => new Trainer({ ...options, geometry: data.geometry! }));
    await one!.fit(data, { epochs: 2, batch: 20 });
    await other!.fit({ ...data, labels: data.labels.map((label) => 2 - label) }, { epochs: 2, batch: 20 });
    expect(one!.network().layers).toEqual(other!.network().layers);
    expect(one!.network().readout).not.toEqual(other!.network().readout);
  });

  it('may leave their read-out some epochs alone', async () => {
    const data = bars(60, 1);
    const shape = shapeFor(data, { hidden: [12], objective: 'unsupervised' });
    const geometry = data.geometry!;
    const short = new Trainer({ backend, seed: 1, shape, geometry });
    const long = new Trainer({ backend, seed: 1, shape, geometry, config: { readout: { epochs: 5 } } });
    await short.fit(data, { epochs: 2, batch: 20 });
    await long.fit(data, { epochs: 2, batch: 20 });
    expect(long.run?.epochs).toBe(7);
    expect(long.network().layers).toEqual(short.network().layers);
    expect(long.network().readout).not.toEqual(short.network().readout);
  });
});

describe('a read-out', () => {
  it('with the label in the input names a class in one pass with a neutral label', async () => {
    const config: PartialTrainConfig = { readout: { from: 0 }, negatives: { kind: 'hard', from: 'readout' } };
    const { network, error } = await trained({ objective: 'label' }, config, { epochs: 30, batch: 20 });
    expect(error).toBeLessThan(12);
    expect(evaluate(network, bars(300, 2)).readoutError).toBeLessThan(8);
    expect(network.readout?.layer.inputs).toBe(72);
  });

  it('reads each layer at mean square 1, and the row as a whole', () => {
    const features = new Float32Array(8);
    gatherFeatures([Float32Array.of(3, 0, 0, 0), Float32Array.of(1, 1, 2, 2)], 2, features);
    const squares = (from: number): number => features.slice(from, from + 4).reduce((sum, v) => sum + v * v, 0) / 4;
    expect([squares(0), squares(4)]).toEqual([expect.closeTo(1, 5), expect.closeTo(1, 5)]);
    expect([...features.slice(4)].map((v) => Math.round(v * 100) / 100)).toEqual([0, 0, 1.41, 1.41]);
  });

  it('gives the same on the host as while it was trained', async () => {
    const data = bars(40, 1);
    const config: PartialTrainConfig = { augmentation: { shift: 0 }, dropout: 0, inputDropout: 0 };
    const shape = shapeFor(data, { hidden: [12, 9, 6], objective: 'unsupervised' });
    const trainer = new Trainer({ backend, seed: 1, shape, config, geometry: data.geometry! });
    await trainer.fit(data, { epochs: 3, batch: 20 });
    const network = trainer.network();
    const scores = readoutScores({ ...network, readout: network.readout! }, data.inputs, 40);
    softmax(scores, 40);
    for (let s = 0; s < 40; s++) expect(scores.subarray(3 * s, 3 * s + 3).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    expect(network.readout?.layer.inputs).toBe(15);
  });
});

describe('one-class networks', () => {
  const train = asOneClass(blobs(400, 1), ['a']);
  const test = asOneClass(blobs(600, 2), ['a']);

  it.each([
    { negatives: 'shuffled' },
    { negatives: 'others' },
    { negatives: 'self' },
    { negatives: 'none' },
    { negatives: 'none', stabilisers: { norm: 'neuron', centring: 1 } },
  ] as const)('tell what is novel from what is normal: %j', async (config) => {
    const shape = shapeFor(train, { hidden: [24, 24], objective: 'one-class' });
    const trainer = new Trainer({ backend, seed: 1, shape, config });
    await trainer.fit(train, { epochs: 40 });
    const network = trainer.network();
    expect(network.classes).toBe(1);
    const result = evaluate(network, test);
    expect(result.auroc).toBeGreaterThan(config.negatives === 'shuffled' ? 70 : 95);
    const strict = evaluate(network, test, { threshold: Number.POSITIVE_INFINITY });
    expect([strict.falseReject, strict.falseAccept]).toEqual([100, 0]);
    expect(summedThreshold(network)).toBe(4);
  });

  it('are judged by the area under the ROC curve, in which ties count half', () => {
    expect(auroc(Float32Array.of(3, 4), Float32Array.of(1, 2))).toBe(1);
    expect(auroc(Float32Array.of(1, 2), Float32Array.of(3, 4))).toBe(0);
    expect(auroc(Float32Array.of(1, 3), Float32Array.of(1, 2))).toBe(0.625);
    expect(auroc(Float32Array.of(1), new Float32Array(0))).toBe(0.5);
    const [a, b] = [1, 2].map((seed) => new Random(seed));
    const high = Float32Array.from({ length: 50 }, () => Math.round(5 * a!.normal() + 3));
    const low = Float32Array.from({ length: 70 }, () => Math.round(5 * b!.normal()));
    let wins = 0;
    for (const h of high) for (const l of low) wins += h > l ? 1 : h === l ? 0.5 : 0;
    expect(auroc(high, low)).toBeCloseTo(wins / 3500, 9);
    expect(quantile(Float32Array.of(5, 1, 4, 2, 3), 0.2)).toBe(2);
  });
});

describe('samples that are negative as a whole', () => {
  it('push class-partitioned layers below their thresholds', async () => {
    const noise = bars(100, 9);
    const inputs = noise.inputs.map((_, i) => (i * 7919 + (i >> 6) * 131) % 256);
    const accepted = async (negatives?: 'data'): Promise<number> => {
      const data = bars(300, 1);
      const trainer = new Trainer({
        backend,
        seed: 1,
        shape: shapeFor(data, { hidden: [24, 12] }),
        config: { augmentation: { shift: 0 }, ...(negatives === undefined ? {} : { negatives }) },
        geometry: data.geometry!,
        ...(negatives === undefined ? {} : { negatives: { ...noise, inputs } }),
      });
      await trainer.fit(data, { epochs: 20, batch: 20 });
      const network = trainer.network();
      expect(evaluate(network, bars(300, 2)).error).toBeLessThan(6);
      const fresh = inputs.map((v, i) => (v + (i % 5) * 50) % 256);
      const goodness = layerGoodness(network, fresh, 100);
      let count = 0;
      for (let s = 0; s < 100; s++) {
        const best = Math.max(...[0, 1, 2].map((c) => goodness[0]![3 * s + c]! + goodness[1]![3 * s + c]!));
        if (best > 4) count++;
      }
      return count;
    };
    expect(await accepted('data')).toBeLessThan(5);
    expect(await accepted()).toBeGreaterThan(20);
  });

  it('have the slope that differences of the loss show, and none of the cross-entropy', () => {
    const config = { theta: 2, contrast: 0.5, temperature: 0.5, softness: 0.5, negativeWeight: 0.7, collaboration: 0 };
    const goodness = Float32Array.of(1, 2, 3, 2.5, 0.5, 1.5);
    const labels = Uint8Array.of(1);
    const loss = (g: Float32Array, slopes = new Float32Array(6)): number =>
      partitionedLoss(config, g, g, labels, 2, 3, slopes);
    const slopes = new Float32Array(6);
    loss(goodness, slopes);
    for (let i = 0; i < 6; i++) {
      const [up, down] = [goodness.slice(), goodness.slice()];
      up[i] = up[i]! + 1e-2;
      down[i] = down[i]! - 1e-2;
      expect(slopes[i]).toBeCloseTo((loss(up) - loss(down)) / 2e-2, 3);
    }
    keepPhase('positive', slopes, labels, 3);
    expect([...slopes].map((s) => s !== 0)).toEqual([false, true, false, false, false, false]);
    loss(goodness, slopes);
    keepPhase('negative', slopes, labels, 3);
    expect([...slopes].map((s) => s !== 0)).toEqual([true, false, true, true, true, true]);
  });
});
