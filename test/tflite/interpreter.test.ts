import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { encodeTflite } from '../../src/tflite/encode.js';
import { Graph } from '../../src/tflite/graph.js';
import { TfliteInterpreter } from '../../src/tflite/interpreter.js';
import { networkGraph } from '../../src/tflite/network.js';
import { randomModel } from '../golden/random-model.js';
import { doubling } from './support/graphs.js';

describe('an interpreter', { timeout: 60_000 }, () => {
  let interpreter: TfliteInterpreter;
  beforeAll(async () => {
    interpreter = await TfliteInterpreter.open(encodeTflite(doubling(3)));
  });
  afterAll(() => interpreter.close());

  it('runs samples one after the other, more than go to its thread at once', async () => {
    const samples = Float32Array.from({ length: 3 * 250 }, (_, i) => i / 2);
    const progress: number[] = [];
    const out = await interpreter.run(samples, (done) => progress.push(done));
    expect(out).toEqual(samples.map((x) => 2 * x));
    expect(progress).toEqual([100, 200, 250]);
    expect(await interpreter.run(new Float32Array(0))).toEqual(new Float32Array(0));
  });

  it('refuses samples of another type or width', async () => {
    await expect(interpreter.run(new Float32Array(4))).rejects.toMatchObject({ code: 'tflite.samples' });
    await expect(interpreter.run(new Uint8Array(3))).rejects.toMatchObject({ code: 'tflite.samples' });
  });

  it('leaves the globals of this thread alone, and its output', async () => {
    expect('importScripts' in globalThis).toBe(false);
    expect('tflite_web_api_ModuleFactory' in globalThis).toBe(false);
  });

  it('says so when it was closed', async () => {
    const other = await TfliteInterpreter.open(encodeTflite(doubling(2)));
    await other.close();
    await expect(other.run(new Float32Array(2))).rejects.toMatchObject({ code: 'tflite.run' });
  });
});

describe('without its runtime, an optional package', { timeout: 60_000 }, () => {
  it('says what to install', () => {
    const folder = mkdtempSync(join(tmpdir(), 'goodness-bare-'));
    try {
      // The package's own files, where no node_modules is to be found.
      for (const part of ['base', 'tflite']) cpSync(join('dist', part), join(folder, part), { recursive: true });
      writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
      writeFileSync(join(folder, 'model.tflite'), encodeTflite(doubling(2)));
      writeFileSync(
        join(folder, 'main.js'),
        `import { readFileSync } from 'node:fs';
        import { TfliteInterpreter } from './tflite/interpreter.js';
        const error = await TfliteInterpreter.open(readFileSync('model.tflite')).catch((error) => error);
        console.log(error.code, error.message);`,
      );
      const out = execFileSync(process.execPath, ['main.js'], { cwd: folder, encoding: 'utf8' });
      expect(out).toMatch(/^tflite\.missing .*Install it: `npm install @tensorflow\/tfjs-tflite@0\.0\.1-alpha\.10`/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('a model that can not be run', { timeout: 60_000 }, () => {
  it('has one input and one output', async () => {
    const graph = doubling(2);
    graph.output(graph.inputs[0]!);
    await expect(TfliteInterpreter.open(encodeTflite(graph), 'two.tflite')).rejects.toMatchObject({
      code: 'tflite.ends',
      message: expect.stringContaining('two.tflite'),
    });
  });

  it('is refused with what the runtime says of an operator that it does not know', async () => {
    const graph = new Graph('unknown', '');
    const tensor = (name: string) => ({ name, type: 'float32', shape: [1, 2] }) as const;
    const input = graph.input(tensor('in'));
    graph.output(graph.tensor(tensor('out')));
    graph.operators.push({ code: 32, version: 1, inputs: [input], outputs: [1] });
    await expect(TfliteInterpreter.open(encodeTflite(graph), 'custom.tflite')).rejects.toMatchObject({
      code: 'tflite.load',
      message: expect.stringMatching(/^custom\.tflite can not be loaded by the TensorFlow Lite runtime/),
    });
  });

  it('never takes this process with it, whatever byte of it is damaged', async () => {
    const file = encodeTflite(networkGraph(randomModel({ seed: 2, rawInputs: 4, classes: 2, hidden: [4] })));
    const random = new Random(7);
    const codes = new Set<string>();
    for (let n = 0; n < 25; n++) {
      const damaged = file.slice();
      for (let k = 0; k < 3; k++) damaged[8 + random.integer(file.length - 8)] = random.integer(256);
      try {
        const interpreter = await TfliteInterpreter.open(damaged);
        try {
          if (interpreter.input.type === 'int8') await interpreter.run(new Int8Array(interpreter.input.elements));
        } finally {
          await interpreter.close();
        }
        codes.add('runs');
      } catch (error) {
        codes.add((error as { code?: string }).code ?? String(error));
      }
    }
    const known = /^(runs|tflite\.(damaged|version|type|ends|load|run))$/;
    expect([...codes].filter((code) => !known.test(code))).toEqual([]);
    expect(codes.size).toBeGreaterThan(1);
  }, 120_000);
});
