import { GoodnessError } from '../base/errors.js';
import type { Dataset } from '../data/dataset.js';
import type { Model } from '../format/model.js';
import { checkFit, scoreDataset } from '../quantize/scores.js';
import type { TensorInfo } from './decode.js';
import { TfliteInterpreter } from './interpreter.js';
import { realValues } from './quantization.js';

/** How a `.tflite` model does beside the integer reference on the same samples. */
export interface TfliteComparison {
  readonly samples: number;
  /** Samples that the two put into different classes. */
  readonly different: number;
  /** Percent of samples with the same class. */
  readonly equal: number;
  /** Differences of scores as parts of the sample's largest score: over all samples and classes, the mean and the largest. */
  readonly goodness: { readonly mean: number; readonly largest: number };
  /** Percent of samples whose class is not their label. */
  readonly error: { readonly reference: number; readonly tflite: number };
}

/** Percent of equal classes from which on the two count as the same network. */
export const EQUAL_ENOUGH = 99.9;

/**
 * Runs a `.tflite` model in TensorFlow Lite's own runtime, and compares classes and goodness with the reference.
 * @param file bytes of the `.tflite` file
 * @param name the file, for messages
 * @throws GoodnessError `tflite.shape` unless it takes the model's inputs and gives its classes, and those of TfliteInterpreter
 */
export async function compareTflite(
  model: Model,
  file: Uint8Array,
  data: Dataset,
  { name = 'the model', onProgress }: { name?: string; onProgress?: (done: number, total: number) => void } = {},
): Promise<TfliteComparison> {
  checkFit(model, data);
  const interpreter = await TfliteInterpreter.open(file, name);
  try {
    const { input, output } = interpreter;
    checkShape(model, input, output, name);
    const results = await interpreter.run(
      Int8Array.from(data.inputs, (byte) => byte - 128),
      onProgress,
    );
    return compare(scoreDataset(model, data), realValues(results, output), data);
  } finally {
    await interpreter.close();
  }
}

function checkShape(model: Model, input: TensorInfo, output: TensorInfo, name: string): void {
  if (input.elements === model.rawInputs && output.elements === model.classes && input.type === 'int8') return;
  throw new GoodnessError('tflite.shape', `${name} is not of this model`, {
    expected: `${model.rawInputs} of int8 in, ${model.classes} out`,
    got: `${input.elements} of ${input.type} in, ${output.elements} out`,
    fix: 'Export it from this model: `goodness export --tflite`.',
  });
}

function compare(reference: Uint32Array, tflite: Float32Array, { labels, count }: Dataset): TfliteComparison {
  const classes = reference.length / count;
  let [different, wrongReference, wrongTflite, sum, largest] = [0, 0, 0, 0, 0];
  for (let s = 0; s < count; s++) {
    const expected = reference.subarray(s * classes, (s + 1) * classes);
    const got = tflite.subarray(s * classes, (s + 1) * classes);
    const [own, other] = [largestAt(expected), largestAt(got)];
    if (own !== other) different++;
    if (own !== labels[s]) wrongReference++;
    if (other !== labels[s]) wrongTflite++;
    const unit = Math.max(1, expected[own]!);
    for (let c = 0; c < classes; c++) {
      const apart = Math.abs(got[c]! - expected[c]!) / unit;
      const part = Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart;
      sum += part;
      largest = Math.max(largest, part);
    }
  }
  const percent = (n: number): number => (100 * n) / count;
  return {
    samples: count,
    different,
    equal: percent(count - different),
    goodness: { mean: sum / reference.length, largest },
    error: { reference: percent(wrongReference), tflite: percent(wrongTflite) },
  };
}

/** The lowest index with the largest number, as SPEC.md 4.5 picks a class. */
function largestAt(values: ArrayLike<number>): number {
  let best = 0;
  for (let c = 1; c < values.length; c++) if (values[c]! > values[best]!) best = c;
  return best;
}
