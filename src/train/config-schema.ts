import * as v from 'valibot';
import type { PartialTrainConfig } from './config.js';
import type { GoodnessConfig, PartialGoodness } from './goodness/goodness.js';

/**
 * What a recipe may say about training, field by field: the edge at which files and callers are checked. The descriptions
 * are what docs/recipe.schema.json tells an editor.
 */

const positive = number('a number above 0', v.gtValue(0, 'a number above 0'));
const fromZero = number('a number from 0 on', v.minValue(0, 'a number from 0 on'));
const share = between('a number from 0 to 1', v.maxValue(1, 'a number from 0 to 1'));
const chance = between('a number from 0 to below 1', v.ltValue(1, 'a number from 0 to below 1'));

function number(text: string, bound: v.GenericPipeItem<number, number>) {
  return v.pipe(v.number(text), v.finite(text), bound);
}

function between(text: string, most: v.GenericPipeItem<number, number>) {
  return v.pipe(v.number(text), v.minValue(0, text), most);
}

/** A whole number within bounds. */
export function whole(least: number, most = Number.MAX_SAFE_INTEGER) {
  const text = `a whole number from ${least} ${most === Number.MAX_SAFE_INTEGER ? 'on' : `to ${most}`}`;
  return v.pipe(v.number(text), v.integer(text), v.minValue(least, text), v.maxValue(most, text));
}

/** One of a few words. */
export function word<const T extends readonly string[]>(...words: T) {
  return v.picklist(words, words.join(', '));
}

/** A field that may be left out, and what it means. */
export function field<T extends v.GenericSchema>(schema: T, description: string) {
  return v.exactOptional(v.pipe(schema, v.description(description)));
}

/** A part of a recipe of several kinds, each with fields of its own: an object with `kind`, or the kind alone. */
function kinds(fields: Readonly<Record<string, v.ObjectEntries>>) {
  const names = Object.keys(fields);
  const options = names.map((kind) => v.strictObject({ kind: v.literal(kind), ...fields[kind] }));
  return v.union([word(...names), v.variant('kind', options, names.join(', '))], names.join(', '));
}

/** Bits of all layers, or of each. */
export const BITS = v.union(
  [whole(2, 8), v.pipe(v.array(whole(2, 8)), v.minLength(1))],
  'a whole number from 2 to 8, or one per layer',
);

export const GOODNESS = kinds({
  'mean-squares': {},
  'sum-squares': {},
  'minus-sum-squares': {},
  'mean-absolute': {},
  'top-k': { k: field(positive, 'Neurons that count: a share below 1, else a number; 0.1') },
}) as v.GenericSchema<unknown, PartialGoodness>;

const THRESHOLD = kinds({
  width: {},
  fixed: {},
  learned: { rate: field(positive, 'Times the learning rate; 1') },
  follow: { rate: field(share, 'Part of the way to the middle between both phases per step; 0.01') },
});

const NEGATIVES = kinds({
  rivals: {},
  random: {},
  hard: { from: field(word('goodness', 'readout'), 'Whose predictions are drawn from; goodness') },
  hybrid: { blurs: field(whole(0, 100), 'Times that a mask is blurred; 6') },
  shuffled: {},
  others: { classes: field(v.array(v.string('a name'), 'a list of names'), 'Classes; all that are not normal') },
  data: { path: field(v.string('a path'), 'CSV file or folder of the negative samples') },
  proxy: { statistics: field(v.string('a path'), 'What `goodness sync --statistics` wrote') },
  self: {
    steps: field(whole(1, 1000), 'Steps up the goodness; 5'),
    size: field(positive, 'Length of a step as a part of the sample’s length; 0.1'),
    noise: field(fromZero, 'Length of the noise of a step, likewise; 0.02'),
  },
  predicted: {
    symbols: field(
      whole(1, 65535),
      'Predicted symbols at the end of a window: 1 is teacher forcing, all are a dream; 1',
    ),
  },
  none: {},
});

const LOSS = v.strictObject({
  theta: field(positive, 'Threshold of the goodness per neuron; 2'),
  contrast: field(share, 'Partitioned: share of the cross-entropy between groups; 0.5'),
  temperature: field(positive, 'Of that cross-entropy and of hard negatives; 0.25, for sums 1'),
  softness: field(positive, 'How soft the threshold is, in units of goodness; 0.25, for sums 1'),
  negativeWeight: field(fromZero, 'Weight of a negative group where a positive one weighs 1; 1'),
  collaboration: field(share, 'Partitioned: share of the other layers’ goodness in the cross-entropy; 0'),
});

const OPTIMIZER = kinds({
  adam: {
    beta1: field(chance, 'Memory of the mean gradient; 0.9'),
    beta2: field(chance, 'Memory of its square; 0.999'),
    epsilon: field(positive, 'Least deviation; 1e-8'),
    weightDecay: field(fromZero, 'Times the learning rate; 0'),
  },
  sgd: {
    momentum: field(chance, 'Memory of the velocity; 0.9'),
    weightDecay: field(fromZero, 'Times the learning rate; 0'),
  },
});

const PHASES = kinds({
  interleaved: {},
  separated: {
    positive: field(whole(1), 'Steps on positive data, then ...; 1'),
    negative: field(whole(1), '... steps on negative data; 1'),
    positiveRate: field(fromZero, 'Factor of the learning rate in positive phases; 1'),
    negativeRate: field(fromZero, 'Factor of the learning rate in negative phases; 1'),
  },
});

const ENTRIES = {
  loss: field(LOSS, 'Losses of a layer'),
  threshold: field(THRESHOLD, 'Where the threshold of a layer’s goodness lies; width'),
  negatives: field(NEGATIVES, 'Where negative data come from; by objective'),
  gain: field(positive, 'Deviation of the first pre-activations; 0.5'),
  optimizer: field(OPTIMIZER, 'How gradients move weights; adam, without negatives sgd'),
  schedule: field(
    v.strictObject({
      decay: field(word('linear', 'cosine', 'constant'), 'How the rate falls; linear'),
      warmup: field(chance, 'Part of the steps over which it rises first; 0.1'),
      decayFrom: field(chance, 'Part of the steps after which it begins to fall; right after the warm-up'),
    }),
    'The learning rate over time',
  ),
  learningRate: field(positive, 'Highest learning rate; 0.028 / sqrt(inputs), with sgd 0.01'),
  phases: field(PHASES, 'When positive and negative data are learned; interleaved'),
  stabilisers: field(
    v.strictObject({
      norm: field(word('free', 'neuron', 'layer'), 'What keeps the length of its weights; free'),
      margin: field(fromZero, 'Part of the threshold beyond which a sample is not learned any more; off'),
      centring: field(fromZero, 'Part of the running mean taken off the inputs that weights learn from; 0'),
    }),
    'What keeps weights in place where phases lie far apart',
  ),
  online: field(
    v.strictObject({
      positive: field(positive, 'Goodness that positive samples are raised to, in thetas; 1.5'),
      negative: field(fromZero, 'Goodness that negative samples are lowered to, in thetas; 0.5'),
      strength: field(share, 'Part of the way per sample; 0.05'),
    }),
    'Closed-form steps on one sample at a time; off',
  ),
  readout: field(
    v.strictObject({
      from: field(whole(0, 64), 'First layer that it reads, from 0; 1, or 0 with a single layer'),
      learningRate: field(positive, 'Highest learning rate; 0.028 / sqrt(what it reads)'),
      weightDecay: field(fromZero, 'Times the learning rate; 0'),
      epochs: field(whole(0, 1_000_000), 'Epochs in the end that train the read-out alone; 0'),
    }),
    'Softmax read-out of the upper layers; the objective unsupervised always has one',
  ),
  augmentation: field(
    v.strictObject({
      shift: field(whole(0, 65535), 'Images: pixels to move by; 1'),
      jitter: field(fromZero, 'Deviation of noise on every input, in bytes; 0'),
    }),
    'Random changes of training samples',
  ),
  pool: field(whole(1, 255), 'Images: mean over squares of so many pixels; 1'),
  inputDropout: field(chance, 'Chance of an input of the first layer to be dropped; 0.05'),
  dropout: field(chance, 'Chance of an input of a further layer to be dropped; 0.1'),
  frozen: field(v.array(whole(0, 64), 'a list of whole numbers'), 'Layers, from 0, that stay as they begin; none'),
  peer: field(fromZero, 'Weight of peer normalisation; 0'),
  quantization: field(
    v.strictObject({
      bits: v.pipe(BITS, v.description('Bits per weight, of all layers or of each')),
      scales: field(v.array(positive, 'a list of numbers above 0'), 'Value of a step per layer; found'),
      epochs: field(
        whole(0, 1_000_000),
        'Epochs with rounded weights, after those in floating point; as many as these. 0: from the first step on',
      ),
      learningRate: field(positive, 'Highest learning rate with rounded weights; that in floating point'),
      inputDropout: field(chance, 'Chance of an input to be dropped with rounded weights; that in floating point'),
      dropout: field(chance, 'The same for inputs of further layers; that in floating point'),
    }),
    'Training with rounded weights; off',
  ),
};

/** Layers that see the one above. */
export const RECURRENT = v.strictObject({
  iterations: field(whole(1, 1000), 'Times that all layers move after the first pass; 8'),
  damping: field(chance, 'Part of its old activity that a neuron keeps; 0.3'),
  scored: field(
    v.tuple([whole(1, 1000), whole(1, 1000)], 'two whole numbers'),
    'First and last iteration whose goodness counts; 3 and 5, with several frames all',
  ),
  frames: field(whole(1, 1000), 'Frames of a sample, one after the other; 1'),
});

/** Parts of a TrainConfig, as a recipe and as options of a trainer give them. */
export const TRAIN_ENTRIES: v.ObjectEntries = ENTRIES;

export const TRAIN_CONFIG = v.strictObject(ENTRIES) as v.GenericSchema<unknown, PartialTrainConfig>;

/** A whole goodness from what a recipe says. */
export function completeGoodness(partial: PartialGoodness): GoodnessConfig {
  const { kind, k } = typeof partial === 'string' ? { kind: partial, k: undefined } : partial;
  return kind === 'top-k' ? { kind, k: k ?? 0.1 } : { kind };
}
