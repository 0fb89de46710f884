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

/** What TensorFlow.js calls its backends. */
const REGISTERED = { node: 'tensorflow', wasm: 'wasm' } as const;

function tensorBackend(name: 'node' | 'wasm', tf: Tf): Backend {
  const product = (a: Float32Array, b: Float32Array, rows: number, inner: number, columns: number): Float32Array => {
    // TensorFlow.js has one current backend for the whole process, and another one may have been chosen since.
    if (tf.getBackend() !== REGISTERED[name]) void tf.setBackend(REGISTERED[name]);
    return multiply(tf, a, b, rows, inner, columns);
  };
  return {
    name,
    tf,
    multiply: (a, b, rows, inner, columns) =>
      product(a instanceof Float32Array ? a : new Float32Array(a), b, rows, inner, columns),
    weights: (values, inputs, outputs, optimizer) => new TensorWeights(product, values, inputs, outputs, optimizer),
  };
}

function reason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.split('\n')[0]!;
}
