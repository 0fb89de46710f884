import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeImage } from '../../src/format/image.js';
import { decodeTflite } from '../../src/tflite/decode.js';
import { randomModel } from '../golden/random-model.js';
import { goodness, json } from './support/run.js';

let folder = '';
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'goodness-tflite-'));
  const data = at('gestures.csv');
  await goodness(['generate', 'gestures', '--per-class', '150', '--out', data]);
  const said = await goodness(['train', data, '--layers', '24-24', '--epochs', '20', '--out', folder]);
  expect(said.code, said.err).toBe(0);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe('goodness export --tflite and verify --tflite', { timeout: 60_000 }, () => {
  it('write a TensorFlow Lite model, and compare it with the reference', async () => {
    const [model, tflite] = [at('model.ffm'), at('model.tflite')];
    const written = json(await goodness(['export', model, '--tflite', tflite, '--activations', '16', '--json']));
    expect(written).toMatchObject({ tflite, inputs: 42, classes: 6, activations: 16 });
    expect(decodeTflite(readFileSync(tflite)).outputs[0]).toMatchObject({ type: 'float32', shape: [1, 6] });
    const said = await goodness(['verify', '--tflite', tflite, model, '--data', at('gestures.csv'), '--json']);
    expect(said.code, said.err).toBe(0);
    const report = json(said);
    expect(report).toMatchObject({ model, tflite, samples: 180, different: 0, equal: 100 });
    const { goodness: apart, error } = report as { goodness: { largest: number }; error: { tflite: number } };
    expect(apart.largest).toBeLessThan(1e-5);
    expect(error.tflite).toBeLessThan(25);
    const few = await goodness(['verify', '--tflite', tflite, model, '--data', at('gestures.csv'), '--samples', '20']);
    expect(few.out).toMatch(/agrees with the reference: 100\.00% of 20 samples in the same class \(0 differ\)/);
  });

  it('end with 1 where classes differ', async () => {
    const other = at('other.tflite');
    writeFileSync(at('other.ffm'), encodeImage(otherModel()));
    await goodness(['export', at('other.ffm'), '--tflite', other]);
    const said = await goodness(['verify', '--tflite', other, at('model.ffm'), '--data', at('gestures.csv')]);
    expect([said.code, said.out]).toEqual([1, '']);
    expect(said.err).toMatch(/error\[check\.tflite\].*expected the same class for 99\.9% of 180 samples; got \d/s);
  });

  it.each([
    ['neither a header nor a model to write', ['export', 'model.ffm'], 'usage.option'],
    ['both', ['export', 'model.ffm', '--header', 'm.h', '--tflite', 'm.tflite'], 'usage.option'],
    ['a board', ['export', 'model.ffm', '--tflite', 'm.tflite', '--board', 'uno'], 'usage.option'],
    ['other activations', ['export', 'model.ffm', '--tflite', 'm.tflite', '--activations', '4'], 'usage.value'],
    ['a label in the input', ['export', 'label.ffm', '--tflite', 'm.tflite'], 'tflite.objective'],
    ['no data', ['verify', '--tflite', 'model.ffm', 'model.ffm'], 'usage.option'],
    ['a device', ['verify', '--tflite', 'm', 'model.ffm', '--data', 'gestures.csv', '--port', 'sim'], 'usage.option'],
    [
      'a file of another kind',
      ['verify', '--tflite', 'model.ffm', 'model.ffm', '--data', 'gestures.csv'],
      'tflite.file',
    ],
    ['no file', ['verify', '--tflite', 'no.tflite', 'model.ffm', '--data', 'gestures.csv'], 'file.read'],
  ])('refuse %s', async (_, words, code) => {
    const label = randomModel({ seed: 1, rawInputs: 8, classes: 2, hidden: [4], objective: 'label' });
    writeFileSync(at('label.ffm'), encodeImage(label));
    const said = await goodness(words.map((word) => (word.includes('.') ? at(word) : word)));
    expect([said.code, said.out]).toEqual([2, '']);
    expect(said.err).toContain(`error[${code}]`);
  });
});

function otherModel() {
  return randomModel({ seed: 1, rawInputs: 42, classes: 6, hidden: [12], encoding: 'complement' });
}
