import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/data/dataset.js';
import { encodeIdx } from '../../src/data/idx.js';
import { decodeImage } from '../../src/format/image.js';
import { metaOf } from '../../src/format/meta.js';
import { encodeTflite } from '../../src/tflite/encode.js';
import { doubling } from '../tflite/support/graphs.js';
import { bars } from '../train/blobs.js';
import { goodness, json } from './support/run.js';

const SIDE = 8;
let folder = '';
const at = (name: string): string => join(folder, name);

function writePart(stem: string, { inputs, labels, count }: Dataset): void {
  writeFileSync(at(`bars/${stem}-images-idx3-ubyte`), encodeIdx({ shape: [count, SIDE, SIDE], values: inputs }));
  writeFileSync(at(`bars/${stem}-labels-idx1-ubyte`), encodeIdx({ shape: [count], values: labels }));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'goodness-features-'));
  mkdirSync(at('bars'));
  writePart('train', bars(400, 1));
  writePart('t10k', bars(120, 2));
  execFileSync(process.execPath, ['examples/extractor.mjs', at('edges.tflite'), String(SIDE), String(SIDE)]);
  const said = await goodness([
    ...['train', at('bars'), '--features', at('edges.tflite'), '--layers', '24-24'],
    ...['--epochs', '20', '--out', at('net'), '--json'],
  ]);
  expect(said.code, said.err).toBe(0);
  trained = json(said) as typeof trained;
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));
let trained: { layers: string; quantized: { testError: number } };

const MODEL = 'net/model.ffm';
const device = (...words: string[]): string[] => [
  ...words,
  '--port',
  'sim',
  '--model',
  at(MODEL),
  '--data',
  at('bars'),
];
const EDGES = (): string[] => ['--features', at('edges.tflite')];

describe('a frozen extractor in front of a network', { timeout: 60_000 }, () => {
  it('makes the inputs that the network is trained on, and is named in its meta', () => {
    expect(trained.layers).toBe('32-24-24');
    expect(trained.quantized.testError).toBeLessThan(10);
    const model = decodeImage(readFileSync(at(MODEL)));
    expect([model.rawInputs, model.encoding, model.subtractMin]).toEqual([32, 'plain', false]);
    expect(metaOf(model)).toMatchObject({
      extractor: { file: 'edges.tflite', scaling: { offset: [0], step: [Math.fround(1 / 255)] } },
      scaling: { offset: [0], step: [expect.any(Number)] },
    });
  });

  it('is shown by inspect', async () => {
    const { out } = await goodness(['inspect', at(MODEL)]);
    expect(out).toContain('input       32 features of edges.tflite, a byte each\n');
  });

  it('runs on the host while a device classifies and learns what comes out', async () => {
    const evaluated = json(await goodness([...device('eval'), ...EDGES(), '--json']));
    expect(evaluated.error).toBe(trained.quantized.testError);
    const shifted = json(await goodness([...device('eval'), ...EDGES(), '--shift', 'noise60', '--json']));
    expect(shifted.error).not.toBe(evaluated.error);
    const learned = json(await goodness([...device('learn'), ...EDGES(), '--samples', '50', '--json']));
    expect(learned.samples).toBe(50);
    const verified = await goodness(['verify', at(MODEL), '--data', at('bars'), ...EDGES(), '--learn', '20']);
    expect([verified.code, verified.out]).toEqual([0, expect.stringContaining('no mismatch')]);
  });

  it('goes into a sync and a new quantization, too', async () => {
    const port = ['--port', `sim:${at('flash.bin')}`];
    await goodness(['flash', ...port, at(MODEL)]);
    const data = ['--data', at('bars'), ...EDGES()];
    await goodness(['learn', ...port, ...data, '--shift', 'noise60', '--samples', '100', '--save']);
    const synced = await goodness(['sync', ...port, ...data, '--json']);
    expect(synced.code, synced.err).toBe(0);
    expect(json(synced)).toMatchObject({ samples: 100, saved: true });
    const out = at('again.ffm');
    const words = ['quantize', at('net/checkpoint.safetensors'), '--data', at('bars'), ...EDGES(), '--out', out];
    const said = await goodness(words);
    expect(said.code, said.err).toBe(0);
    expect(readFileSync(out)).toEqual(readFileSync(at(MODEL)));
  });

  it('exports the network behind it', async () => {
    await goodness(['export', at(MODEL), '--tflite', at('net.tflite'), '--activations', '16']);
    const words = ['verify', '--tflite', at('net.tflite'), at(MODEL), '--data', at('bars'), ...EDGES(), '--json'];
    expect(json(await goodness(words))).toMatchObject({ samples: 120, different: 0 });
  });

  it.each([
    ['is missing', [], 'features.missing'],
    ['is another one', ['--features', 'other.tflite'], 'features.other'],
    ['is no model', ['--features', 'bars/train-labels-idx1-ubyte'], 'tflite.file'],
    ['is not where it should be', ['--features', 'nowhere.tflite'], 'file.read'],
  ])('is asked for where it %s', async (_, words, code) => {
    writeFileSync(at('other.tflite'), encodeTflite(doubling(SIDE * SIDE)));
    const said = await goodness([...device('eval'), ...words.map((word, k) => (k === 1 ? at(word) : word))]);
    expect([said.code, said.out]).toEqual([2, '']);
    expect(said.err).toContain(`error[${code}]`);
  });

  it.each([
    ['pooling', ['train', 'bars', '--features', 'edges.tflite', '--pool', '2'], 'usage.option'],
    ['a range of nothing', ['train', 'bars', '--features', 'edges.tflite', '--features-range', '1,0'], 'usage.value'],
    ['a range without a model', ['train', 'bars', '--features-range', '0,1'], 'usage.option'],
    ['a model for other images', ['train', 'bars', '--features', 'wide.tflite'], 'features.shape'],
  ])('can not be had with %s', async (_, words, code) => {
    writeFileSync(at('wide.tflite'), encodeTflite(doubling(SIDE * SIDE + 1)));
    const said = await goodness([
      ...words.map((word) => (/^bars$|\.tflite$/.test(word) ? at(word) : word)),
      ...['--out', at('x')],
    ]);
    expect([said.code, said.out]).toEqual([2, '']);
    expect(said.err).toContain(`error[${code}]`);
  });

  it('is refused for a network that takes bytes of a sensor', async () => {
    const plain = await goodness(['train', at('bars'), '--layers', '12', '--epochs', '1', '--out', at('plain')]);
    expect(plain.code, plain.err).toBe(0);
    copyFileSync(at('plain/model.ffm'), at('plain.ffm'));
    const words = ['eval', '--port', 'sim', '--model', at('plain.ffm'), '--data', at('bars')];
    expect((await goodness([...words, ...EDGES()])).err).toContain('error[features.unused]');
  });
});

describe('an extractor for rows of a table', { timeout: 60_000 }, () => {
  it('takes their values, and keeps the scaling that makes bytes of them', async () => {
    const rows = Array.from({ length: 160 }, (_, k) => {
      const [label, wave] = [k % 2, Math.sin(k) / 4];
      return `${1000 + 50 * label + 10 * wave},${-3 + wave},${label + wave},${label === 0 ? 'low' : 'high'}`;
    });
    writeFileSync(at('rows.csv'), `${rows.join('\n')}\n`);
    writeFileSync(at('double.tflite'), encodeTflite(doubling(3)));
    const features = ['--features', at('double.tflite')];
    const words = ['train', at('rows.csv'), ...features, '--layers', '12', '--epochs', '30', '--out', at('rows')];
    const said = json(await goodness([...words, '--json'])) as typeof trained;
    expect(said.quantized.testError).toBeLessThan(10);
    const meta = metaOf(decodeImage(readFileSync(at('rows/model.ffm'))));
    const [step, own] = [meta.extractor!.scaling.step, meta.scaling!.step];
    // A scaling for each column that goes in, with room for a sensor that drifts; one for each feature, twice as large, without.
    expect([step.length, own.length]).toEqual([3, 3]);
    expect(own[0]! / step[0]!).toBeCloseTo(2 / 1.5, 1);
    const evaluated = ['eval', '--port', 'sim', '--model', at('rows/model.ffm'), '--data', at('rows.csv'), ...features];
    expect(json(await goodness([...evaluated, '--json'])).error).toBe(said.quantized.testError);
  });
});

describe('goodness features', { timeout: 60_000 }, () => {
  it('keeps bytes from which the same network comes', async () => {
    const said = json(await goodness(['features', at('bars'), ...EDGES(), '--out', at('idx'), '--json']));
    expect(said).toMatchObject({ features: 'edges.tflite', width: 32, samples: { train: 400, test: 120 } });
    const words = ['train', at('idx'), '--layers', '24-24', '--epochs', '20', '--out', at('idx-net'), '--json'];
    const { layers, quantized } = json(await goodness(words)) as typeof trained;
    expect({ layers, error: quantized.testError }).toEqual({ layers: '32-24-24', error: trained.quantized.testError });
    const [direct, kept] = [MODEL, 'idx-net/model.ffm'].map((name) => decodeImage(readFileSync(at(name))));
    expect(kept!.layers).toEqual(direct!.layers);
  });

  it('keeps values as CSV files', async () => {
    const words = ['features', at('bars'), ...EDGES(), '--samples', '90', '--csv', '--out', at('csv')];
    const said = await goodness(words);
    expect([said.code, said.out]).toEqual([0, `${at('csv')}: 90 and 120 samples of 32 features\n`]);
    const lines = readFileSync(at('csv/train.csv'), 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(91);
    expect(lines[1]!.split(',')).toHaveLength(33);
    const train = [
      'train',
      at('csv'),
      '--headroom',
      '0',
      '--layers',
      '12-12',
      '--epochs',
      '10',
      '--out',
      at('csv-net'),
    ];
    expect((await goodness(train)).code).toBe(0);
  });
});
