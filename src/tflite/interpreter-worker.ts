import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { runInThisContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import type { InterpreterReply, InterpreterSetup, RunRequest, TensorData } from './interpreter-messages.js';

// The program of an interpreter's thread. The package is made for browsers: it asks its page for an address, for scripts and for files. All of
// that is answered from its own folder here, in globals that only this thread has.

interface RunnerTensor {
  /** The tensor in the module's memory, which moves when that grows: to be asked for anew each time. */
  data(): TensorData;
}

interface Runner {
  getInputs(): RunnerTensor[];
  getOutputs(): RunnerTensor[];
  infer(): boolean;
}

/** What is used of @tensorflow/tfjs-tflite, an optional dependency whose own types may therefore be absent. */
interface Library {
  setWasmPath(path: string): void;
  /** `modelRunner` is what `predict` works through: without it each sample would become tensors, and a warning. */
  loadTFLiteModel(model: ArrayBuffer, options: { numThreads: number }): Promise<{ modelRunner: Runner }>;
}

const PACKAGE = '@tensorflow/tfjs-tflite';
const ORIGIN = 'http://tflite.invalid';
const require = createRequire(import.meta.url);
const port = parentPort!;
const reply = (message: InterpreterReply, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

function loadLibrary(): Library {
  const folder = join(dirname(require.resolve(PACKAGE)), '..', 'wasm');
  // The build with threads wants web workers.
  const fileOf = (url: unknown): string => join(folder, new URL(String(url)).pathname.replace('_threaded', ''));
  const importScripts = (url: string): void => {
    const file = fileOf(url);
    const module = { exports: {} };
    const program = `(function (require, module, exports, __dirname) {${readFileSync(file, 'utf8')}\n})`;
    runInThisContext(program, { filename: file })(createRequire(file), module, module.exports, folder);
    Object.assign(globalThis, { tflite_web_api_ModuleFactory: module.exports });
  };
  const fetch = async (url: unknown): Promise<Response> =>
    new Response(readFileSync(fileOf(url)), { headers: { 'content-type': 'application/wasm' } });
  const location = { origin: ORIGIN, href: `${ORIGIN}/` };
  Object.assign(globalThis, { self: globalThis, location, importScripts, fetch });
  const library = require(PACKAGE) as Library;
  library.setWasmPath(`${ORIGIN}/`);
  return library;
}

async function start({ model }: InterpreterSetup): Promise<void> {
  let library: Library;
  try {
    library = loadLibrary();
  } catch (error) {
    reply({ kind: 'missing', why: text(error) });
    return;
  }
  const { modelRunner } = await library.loadTFLiteModel(Uint8Array.from(model).buffer, { numThreads: 1 });
  const sizes = (tensors: RunnerTensor[]): number[] => tensors.map((tensor) => tensor.data().length);
  reply({ kind: 'ready', inputs: sizes(modelRunner.getInputs()), outputs: sizes(modelRunner.getOutputs()) });
  port.on('message', (request: RunRequest) => {
    try {
      const output = runAll(modelRunner, request);
      reply({ kind: 'done', id: request.id, output }, [output.buffer as ArrayBuffer]);
    } catch (error) {
      reply({ kind: 'failed', id: request.id, why: text(error) });
    }
  });
}

function runAll(runner: Runner, { count, input }: RunRequest): TensorData {
  const [from, to] = [runner.getInputs()[0]!, runner.getOutputs()[0]!];
  const width = input.length / count;
  const first = to.data();
  const output = new (first.constructor as new (length: number) => TensorData)(count * first.length);
  for (let k = 0; k < count; k++) {
    from.data().set(input.subarray(k * width, (k + 1) * width));
    if (!runner.infer()) throw new Error('the runtime refused to run the model');
    output.set(to.data(), k * first.length);
  }
  return output;
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

try {
  await start(workerData as InterpreterSetup);
} catch (error) {
  reply({ kind: 'failed', why: text(error) });
}
