import { basename, join } from 'node:path';
import { defineCommand } from 'citty';
import { GoodnessError } from '../base/errors.js';
import { formatCsv } from '../data/csv.js';
import { type Dataset, slice } from '../data/dataset.js';
import { encodeIdx } from '../data/idx.js';
import { loadData } from '../data/load.js';
import { COMMON, numberOf } from './arguments.js';
import type { CliContext } from './context.js';
import { madeFeatures, NEW_FEATURES } from './features.js';
import { writeWhole } from './files.js';

export default defineCommand({
  meta: {
    name: 'features',
    description:
      'Runs data through a frozen TensorFlow Lite model, and keeps what comes out as data for `goodness train`: a folder of IDX files (bytes), or of train.csv and test.csv (values, in 256 steps).',
  },
  args: {
    data: { type: 'positional', required: true, description: 'mnist, a CSV file, or a folder of IDX or CSV files' },
    ...NEW_FEATURES,
    features: { ...NEW_FEATURES.features, required: true },
    csv: { type: 'boolean', description: 'Write CSV files with the values, instead of IDX files with bytes' },
    samples: { type: 'string', description: 'The first so many training samples only' },
    seed: { type: 'string', default: '1', description: 'Seed of the split of a CSV' },
    out: { type: 'string', required: true, valueHint: 'folder', description: 'Where to write' },
    ...COMMON,
  },
  async run({ args, data: given }) {
    const { output } = given as CliContext;
    const seed = numberOf('seed', args.seed)!;
    const samples = numberOf('samples', args.samples, { least: 1 });
    const { train: all, test } = await loadData(args.data!, { seed });
    const made = await madeFeatures({ train: slice(all, 0, samples ?? all.count), test }, args, output);
    const { width, scaling } = made.train;
    const files = args.csv ? await writeCsv(made, args.out) : await writeIdx(made, args.out);
    output.result(
      {
        data: args.data,
        features: basename(args.features),
        width,
        samples: { train: made.train.count, test: made.test.count },
        scaling: { offset: [...scaling.offset], step: [...scaling.step] },
        files,
      },
      `${args.out}: ${made.train.count} and ${made.test.count} samples of ${width} features`,
    );
  },
});

const PARTS = ['train', 'test'] as const;
type Parts = Readonly<Record<(typeof PARTS)[number], Dataset>>;

async function writeIdx(parts: Parts, folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const part of PARTS) {
    const { inputs, labels, count, width } = parts[part];
    const stem = part === 'train' ? 'train' : 't10k';
    const files = {
      [`${stem}-images-idx2-ubyte`]: { shape: [count, width], values: inputs },
      [`${stem}-labels-idx1-ubyte`]: { shape: [count], values: labels },
    };
    for (const [name, array] of Object.entries(files)) {
      names.push(join(folder, name));
      await writeWhole(join(folder, name), encodeIdx(array));
    }
  }
  return names;
}

/** Longest text that a file is made of at once. */
const MOST_NUMBERS = 30_000_000;

async function writeCsv(parts: Parts, folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const part of PARTS) {
    const { inputs, labels, count, width, classes, scaling } = parts[part];
    if (inputs.length > MOST_NUMBERS) {
      throw new GoodnessError('features.size', 'these are too many features for a CSV file', {
        expected: `at most ${MOST_NUMBERS} numbers`,
        got: `${count} samples with ${width} each`,
        fix: 'Take fewer samples, or leave --csv out.',
      });
    }
    const { offset, step } = scaling;
    const at = (k: number): number => (offset.length === 1 ? 0 : k % width);
    const values = Float64Array.from(inputs, (byte, k) => offset[at(k)]! + step[at(k)]! * byte);
    const table = { values, labels: Array.from(labels, (label) => classes[label]!), rows: count, width };
    names.push(join(folder, `${part}.csv`));
    await writeWhole(join(folder, `${part}.csv`), formatCsv(table));
  }
  return names;
}
