import { createRequire } from 'node:module';
import type * as TensorFlow from '@tensorflow/tfjs-core';
import { GoodnessError } from '../../base/errors.js';
import type { Backend } from '../backend.js';
import { multiply } from './matrix.js';
import { TensorWeights } from './weights.js';

/** The part of TensorFlow.js that every backend shares. */
export type Tf = typeof TensorFlow;

/**
 * Native TensorFlow.
 * @throws GoodnessError `backend.unavailable`
 */
export async function nativeBackend(): Promise<Backend> {
  try {
    restoreNullCheck();
    // An optional dependency: the name is not a literal, so that type checking and building do without it.
    const name = '@tensorflow/tfjs-node';
    const module = (await import(name)) as { default?: Tf } & Tf;
    const tf = module.default ?? module;
    await tf.ready();
    return tensorBackend('node', tf);
  } catch (cause) {
    throw new GoodnessError('backend.unavailable', 'native TensorFlow does not load', {
      expected: 'the package @tensorflow/tfjs-node with its native library',
      got: reason(cause),
      fix: 'Install @tensorflow/tfjs-node (its install script downloads the native library), or use the backend simd.',
      cause,
    });
  }
}

/** tfjs-node 4.9.0 calls util.isNullOrUndefined, which Node 23 took away. */
function restoreNullCheck(): void {
  const util = createRequire(import.meta.url)('node:util') as { isNullOrUndefined?: (value: unknown) => boolean };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
}

/**
 * TensorFlow.js in WebAssembly.
 * @throws GoodnessError `backend.unavailable`
 */
export async function wasmBackend(): Promise<Backend> {
  try {
    const tf = await import('@tensorflow/tfjs-core');
    await import('@tensorflow/tfjs-backend-wasm');
    if (!(await tf.setBackend('wasm'))) throw new Error('WebAssembly did not start');
    await tf.ready();
    return tensorBackend('wasm', tf);
  } catch (cause) {
    throw new GoodnessError('backend.unavailable', 'the WebAssembly backend does not load', {
      expected: 'the package @tensorflow/tfjs-backend-wasm',
      got: reason(cause),
      fix: 'Install the dependencies again.',
      cause,
    });
  }
}

function tensorBackend(name: 'node' | 'wasm', tf: Tf): Backend {
  return {
    name,
    tf,
    multiply: (a, b, rows, inner, columns) =>
      multiply(tf, a instanceof Float32Array ? a : new Float32Array(a), b, rows, inner, columns),
    weights: (values, inputs, outputs, optimizer) => new TensorWeights(tf, values, inputs, outputs, optimizer),
  };
}

function reason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.split('\n')[0]!;
}
