import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scoreDataset } from '../../src/quantize/scores.js';
import { EQUAL_ENOUGH } from '../../src/tflite/comparison.js';
import { TfliteInterpreter } from '../../src/tflite/interpreter.js';
import { exportTflite } from '../../src/tflite/network.js';
import { randomInputs, randomModel } from '../golden/random-model.js';
import { digits } from './support/trained.js';

/** Runtimes beside the one that the package brings: `open` gives `ends` and `infer(sample)` in Python. */
const WITNESSES = [
  {
    // What TensorFlow Lite is called now, years younger.
    name: 'LiteRT',
    module: 'ai_edge_litert.interpreter',
    open: `
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(model_path=path, num_threads=1)
interpreter.allocate_tensors()
[i], [o] = interpreter.get_input_details(), interpreter.get_output_details()
ends = [(e, e['quantization_parameters']) for e in (i, o)]
def infer(sample):
    interpreter.set_tensor(i['index'], sample)
    interpreter.invoke()
    return interpreter.get_tensor(o['index'])
`,
  },
  {
    name: 'TensorFlow Lite for Microcontrollers',
    module: 'tflite_micro.python.tflite_micro.runtime',
    open: `
from tflite_micro.python.tflite_micro import runtime
interpreter = runtime.Interpreter.from_file(path, arena_size=1 << 18)
i, o = interpreter.get_input_details(0), interpreter.get_output_details(0)
ends = [(e, e['quantization_parameters']) for e in (i, o)]
def infer(sample):
    interpreter.set_input(sample, 0)
    interpreter.invoke()
    return interpreter.get_output(0)
`,
  },
].map((witness) => ({ ...witness, python: pythonWith(witness.module) }));

function pythonWith(module: string): string | undefined {
  return [process.env.GOODNESS_PYTHON, 'python3'].find(
    (program) => program !== undefined && spawnSync(program, ['-c', `import ${module}`]).status === 0,
  );
}

/** Takes a model, samples and a file for results; prints what the model says about its ends. */
const program = (open: string): string => `
import json, sys
import numpy as np
path = sys.argv[1]
${open}
samples = np.fromfile(sys.argv[2], i['dtype']).reshape(-1, *i['shape'])
np.concatenate([infer(sample) for sample in samples]).tofile(sys.argv[3])
print(json.dumps([{'shape': e['shape'].tolist(), 'type': e['dtype'].__name__, 'scales': q['scales'].tolist(), 'zeros': q['zero_points'].tolist()} for e, q in ends]))
`;

describe.each(WITNESSES)('$name, another runtime', { timeout: 60_000 }, ({ name, python, open }) => {
  const skipped = python === undefined ? ` (SKIPPED: Python has no ${name})` : '';
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'goodness-litert-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function run(model: Uint8Array, samples: Int8Array): { said: unknown; scores: Float32Array } {
    const [file, input, output] = ['m.tflite', 'in', 'out'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(file, model);
    writeFileSync(input, samples);
    const { status, stdout, stderr } = spawnSync(python!, ['-c', program(open), file, input, output], {
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    return { said: JSON.parse(stdout), scores: new Float32Array(Uint8Array.from(readFileSync(output)).buffer) };
  }

  it.skipIf(skipped !== '').each([
    ['plain', {}, 8],
    ['with complements and without its smallest byte', { encoding: 'complement', subtractMin: true }, 8],
    ['in 16 bits', {}, 16],
  ] as const)(
    `reads what is written, and says what the first one says: %s${skipped}`,
    async (_, options, activations) => {
      const model = randomModel({ seed: 11, rawInputs: 30, classes: 5, hidden: [40, 20], ...options });
      const samples = Int8Array.from(
        randomInputs(3, 50, 30).flatMap((bytes) => [...bytes]),
        (byte) => byte - 128,
      );
      const file = exportTflite(model, { activations });
      const { said, scores } = run(file, samples);
      expect(said).toEqual([
        { shape: [1, 30], type: 'int8', scales: [1], zeros: [-128] },
        { shape: [1, 5], type: 'float32', scales: [], zeros: [] },
      ]);
      const interpreter = await TfliteInterpreter.open(file);
      const others = await interpreter.run(samples);
      await interpreter.close();
      const largest = Math.max(...others);
      // The runtimes round sums that lie between two steps differently.
      scores.forEach((score, k) => {
        expect(Math.abs(score - others[k]!) / largest, `sample ${Math.floor(k / 5)}`).toBeLessThan(0.02);
      });
    },
  );

  it.skipIf(skipped !== '')(
    `puts at least 99.9% of 10,000 digits where the reference puts them${skipped}`,
    async () => {
      const { model, test } = await digits();
      const { scores } = run(
        exportTflite(model),
        Int8Array.from(test.inputs, (byte) => byte - 128),
      );
      const reference = scoreDataset(model, test);
      let equal = 0;
      for (let s = 0; s < test.count; s++) if (classAt(reference, s) === classAt(scores, s)) equal++;
      expect(test.count).toBe(10_000);
      expect((100 * equal) / test.count).toBeGreaterThanOrEqual(EQUAL_ENOUGH);
    },
    120_000,
  );
});

/** The class of a digit by its ten scores. */
function classAt(scores: Uint32Array | Float32Array, sample: number): number {
  const own = scores.subarray(sample * 10, sample * 10 + 10);
  return own.indexOf(Math.max(...own));
}
