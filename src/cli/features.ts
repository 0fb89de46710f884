import { basename } from 'node:path';
import { GoodnessError } from '../base/errors.js';
import type { Dataset } from '../data/dataset.js';
import type { TrainTest } from '../data/mnist.js';
import { Extractor } from '../tflite/extractor.js';
import { extractFeatures, featuresAgain } from '../tflite/features.js';
import { readWhole } from './files.js';
import type { ScaledData } from './model-data.js';
import type { Output } from './output.js';

/** Option of commands that feed data to a model which may take features of them. */
export const MODEL_FEATURES = {
  features: {
    type: 'string',
    valueHint: 'extractor.tflite',
    description:
      'The frozen model whose features the network takes; left out: the file that the network names, in this folder',
  },
} as const;

/** Options of commands that make features. */
export const NEW_FEATURES = {
  features: {
    type: 'string',
    valueHint: 'extractor.tflite',
    description: 'A frozen TensorFlow Lite model that the data go through first: the network takes its output',
  },
  'features-range': {
    type: 'string',
    valueHint: 'low,high',
    description:
      'What black and white are in the input of that model; left out: all that an 8-bit input holds, 0,1 for a float one. Tables go in as their values',
  },
} as const;

interface FeatureArguments {
  readonly features: string | undefined;
  readonly 'features-range'?: string | undefined;
}

/** Both parts of a data set as features, by the options above; as they are where there is no option. */
export async function madeFeatures(data: TrainTest, args: FeatureArguments, output: Output): Promise<TrainTest> {
  const range = rangeOf(args['features-range']);
  if (args.features === undefined) {
    if (range === undefined) return data;
    throw new GoodnessError('usage.option', '--features-range needs --features');
  }
  const extractor = await open(args.features);
  try {
    return await extractFeatures(extractor, data, {
      ...(range === undefined ? {} : { range }),
      onProgress: output.progress('features'),
    });
  } finally {
    await extractor.close();
  }
}

/**
 * Data as features of the extractor that a model names; as they are where it names none.
 * @param known what the model, or its checkpoint, says
 * @param path the option `--features`
 * @throws GoodnessError `features.unused`, `features.missing`, `features.other`, `features.scaling`
 */
export async function knownFeatures(
  data: Dataset,
  { extractor: named, scaling }: ScaledData,
  path: string | undefined,
  output: Output,
): Promise<Dataset> {
  if (named === undefined) {
    if (path === undefined) return data;
    throw new GoodnessError('features.unused', 'the model takes the bytes of its sensor, and no features', {
      fix: 'Leave --features out.',
    });
  }
  if (scaling === undefined)
    throw new GoodnessError('features.scaling', 'the model does not say what its features are');
  const extractor = await open(path ?? named.file).catch((cause: unknown) => {
    if (path !== undefined || !(cause instanceof GoodnessError && cause.code === 'file.read')) throw cause;
    throw new GoodnessError('features.missing', `the model takes features of ${named.file}, which is not here`, {
      fix: 'Say where it is: --features <file>.',
      cause,
    });
  });
  try {
    if (extractor.sha256 !== named.sha256) {
      throw new GoodnessError('features.other', `${path ?? named.file} is not what the network was trained on`, {
        expected: `a file with SHA-256 ${named.sha256}`,
        got: extractor.sha256,
      });
    }
    const own = { offset: Float32Array.from(scaling.offset), step: Float32Array.from(scaling.step) };
    return await featuresAgain(extractor, data, { scaling: own, extractor: named }, output.progress('features'));
  } finally {
    await extractor.close();
  }
}

async function open(path: string): Promise<Extractor> {
  return Extractor.open(await readWhole(path, 'a TensorFlow Lite model'), basename(path));
}

function rangeOf(text: string | undefined): readonly [number, number] | undefined {
  if (text === undefined) return undefined;
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const [low, high] = numbers;
  if (numbers.length === 2 && Number.isFinite(low) && Number.isFinite(high) && low! < high!) return [low!, high!];
  throw new GoodnessError('usage.value', '--features-range takes two numbers', {
    expected: 'such as 0,1 or -1,1',
    got: JSON.stringify(text),
  });
}
