import { type Backend, pool as poolImages, slice, type TrainTest } from 'goodness';
import { type Base, baseModel } from './base-model.js';

/** Base models of the adaptation rows see the first 40,000 train images; streams are made of the rest. */
export const HOST = 40000;

export interface MnistLab {
  readonly backend: Backend;
  readonly mnist: TrainTest;
  readonly quick: boolean;
}

/** 784-120-120, or pooled and then 120-120. */
export function mnistBase(lab: MnistLab, pool: number, seed: number, count = HOST): Promise<Base> {
  const { mnist, backend, quick } = lab;
  const recipe = {
    name: `mnist-${784 / pool ** 2}-120-120`,
    train: slice(mnist.train, 0, quick ? 6000 : count),
    test: mnist.test,
    pool,
    hidden: [120, 120],
    epochs: quick ? 3 : 20,
    seed,
  };
  return baseModel(recipe, backend, (d) => poolImages(d, pool));
}
