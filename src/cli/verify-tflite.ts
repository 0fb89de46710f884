import { GoodnessError } from '../base/errors.js';
import { slice } from '../data/dataset.js';
import { metaOf } from '../format/meta.js';
import type { Model } from '../format/model.js';
import { compareTflite, EQUAL_ENOUGH } from '../tflite/comparison.js';
import type { CliContext } from './context.js';
import { readWhole } from './files.js';
import { dataForModel } from './model-data.js';

interface TfliteArguments {
  readonly model: string;
  readonly tflite: string;
  readonly data: string | undefined;
  readonly seed: string;
  readonly features?: string | undefined;
  readonly samples: number | undefined;
  readonly port: string | undefined;
  readonly learn: string;
  readonly contract?: boolean | undefined;
}

/** `verify --tflite`: an exported model beside the reference. */
export async function verifyTflite(model: Model, args: TfliteArguments, { output, now }: CliContext): Promise<void> {
  const { tflite, data: spec, seed, features } = args;
  if (args.port !== undefined || args.contract || args.learn !== '0') {
    throw new GoodnessError('usage.option', 'with --tflite there is no device', {
      fix: 'Leave --port, --contract and --learn out.',
    });
  }
  if (spec === undefined) {
    throw new GoodnessError('usage.option', '--tflite needs --data', {
      expected: 'the data that the model was trained on: random bytes belong to no class',
    });
  }
  const file = await readWhole(tflite, 'what `goodness export --tflite` wrote');
  const all = await dataForModel({ data: spec, seed, shift: 'none', features }, metaOf(model), 'test', output);
  const data = slice(all, 0, args.samples ?? all.count);
  const start = now();
  const comparison = await compareTflite(model, file, data, { name: tflite, onProgress: output.progress('infer') });
  const { samples, different, equal, goodness, error } = comparison;
  if (equal < EQUAL_ENOUGH) {
    throw new GoodnessError('check.tflite', `${tflite} and the reference put samples into different classes`, {
      expected: `the same class for ${EQUAL_ENOUGH}% of ${samples} samples`,
      got: `${equal.toFixed(2)}%; errors ${error.tflite.toFixed(2)}% and ${error.reference.toFixed(2)}%`,
      fix: 'Export it anew from this model; `--activations 16` is finer.',
    });
  }
  output.result(
    { model: args.model, tflite, data: spec, ...comparison, seconds: (now() - start) / 1000 },
    `${tflite} agrees with the reference: ${equal.toFixed(2)}% of ${samples} samples in the same class (${different} differ), ` +
      `error ${error.tflite.toFixed(2)}% beside ${error.reference.toFixed(2)}%, ` +
      `goodness ${(100 * goodness.mean).toFixed(3)}% apart in the mean, ${(100 * goodness.largest).toFixed(2)}% at most`,
  );
}
