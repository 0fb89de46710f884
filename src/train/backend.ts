import { createRequire } from 'node:module';
import type * as TensorFlow from '@tensorflow/tfjs-core';
import { GoodnessError } from '../base/errors.js';

/** The part of TensorFlow.js that every backend shares. */
export type Tf = typeof TensorFlow;
export type BackendName = 'node' | 'wasm';
export type BackendChoice = 'auto' | BackendName;

/** A TensorFlow.js backend that is ready to compute. */
export interface Backend {
  readonly name: BackendName;
  readonly tf: Tf;
}

/**
 * Loads a backend: `node` is native TensorFlow (the optional package @tensorflow/tfjs-node), `wasm` is WebAssembly with SIMD,
 * read from its package's own files, without a network. `auto` takes `node` where it loads, else `wasm`.
 * @throws GoodnessError `backend.unavailable` if the one asked for does not load, with the reason; `backend.unknown`
 */
export async function selectBackend(choice: BackendChoice = 'auto'): Promise<Backend> {
  if (choice !== 'auto' && choice !== 'node' && choice !== 'wasm') {
    throw new GoodnessError('backend.unknown', 'unknown backend', {
      expected: 'auto, node or wasm',
      got: String(choice),
    });
  }
  if (choice === 'wasm') return loadWasm();
  try {
    return await loadNode();
  } catch (cause) {
    if (choice === 'auto') return loadWasm();
    throw new GoodnessError('backend.unavailable', 'native TensorFlow does not load', {
      expected: 'the package @tensorflow/tfjs-node with its native library',
      got: reason(cause),
      fix: 'Install @tensorflow/tfjs-node (its install script downloads the native library), or use the backend wasm.',
      cause,
    });
  }
}

async function loadNode(): Promise<Backend> {
  restoreNullCheck();
  // An optional dependency: the name is not a literal, so that type checking and building do without it.
  const name = '@tensorflow/tfjs-node';
  const module = (await import(name)) as { default?: Tf } & Tf;
  const tf = module.default ?? module;
  await tf.ready();
  return { name: 'node', tf };
}

/** tfjs-node 4.9.0 calls util.isNullOrUndefined, which Node 23 took away. */
function restoreNullCheck(): void {
  const util = createRequire(import.meta.url)('node:util') as { isNullOrUndefined?: (value: unknown) => boolean };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
}

async function loadWasm(): Promise<Backend> {
  let tf: Tf;
  try {
    tf = await import('@tensorflow/tfjs-core');
    await import('@tensorflow/tfjs-backend-wasm');
    if (!(await tf.setBackend('wasm'))) throw new Error('WebAssembly did not start');
    await tf.ready();
  } catch (cause) {
    throw new GoodnessError('backend.unavailable', 'the WebAssembly backend does not load', {
      expected: 'the package @tensorflow/tfjs-backend-wasm',
      got: reason(cause),
      fix: 'Install the dependencies again.',
      cause,
    });
  }
  return { name: 'wasm', tf };
}

function reason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.split('\n')[0]!;
}
