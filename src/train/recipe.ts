import * as v from 'valibot';
import { checked } from '../base/schema.js';
import type { FitPlan, PartialTrainConfig } from './config.js';
import { BITS, field, GOODNESS, RECURRENT, TRAIN_ENTRIES, whole, word } from './config-schema.js';
import type { PartialGoodness } from './goodness/goodness.js';
import type { PerLayer } from './layers/fake-quantization.js';
import type { FieldConfig } from './layers/local-fields.js';
import { OBJECTIVES, type ObjectiveName } from './network.js';
import type { RecurrentConfig } from './recurrent.js';

/** Everything that a training is made of, as a file says it: data, network, plan, and the parts of a TrainConfig. */
export interface Recipe extends PartialTrainConfig, Partial<FitPlan> {
  /** `mnist`, a CSV file, a text (*.txt), or a folder of IDX or CSV files. */
  readonly data?: string;
  /** Text: characters of a sample. */
  readonly window?: number;
  /** The first so many samples only. */
  readonly samples?: number;
  /** CSV: part of its range that is left free on both sides of a column. */
  readonly headroom?: number;
  /** Only samples of these classes; the others keep their places in the model. */
  readonly classes?: readonly string[];
  /** Names of classes that come later. */
  readonly reserve?: readonly string[];
  /** CSV: adds a class `other` of made-up samples. */
  readonly other?: boolean;
  /** Frozen `.tflite` model that the data go through first ... */
  readonly features?: string;
  /** ... and what black and white are in its input. */
  readonly featuresRange?: readonly [low: number, high: number];
  /** One-class networks: the classes that are normal. */
  readonly normal?: readonly string[];
  /** Neurons per layer, or inputs and neurons with dashes between them. */
  readonly layers?: readonly number[] | string;
  /** Images: local receptive fields of the lowest layers. */
  readonly fields?: readonly FieldConfig[];
  /** Label in the input: layers also see the one above, and move several times. */
  readonly recurrent?: Partial<RecurrentConfig>;
  readonly objective?: ObjectiveName;
  readonly goodness?: PartialGoodness;
  /** First layer, from 0, whose goodness counts for the answer. */
  readonly scoredFrom?: number;
  /** Label in the input: byte of the true label's input. */
  readonly labelValue?: number;
  readonly seed?: number;
  /** Bits of a weight of the device's model, and of the inputs of its layers: for all layers, or one per layer. */
  readonly bits?: PerLayer;
  readonly inputBits?: PerLayer;
  /** False: no device's model is made, which for large networks takes longer than training does. */
  readonly device?: boolean;
  readonly backend?: 'auto' | 'simd' | 'node' | 'wasm';
  readonly threads?: number;
}

const names = v.array(v.pipe(v.string('a name'), v.minLength(1, 'a name')), 'a list of names');
const part = (low: number, high: number) => {
  const text = `a number from ${low} to ${high}`;
  return v.pipe(v.number(text), v.minValue(low, text), v.maxValue(high, text));
};

const ENTRIES = {
  $schema: field(v.string('a path'), 'Where this schema lies'),
  data: field(v.string('a path'), 'mnist, a CSV file, a text (*.txt), or a folder of IDX or CSV files'),
  window: field(whole(1, 65535), 'Text: characters of a sample; 10'),
  samples: field(whole(1), 'Train on the first so many samples only; all'),
  headroom: field(part(0, 10), 'CSV: part of its range that is left free on both sides of a column; 0.25'),
  classes: field(names, 'Only samples of these classes; all'),
  reserve: field(names, 'Room for classes that come later; none'),
  other: field(v.boolean('true or false'), 'CSV: add a class `other` of made-up samples; false'),
  features: field(v.string('a path'), 'Frozen TensorFlow Lite model that the data go through first; none'),
  featuresRange: field(
    v.tuple([v.number('a number'), v.number('a number')], 'two numbers'),
    'What black and white are in the input of that model; all that it holds',
  ),
  normal: field(names, 'One-class: the classes that are normal; all but `other`'),
  layers: field(
    v.union([v.array(whole(1, 65535)), v.string()], 'a list of sizes, or sizes with dashes between them'),
    'Neurons per layer; two layers of 12 for each class',
  ),
  fields: field(
    v.pipe(
      v.array(
        v.strictObject({
          size: v.pipe(whole(1, 65535), v.description('Places on a side')),
          stride: v.pipe(whole(1, 65535), v.description('Places from one field to the next')),
        }),
        'a list of fields',
      ),
      v.minLength(1, 'at least one field'),
    ),
    'Images: local receptive fields of the lowest layers, squares of what lies below; everybody sees everything',
  ),
  recurrent: field(RECURRENT, 'Objective label: layers also see the one above, and move several times; off'),
  objective: field(word(...OBJECTIVES), 'How labels meet the network; partitioned'),
  goodness: field(GOODNESS, 'What goodness is; mean-squares'),
  scoredFrom: field(whole(0, 64), 'First layer, from 0, whose goodness counts for the answer; 0'),
  labelValue: field(whole(1, 255), 'Label in the input: byte of the true label’s input; 255'),
  seed: field(whole(0, 0xffffffff), 'Seed of weights, order, augmentation, negatives and split; 1'),
  epochs: field(whole(1, 1_000_000), 'Times through the data; enough for 6,000 steps, 20 at least'),
  batch: field(whole(1, 65535), 'Samples per step; a tenth of the data, 100 at most'),
  stop: field(
    v.strictObject({
      holdout: v.pipe(part(0.02, 0.5), v.description('Part of the data that is held out')),
      patience: field(whole(1), 'Epochs without a better result after which training ends; a tenth of all, 5 at least'),
    }),
    'Early stop; none',
  ),
  bits: field(
    BITS,
    'Bits of a weight of the device’s model (8, 4, 3, 2), of all layers or of each; those of `quantization`, or 8',
  ),
  inputBits: field(BITS, 'Bits of the inputs of its layers (8, 4), of all layers or of each; 8'),
  device: field(v.boolean('true or false'), 'Make a device’s model, too; true'),
  backend: field(word('auto', 'simd', 'node', 'wasm'), 'What training computes with; auto'),
  threads: field(whole(1, 64), 'Threads of the backend simd; processors, 4 at most'),
  ...TRAIN_ENTRIES,
};

export const RECIPE = v.strictObject(ENTRIES) as v.GenericSchema<unknown, Recipe>;

/**
 * Checks a recipe that came from outside.
 * @param what where it came from, for messages
 * @throws GoodnessError `train.recipe`, naming the field
 */
export function parseRecipe(value: unknown, what: string): Recipe {
  const { $schema: _, ...recipe } = checked(RECIPE, value, 'train.recipe', what) as Recipe & { $schema?: string };
  return recipe;
}

/** Bits of a weight of the device's model: those that it was trained for, where nothing else is said. */
export function deviceBits({ bits, quantization }: Recipe): PerLayer {
  return bits ?? quantization?.bits ?? 8;
}

/** The parts of a recipe that a trainer takes. */
export function trainConfigOf(recipe: Recipe): PartialTrainConfig {
  return Object.fromEntries(Object.entries(recipe).filter(([name]) => Object.hasOwn(TRAIN_ENTRIES, name)));
}

/** A recipe with its type, for files in TypeScript. */
export function defineRecipe(recipe: Recipe): Recipe {
  return recipe;
}
