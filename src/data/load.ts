import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { GoodnessError } from '../base/errors.js';
import { parseCsv } from './csv.js';
import type { Dataset } from './dataset.js';
import { hasIdxNames, loadIdxFolder, loadMnist, type TrainTest } from './mnist.js';
import { withOthers } from './others.js';
import { encodeValues, fitScaling } from './scaling.js';
import { classesOf, encodeTable, splitTable, type TableOptions } from './table.js';
import { textData } from './text.js';

export interface LoadOptions extends Omit<TableOptions, 'name'> {
  /** Whether the first row of a CSV names the columns; default: found out. */
  readonly header?: boolean;
  /** Adds a class of this name to CSV data, of made-up rows that are like none of the others (see withOthers). */
  readonly others?: string;
  /** Characters of a sample of a text; 10 where left out. */
  readonly window?: number;
}

/** What texts are called. */
const TEXT = '.txt';

/** Larger files are refused: the data set lives in memory. */
const MAX_CSV_BYTES = 256 * 1024 * 1024;

/**
 * Loads what a user named: `mnist`; a text (*.txt); a CSV file (split by `seed`); a folder with four IDX files; or a folder with
 * `train.csv` and `test.csv`. With `scaling` and `classes` of a model, a CSV is encoded for that model, and labels of IDX files are its classes.
 * @throws GoodnessError data.missing, data.unknown, data.size, and those of the loaders
 */
export async function loadData(spec: string, options: LoadOptions = {}): Promise<TrainTest> {
  const { classes, others } = options;
  if (spec === 'mnist' && others !== undefined) throw noOthers(spec);
  if (spec === 'mnist') return loadMnist(classes === undefined ? {} : { classes });
  const info = await stat(spec).catch((cause: unknown) => {
    throw new GoodnessError('data.missing', `there is no data at ${spec}`, {
      expected: '`mnist`, a CSV file, a text (*.txt), or a folder with IDX files',
      cause,
    });
  });
  const isText = !info.isDirectory() && spec.endsWith(TEXT);
  if (isText && others !== undefined) throw noOthers(spec);
  if (isText) return textData(await readFile(spec, 'utf8'), { ...options, name: basename(spec) });
  if (!info.isDirectory()) {
    const table = await readCsv(spec, info.size, options);
    return splitTable(table, { ...options, name: basename(spec) });
  }
  const names = await readdir(spec);
  if (hasIdxNames(names) && others !== undefined) throw noOthers(spec);
  if (hasIdxNames(names)) return loadIdxFolder(spec, basename(spec), classes);
  if (names.includes('train.csv') && names.includes('test.csv')) return loadCsvFolder(spec, options);
  throw new GoodnessError('data.unknown', `the folder ${spec} holds no data of a known kind`, {
    expected: 'train- and t10k- images and labels as IDX files, or train.csv and test.csv',
    got: names.length === 0 ? 'an empty folder' : names.slice(0, 8).join(', '),
  });
}

/**
 * Samples as another data set would have them, whatever their labels are: for negative data.
 * @param like decides scaling, inputs and classes; every sample gets the label 0
 * @throws GoodnessError data.width, and those of `loadData`
 */
export async function loadSamples(spec: string, like: Dataset): Promise<Dataset> {
  const isCsv = spec !== 'mnist' && (await stat(spec).catch(() => undefined))?.isFile() === true;
  const { inputs, width } = isCsv ? await encodedRows(spec, like) : (await loadData(spec)).train;
  if (width !== like.width) {
    throw new GoodnessError('data.width', `the samples of ${spec} do not fit those of ${like.name}`, {
      expected: `${like.width} inputs`,
      got: String(width),
    });
  }
  const count = inputs.length / width;
  return { ...like, name: basename(spec), inputs, labels: new Uint8Array(count), count };
}

async function encodedRows(
  path: string,
  { scaling, width: wanted }: Dataset,
): Promise<{ inputs: Uint8Array; width: number }> {
  const { values, width } = await readCsv(path, (await stat(path)).size, {});
  // Rows of another width would not fit the scaling either.
  return { inputs: width === wanted ? encodeValues(values, width, scaling) : new Uint8Array(width), width };
}

function noOthers(spec: string): GoodnessError {
  return new GoodnessError('data.others', 'rows are made up for CSV data only', {
    got: spec,
    fix: 'Leave --other out.',
  });
}

async function loadCsvFolder(dir: string, options: LoadOptions): Promise<TrainTest> {
  const read = async (file: string) => readCsv(join(dir, file), (await stat(join(dir, file))).size, options);
  const [trainTable, testTable] = [await read('train.csv'), await read('test.csv')];
  const name = basename(dir);
  const classes = options.classes ?? classesOf(trainTable.labels, name);
  const scaling = options.scaling ?? fitScaling(trainTable.values, trainTable.width, options.headroom ?? 0);
  return {
    train: encodeTable(trainTable, scaling, classes, name),
    test: encodeTable(testTable, scaling, classes, `${name} test`),
  };
}

async function readCsv(path: string, size: number, options: LoadOptions) {
  if (size > MAX_CSV_BYTES) {
    throw new GoodnessError('data.size', `${path} is too large`, {
      expected: `at most ${MAX_CSV_BYTES >> 20} MB`,
      got: `${size >> 20} MB`,
    });
  }
  const text = await readFile(path, 'utf8');
  const { header, others, seed } = options;
  const table = parseCsv(text, { name: basename(path), ...(header === undefined ? {} : { header }) });
  return others === undefined ? table : withOthers(table, { name: others, ...(seed === undefined ? {} : { seed }) });
}
