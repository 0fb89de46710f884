import type { ArgsDef } from 'citty';
import { GoodnessError } from '../base/errors.js';
import { GOODNESS_KINDS } from '../train/goodness/goodness.js';
import { NEGATIVES_KINDS } from '../train/negatives/negatives.js';
import { OBJECTIVES } from '../train/network.js';
import { parseRecipe, type Recipe } from '../train/recipe.js';
import { bitsOf, numberOf, oneOf } from './arguments.js';
import { NEW_FEATURES } from './features.js';

/** Options that say parts of a recipe; what they leave out comes from `--config`, and else is the default. */
export const RECIPE_OPTIONS = {
  config: { type: 'string', valueHint: 'recipe.json', description: 'Recipe: JSON, or a module that exports one' },
  set: {
    type: 'string',
    valueHint: 'field=value,…',
    description: 'Any field of a recipe, such as loss.theta=1.5,phases.kind=separated (docs/training.md has them all)',
  },
  ...NEW_FEATURES,
  layers: {
    type: 'string',
    valueHint: '784-120-120',
    description: 'Inputs and neurons per layer, or the neurons alone (two layers of 12 neurons per class)',
  },
  objective: {
    type: 'string',
    description:
      'partitioned (a group of neurons per class, one pass), label (label in the input, a pass per class), unsupervised (with a read-out; host only), one-class (novelty)',
  },
  goodness: {
    type: 'string',
    description: 'mean-squares, sum-squares, minus-sum-squares, mean-absolute, top-k (the last three: host only)',
  },
  negatives: {
    type: 'string',
    description:
      'Negative data: rivals, hard, random, hybrid, shuffled, others, data, proxy, self, predicted, none (by objective)',
  },
  normal: { type: 'string', valueHint: 'name,name', description: 'Objective one-class: the classes that are normal' },
  epochs: { type: 'string', description: 'Times that training goes through the data (what suits their size)' },
  batch: { type: 'string', description: 'Samples per step (100, fewer for small data)' },
  holdout: { type: 'string', valueHint: 'part', description: 'Hold this part of the data out, and stop early by it' },
  patience: {
    type: 'string',
    valueHint: 'epochs',
    description: 'Epochs without a better result before it stops (a tenth of all, 5 at least)',
  },
  samples: { type: 'string', description: 'Train on the first so many samples only' },
  classes: {
    type: 'string',
    valueHint: 'name,name',
    description: 'Only samples of these classes; the others keep their places in the model',
  },
  reserve: {
    type: 'string',
    valueHint: 'name,name',
    description: 'Room for classes that come later: the device can learn them, and syncs know of them',
  },
  other: {
    type: 'boolean',
    description:
      'Add a class `other` of made-up samples that are like none of the rest (CSV only): for data that show what is normal, and nothing else',
  },
  headroom: {
    type: 'string',
    description: 'CSV: part of its range that is left free on both sides of a column, for a sensor that drifts (0.25)',
  },
  pool: { type: 'string', description: 'Images: mean over squares of this many pixels, before training (1)' },
  bits: {
    type: 'string',
    valueHint: '8,4',
    description: 'Bits of a weight: 8, 4, 3 or 2, for all layers or for each (8)',
  },
  'input-bits': { type: 'string', description: 'Bits of a layer’s inputs: 8 or 4, for all layers or for each (8)' },
  qat: {
    type: 'boolean',
    description:
      'Train on with rounded weights, for as many epochs again (quantization.epochs): what few bits cost is mostly won back',
  },
  seed: { type: 'string', description: 'Seed of weights, order, augmentation and split (1)' },
  backend: {
    type: 'string',
    description:
      'What training computes with: simd (the own kernel), node or wasm (TensorFlow.js), or auto, the fastest that loads',
  },
  threads: { type: 'string', description: 'Threads of the backend simd; as many as processors, up to 4, if left out' },
} as const satisfies ArgsDef;

/** What options that take a word may say. */
const WORDS: Readonly<Record<'objective' | 'goodness' | 'negatives' | 'backend', readonly string[]>> = {
  objective: OBJECTIVES,
  goodness: GOODNESS_KINDS,
  negatives: NEGATIVES_KINDS,
  backend: ['auto', 'simd', 'node', 'wasm'],
};

type Options = Partial<Record<keyof typeof RECIPE_OPTIONS, string | boolean | undefined>>;

/**
 * A recipe with what the options say instead of what it said.
 * @throws GoodnessError `usage.number`, `usage.set`, `train.recipe`
 */
export function withOptions(recipe: Recipe, options: Options): Recipe {
  const text = (name: keyof Options): string | undefined => {
    const value = options[name];
    return typeof value === 'string' ? value : undefined;
  };
  const given: Record<string, unknown> = {};
  given.layers = text('layers');
  given.features = text('features');
  given.featuresRange = text('features-range')?.split(',').map(Number);
  for (const [name, words] of Object.entries(WORDS)) {
    const value = text(name as keyof typeof WORDS);
    if (value !== undefined) given[name] = oneOf(name, value, words);
  }
  for (const name of ['epochs', 'batch', 'samples', 'pool', 'threads'] as const) {
    given[name] = numberOf(name, text(name), { least: 1 });
  }
  given.seed = numberOf('seed', text('seed'), { most: 0xffffffff });
  given.bits = bitsOf('bits', text('bits'));
  given.inputBits = bitsOf('input-bits', text('input-bits'));
  given.headroom = numberOf('headroom', text('headroom'), { most: 10, fraction: true });
  for (const name of ['normal', 'classes', 'reserve'] as const) {
    given[name] = text(name)
      ?.split(',')
      .map((word) => word.trim());
  }
  if (options.other === true) given.other = true;
  const holdout = numberOf('holdout', text('holdout'), { least: 0.02, most: 0.5, fraction: true });
  const patience = numberOf('patience', text('patience'), { least: 1 });
  if (holdout !== undefined || patience !== undefined) {
    given.stop = { holdout: 0.1, ...recipe.stop, ...defined({ holdout, patience }) };
  }
  const merged: Record<string, unknown> = { ...recipe, ...defined(given) };
  for (const assignment of text('set')?.split(',') ?? []) assign(merged, assignment);
  if (options.qat === true) merged.quantization = { bits: merged.bits ?? 8, ...(merged.quantization as object) };
  return parseRecipe(merged, 'the recipe');
}

function defined(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** Sets one field: `loss.theta=1.5`; the value is JSON, or else a text. A part that was given by its kind alone becomes an object. */
function assign(target: Record<string, unknown>, assignment: string): void {
  const at = assignment.indexOf('=');
  if (at < 1) {
    throw new GoodnessError('usage.set', '--set takes fields and values', {
      expected: 'such as loss.theta=1.5,peer=0.03',
      got: JSON.stringify(assignment),
    });
  }
  const path = assignment.slice(0, at).trim().split('.');
  const last = path.pop()!;
  let object = target;
  for (const key of path) {
    const inner = object[key];
    const own = typeof inner === 'string' ? { kind: inner } : { ...(inner as object | undefined) };
    object[key] = own;
    object = own as Record<string, unknown>;
  }
  object[last] = parsed(assignment.slice(at + 1).trim());
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
