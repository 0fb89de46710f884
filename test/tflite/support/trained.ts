import { type Dataset, slice } from '../../../src/data/dataset.js';
import { loadMnist } from '../../../src/data/mnist.js';
import type { Model } from '../../../src/format/model.js';
import { type QuantizeOptions, quantize } from '../../../src/quantize/quantize.js';
import { selectBackend } from '../../../src/train/backend.js';
import { shapeFor } from '../../../src/train/config.js';
import { Trainer } from '../../../src/train/trainer.js';

/** A small network, trained and quantized in a few seconds. */
export async function trained(
  train: Dataset,
  hidden: number[],
  epochs: number,
  options: Pick<QuantizeOptions, 'bits' | 'inputBits'> = {},
): Promise<Model> {
  const { geometry } = train;
  const trainer = new Trainer({
    backend: await selectBackend('simd'),
    seed: 4,
    shape: shapeFor(train, { hidden }),
    ...(geometry === undefined ? {} : { geometry }),
  });
  await trainer.fit(train, { epochs });
  return quantize(trainer.network(), { calibration: train, ...options }).model;
}

/** 784-60-60 on 8,000 digits, and all test digits. */
export async function digits(): Promise<{ model: Model; test: Dataset }> {
  const { train, test } = await loadMnist();
  return { model: await trained(slice(train, 0, 8000), [60, 60], 6), test };
}
