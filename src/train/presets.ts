import { GoodnessError } from '../base/errors.js';
import type { Recipe } from './recipe.js';

/** A recipe whose model is known: docs/presets.md has a card for each. */
export interface Preset {
  /** What it is, in a line. */
  readonly what: string;
  readonly recipe: Recipe;
}

/** Networks for budgets of weights that real boards have. */
export const PRESETS: Readonly<Record<string, Preset>> = {
  'digits-16k': {
    what: 'MNIST at 14 x 14 in 16,280 bytes of weights: 196-110-100, 4 bits',
    recipe: {
      data: 'mnist',
      pool: 2,
      layers: [110, 100],
      bits: 4,
      epochs: 15,
      // A network as small as this has nothing to spare: dropout only takes away from it.
      inputDropout: 0,
      dropout: 0,
      quantization: { bits: 4, epochs: 30 },
    },
  },
  'digits-110k': {
    what: 'MNIST at 28 x 28 in 108,240 bytes of weights: 784-220-200, 4 bits',
    recipe: {
      data: 'mnist',
      layers: [220, 200],
      bits: 4,
      epochs: 15,
      quantization: { bits: 4, epochs: 20 },
    },
  },
};

/** @throws GoodnessError `train.preset` */
export function presetOf(name: string): Preset {
  const preset = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
  if (preset !== undefined) return preset;
  throw new GoodnessError('train.preset', `there is no preset ${JSON.stringify(name)}`, {
    expected: Object.keys(PRESETS).join(', '),
  });
}
