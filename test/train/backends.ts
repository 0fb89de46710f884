import { type BackendName, selectBackend } from '../../src/train/backend.js';

/** Backends that everybody has, and native TensorFlow where it loads. */
export const BACKENDS: readonly BackendName[] = [
  'simd',
  'wasm',
  ...(await selectBackend('node').then(
    () => ['node' as const],
    () => [],
  )),
];
