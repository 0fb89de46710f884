import { pool as poolImages, presetOf, slice, trainConfigOf } from 'goodness';
import { type Base, baseModel } from './base-model.js';
import type { MnistLab } from './mnist-base.js';

/** A preset's network, trained on the first so many images of MNIST. */
export function presetBase(lab: MnistLab, name: string, seed: number, count: number): Promise<Base> {
  const { mnist, backend, quick } = lab;
  const { recipe } = presetOf(name);
  const { pool = 1, layers, epochs, quantization } = recipe;
  if (recipe.data !== 'mnist' || !Array.isArray(layers)) throw new Error(`${name} is no preset for MNIST`);
  return baseModel(
    {
      name,
      train: slice(mnist.train, 0, quick ? 6000 : count),
      test: mnist.test,
      pool,
      hidden: layers as readonly number[],
      seed,
      ...(epochs === undefined ? {} : { epochs: quick ? 3 : epochs }),
      config: {
        ...trainConfigOf(recipe),
        ...(quick && quantization !== undefined ? { quantization: { ...quantization, epochs: 3 } } : {}),
      },
    },
    backend,
    (d) => poolImages(d, pool),
  );
}
