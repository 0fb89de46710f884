import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { GoodnessError } from '../base/errors.js';
import { decodeTflite, type TensorInfo } from './decode.js';
import type { InterpreterReply, InterpreterSetup, RunRequest, TensorData } from './interpreter-messages.js';
import type { TensorType } from './schema.js';

/** Samples that go to the thread at a time: few messages, and a progress that moves. */
const BATCH = 100;
/** Longest that the thread may work on one of its answers, in ms: a model may hold a loop without an end. */
const DEADLINE_MS = 300_000;
/** Of what the runtime says, for messages. */
const MOST_TEXT = 2000;

type Done = (samples: number, total: number) => void;

/**
 * A `.tflite` model in TensorFlow Lite's own runtime, compiled to WebAssembly (the npm package @tensorflow/tfjs-tflite), in a thread of its own.
 * Models have one input and one output, and take a sample at a time.
 */
export class TfliteInterpreter {
  readonly input: TensorInfo;
  readonly output: TensorInfo;
  private readonly thread: InterpreterThread;

  private constructor(input: TensorInfo, output: TensorInfo, thread: InterpreterThread) {
    this.input = input;
    this.output = output;
    this.thread = thread;
  }

  /**
   * @param name the file, for messages
   * @throws GoodnessError those of `decodeTflite`; `tflite.ends` unless it has one input and one output; `tflite.missing` without the
   * package, `tflite.build` if the thread's program was not built, `tflite.load` if the runtime refuses the model
   */
  static async open(model: Uint8Array, name = 'the model'): Promise<TfliteInterpreter> {
    const { inputs, outputs } = decodeTflite(model);
    const [input, output] = [inputs[0], outputs[0]];
    if (inputs.length !== 1 || outputs.length !== 1 || input === undefined || output === undefined) {
      throw new GoodnessError('tflite.ends', `${name} has several inputs or outputs`, {
        expected: 'one input and one output',
        got: `${inputs.length} and ${outputs.length}`,
      });
    }
    const thread = new InterpreterThread({ model }, name);
    try {
      const sizes = await thread.ready;
      if (sizes.inputs[0] !== input.elements || sizes.outputs[0] !== output.elements) {
        throw refused(name, `${sizes.inputs[0]} numbers in and ${sizes.outputs[0]} out`, {
          expected: `${input.elements} and ${output.elements}, as the file says`,
        });
      }
      return new TfliteInterpreter(input, output, thread);
    } catch (error) {
      await thread.close();
      throw error;
    }
  }

  /**
   * Runs samples, one after the other.
   * @param samples (count, elements of the input), in the input's type
   * @returns (count, elements of the output), in the output's type
   * @throws GoodnessError `tflite.samples`, `tflite.run`
   */
  async run(samples: TensorData, onProgress?: Done): Promise<TensorData> {
    const { input, output } = this;
    if (!(samples instanceof ARRAYS[input.type]) || samples.length % input.elements !== 0) {
      throw new GoodnessError('tflite.samples', 'the samples do not fit the model', {
        expected: `${input.elements} numbers of type ${input.type} for each`,
        got: `${samples.length} in a ${samples.constructor.name}`,
      });
    }
    const count = samples.length / input.elements;
    const results = new ARRAYS[output.type](count * output.elements);
    for (let from = 0; from < count; from += BATCH) {
      const to = Math.min(count, from + BATCH);
      const part = await this.thread.run(samples.slice(from * input.elements, to * input.elements), to - from);
      if (part.length !== (to - from) * output.elements || part.constructor !== results.constructor) {
        throw refused('the model', `${part.length} numbers in a ${part.constructor.name}`);
      }
      results.set(part, from * output.elements);
      onProgress?.(to, count);
    }
    return results;
  }

  close(): Promise<void> {
    return this.thread.close();
  }
}

/** How the numbers of a type lie in memory. */
export const ARRAYS = {
  float32: Float32Array,
  int32: Int32Array,
  uint8: Uint8Array,
  int16: Int16Array,
  int8: Int8Array,
} as const satisfies Record<TensorType, unknown>;

type Ready = Extract<InterpreterReply, { kind: 'ready' }>;

/** The thread's end on this side: one question at a time, each with a deadline. */
class InterpreterThread {
  readonly ready: Promise<Ready>;
  private readonly worker: Worker;
  private readonly name: string;
  private said = '';
  private ended: Error | undefined;
  private ids = 0;
  private settle: { resolve: (reply: InterpreterReply) => void; reject: (error: Error) => void } | undefined;

  constructor(setup: InterpreterSetup, name: string) {
    this.name = name;
    // What the runtime prints is kept for messages, and stays away from the command's own output.
    this.worker = new Worker(program(), { workerData: setup, stdout: true, stderr: true });
    for (const stream of [this.worker.stdout, this.worker.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.said = (this.said + chunk.toString()).slice(-MOST_TEXT);
      });
    }
    this.worker.on('message', (reply: InterpreterReply) => this.settle?.resolve(reply));
    this.worker.on('error', (error) => this.end(error));
    this.worker.on('exit', () => this.end(new Error('the thread has ended')));
    this.ready = this.answer().then((reply) => {
      if (reply.kind === 'ready') return reply;
      if (reply.kind === 'missing') throw missing(reply.why);
      throw this.failure('tflite.load', 'can not be loaded', reply);
    });
    // Who opens the thread waits for it; until then a failure is no unhandled one.
    this.ready.catch(() => {});
  }

  async run(input: TensorData, count: number): Promise<TensorData> {
    const request: RunRequest = { id: ++this.ids, count, input };
    this.worker.postMessage(request, [input.buffer as ArrayBuffer]);
    const reply = await this.answer();
    if (reply.kind === 'done' && reply.id === request.id) return reply.output;
    throw this.failure('tflite.run', 'can not be run', reply);
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private end(reason: Error): void {
    this.ended ??= reason;
    this.settle?.reject(this.ended);
  }

  private answer(): Promise<InterpreterReply> {
    return new Promise<InterpreterReply>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer for ${DEADLINE_MS / 1000} s`)), DEADLINE_MS);
      const done =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(timer);
          settle(value);
        };
      this.settle = { resolve: done(resolve), reject: done(reject) };
      if (this.ended !== undefined) this.settle.reject(this.ended);
    }).catch((cause: Error) => {
      throw this.failure('tflite.run', 'was given up', { kind: 'failed', why: cause.message });
    });
  }

  private failure(code: string, what: string, reply: InterpreterReply): GoodnessError {
    const why = 'why' in reply ? reply.why.replace(/[.\s]+$/, '') : `an answer out of turn (${reply.kind})`;
    const said = this.said
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('INFO:'))
      .slice(-4)
      .join(' / ');
    return new GoodnessError(code, `${this.name} ${what} by the TensorFlow Lite runtime`, {
      got: said === '' ? why : `${why}: ${said}`,
      fix: 'Does it use built-in operators only, and is the file whole?',
    });
  }
}

function refused(name: string, got: string, details: { expected?: string } = {}): GoodnessError {
  return new GoodnessError('tflite.load', `${name} is another one for the TensorFlow Lite runtime than its file says`, {
    ...details,
    got,
  });
}

function missing(why: string): GoodnessError {
  return new GoodnessError('tflite.missing', 'the runtime of TensorFlow Lite models is not installed', {
    expected: 'the npm package @tensorflow/tfjs-tflite, an optional dependency',
    got: why.split('\n')[0]!,
    fix: 'Install it: `npm install @tensorflow/tfjs-tflite@0.0.1-alpha.10`.',
  });
}

/**
 * The thread's program as JavaScript: beside this file in the package. From the sources it is the one that was built last, unless its
 * source is newer.
 */
function program(): URL {
  const here = new URL(import.meta.url);
  if (here.pathname.endsWith('.js')) return new URL('./interpreter-worker.js', here);
  const built = new URL('../../dist/tflite/interpreter-worker.js', here);
  const [source, made] = [fileURLToPath(new URL('./interpreter-worker.ts', here)), fileURLToPath(built)];
  if (existsSync(made) && statSync(made).mtimeMs >= statSync(source).mtimeMs) return built;
  throw new GoodnessError(
    'tflite.build',
    'the thread of the TensorFlow Lite runtime was not built since its source changed',
    {
      fix: 'Build it with `npm run build`.',
    },
  );
}
