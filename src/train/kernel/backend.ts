import { GoodnessError } from '../../base/errors.js';
import type { Backend } from '../backend.js';
import { KernelBatch } from './batch.js';
import { Kernel } from './kernel.js';
import { kernelLoss } from './loss.js';
import { Staging } from './staging.js';
import { KernelWeights } from './weights.js';

/** By number of threads; a process that asks again gets the same threads. */
const started = new Map<number | undefined, Promise<Backend>>();

/**
 * The training kernel.
 * @param threads counting the calling one
 * @throws GoodnessError `backend.threads`, `backend.unavailable`
 */
export function kernelBackend(threads?: number): Promise<Backend> {
  let backend = started.get(threads);
  if (backend === undefined) {
    backend = start(threads);
    started.set(threads, backend);
    backend.catch(() => started.delete(threads));
  }
  return backend;
}

async function start(threads: number | undefined): Promise<Backend> {
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 64)) {
    throw new GoodnessError('backend.threads', 'invalid number of threads', {
      expected: 'a whole number from 1 to 64',
      got: String(threads),
    });
  }
  let kernel: Kernel;
  try {
    kernel = await Kernel.start(threads);
  } catch (cause) {
    throw new GoodnessError('backend.unavailable', 'the training kernel does not start', {
      expected: 'WebAssembly with SIMD, threads and 4 GB of addresses to reserve',
      got: (cause instanceof Error ? cause.message : String(cause)).split('\n')[0]!,
      fix: 'Use the backend wasm.',
      cause,
    });
  }
  const batch = new KernelBatch(kernel);
  const used = new Staging(kernel);
  return {
    name: 'simd',
    multiply(a, b, rows, inner, columns) {
      if (rows === 0 || inner === 0 || columns === 0) return new Float32Array(rows * columns);
      batch.take(a, rows, inner, columns, { chance: 0, seed: 0 }, false);
      return batch.multiply(used.address(b.subarray(0, inner * columns)), false).slice();
    },
    partitionedLoss: kernelLoss(kernel),
    weights: (values, inputs, outputs, optimizer) => new KernelWeights(kernel, values, inputs, outputs, optimizer),
  };
}
