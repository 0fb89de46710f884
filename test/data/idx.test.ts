import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sample } from '../../src/data/dataset.js';
import { decodeIdx, encodeIdx } from '../../src/data/idx.js';
import { loadData } from '../../src/data/load.js';
import { loadIdxFolder, loadMnist } from '../../src/data/mnist.js';

const images = encodeIdx({ shape: [4, 2, 3], values: Uint8Array.from({ length: 24 }, (_, k) => k * 10) });
const labels = encodeIdx({ shape: [4], values: Uint8Array.of(3, 1, 3, 9) });

describe('an IDX file', () => {
  it('decodes to its shape and bytes, packed or not', () => {
    for (const file of [images, gzipSync(images)]) {
      const array = decodeIdx(file);
      expect(array.shape).toEqual([4, 2, 3]);
      expect(array.values).toHaveLength(24);
      expect(array.values[23]).toBe(230);
    }
  });

  it.each([
    ['an empty file', new Uint8Array(0), 'idx.magic'],
    ['a web page', new TextEncoder().encode('<!DOCTYPE html>'), 'idx.magic'],
    ['floats', Uint8Array.of(0, 0, 0x0d, 1, 0, 0, 0, 0), 'idx.type'],
    ['no dimensions', Uint8Array.of(0, 0, 8, 0), 'idx.shape'],
    ['a header that is cut off', Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 1), 'idx.shape'],
    [
      'a shape that would fill the memory',
      Uint8Array.of(0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255),
      'idx.shape',
    ],
    ['values that are cut off', images.slice(0, 30), 'idx.length'],
    ['values that are too many', Uint8Array.from([...images, 0]), 'idx.length'],
    ['a gzip that is cut off', gzipSync(images).subarray(0, 20), 'idx.gzip'],
  ])('is refused when it holds %s', (_, file, code) => {
    expect(() => decodeIdx(file)).toThrow(expect.objectContaining({ code }));
  });
});

describe('a folder of IDX files', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'idx-'));
  });
  afterAll(async () => rm(dir, { recursive: true }));

  it('loads with dots, dashes and gz mixed, and numbers its classes by the labels that occur', async () => {
    await writeFile(join(dir, 'train-images.idx3-ubyte'), images);
    await writeFile(join(dir, 'train-labels-idx1-ubyte.gz'), gzipSync(labels));
    await writeFile(join(dir, 't10k-images-idx3-ubyte'), images);
    await writeFile(join(dir, 't10k-labels-idx1-ubyte'), labels);
    const { train, test } = await loadIdxFolder(dir, 'tiny');
    expect(train.classes).toEqual(['1', '3', '9']);
    expect([...train.labels]).toEqual([1, 0, 1, 2]);
    expect(train.geometry).toEqual({ width: 3, height: 2 });
    expect([...sample(test, 1)]).toEqual([60, 70, 80, 90, 100, 110]);
  });

  it('loads vectors of bytes, which are no images', async () => {
    const folder = await mkdtemp(join(dir, 'vectors-'));
    for (const stem of ['train', 't10k']) {
      const vectors = encodeIdx({ shape: [4, 3], values: Uint8Array.from({ length: 12 }, (_, k) => k) });
      await writeFile(join(folder, `${stem}-images-idx2-ubyte`), vectors);
      await writeFile(join(folder, `${stem}-labels-idx1-ubyte`), labels);
    }
    const { train } = await loadData(folder);
    expect([train.count, train.width, train.geometry]).toEqual([4, 3, undefined]);
    expect([...sample(train, 2)]).toEqual([6, 7, 8]);
    await writeFile(join(folder, 't10k-images-idx2-ubyte'), encodeIdx({ shape: [4, 2], values: new Uint8Array(8) }));
    await expect(loadData(folder)).rejects.toMatchObject({ code: 'idx.geometry' });
    await writeFile(join(folder, 't10k-images-idx2-ubyte'), encodeIdx({ shape: [4], values: new Uint8Array(4) }));
    await expect(loadData(folder)).rejects.toMatchObject({ code: 'idx.shape' });
  });

  it('gives labels the classes of a model, by name or by number, and refuses those that do not fit', async () => {
    const byName = await loadIdxFolder(dir, 'tiny', ['0', '1', '3', '9', 'later']);
    expect(byName.train.classes).toEqual(['0', '1', '3', '9', 'later']);
    expect([...byName.train.labels]).toEqual([2, 1, 2, 3]);
    const letters = [...'abcdefghij'];
    const byNumber = await loadData(dir, { classes: letters });
    expect([...byNumber.test.labels].map((label) => byNumber.test.classes[label])).toEqual(['d', 'b', 'd', 'j']);
    await expect(loadData(dir, { classes: letters.slice(0, 9) })).rejects.toMatchObject({ code: 'idx.classes' });
    await expect(loadData('mnist', { classes: ['no', 'yes'] })).rejects.toMatchObject({ code: 'idx.classes' });
  });

  it('says which file is missing or does not go with the others', async () => {
    await expect(loadIdxFolder(join(dir, 'nowhere'))).rejects.toMatchObject({ code: 'idx.folder' });
    await writeFile(join(dir, 't10k-labels-idx1-ubyte'), encodeIdx({ shape: [3], values: Uint8Array.of(1, 2, 3) }));
    await expect(loadIdxFolder(dir)).rejects.toMatchObject({ code: 'idx.count' });
    await writeFile(join(dir, 't10k-labels-idx1-ubyte'), images);
    await expect(loadIdxFolder(dir)).rejects.toMatchObject({ code: 'idx.shape' });
    await rm(join(dir, 't10k-labels-idx1-ubyte'));
    await expect(loadIdxFolder(dir)).rejects.toMatchObject({ code: 'idx.folder' });
  });
});

describe('MNIST', () => {
  it('comes whole from the installed package', async () => {
    const { train, test } = await loadMnist();
    expect([train.count, test.count, train.width]).toEqual([60000, 10000, 784]);
    expect([...train.labels.subarray(0, 6)]).toEqual([5, 0, 4, 1, 9, 2]);
    expect(test.classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });
});
