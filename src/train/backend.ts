import { GoodnessError } from '../base/errors.js';
import type { Values } from './forward.js';
import { kernelBackend } from './kernel/backend.js';
import type { OptimizerConfig } from './layers/optimizer.js';
import type { partitionedLoss } from './objectives/losses.js';
import { nativeBackend, type Tf, wasmBackend } from './tensorflow/backend.js';
import type { LayerWeights } from './weights.js';

export type BackendName = 'simd' | 'node' | 'wasm';
export type BackendChoice = 'auto' | BackendName;

/** What training computes with. */
export interface Backend {
  readonly name: BackendName;
  /** TensorFlow.js, where the backend is one of its own. */
  readonly tf?: Tf;

  /**
   * The product of two row-major matrices.
   * @param a (rows, inner) at the start of the array
   * @param b (inner, columns) at the start of the array
   * @returns (rows, columns), an array of its own
   */
  multiply(a: Values, b: Float32Array, rows: number, inner: number, columns: number): Float32Array;

  /** The loss of class-partitioned layers, where the backend is quicker at it than a loop. */
  readonly partitionedLoss?: typeof partitionedLoss;

  /** @param values (inputs, outputs), copied: the weights to begin with */
  weights(values: Float32Array, inputs: number, outputs: number, optimizer: OptimizerConfig): LayerWeights;
}

/** What a backend may use of the machine. */
export interface BackendOptions {
  /** Backend `simd`: threads, counting the calling one; as many as processors, up to 4, where left out. Weights don't depend on it. */
  readonly threads?: number;
}

/**
 * Loads a backend: `simd` is the training kernel that comes with Goodness, WebAssembly with SIMD and threads; `node` is native
 * TensorFlow (the optional package @tensorflow/tfjs-node); `wasm` is TensorFlow.js in WebAssembly, read from its package's own
 * files, without a network. `auto` takes the first of them that loads: they are named in the order of their speed.
 * @throws GoodnessError `backend.unavailable` if the one asked for does not load, with the reason; `backend.unknown`
 */
export async function selectBackend(choice: BackendChoice = 'auto', options: BackendOptions = {}): Promise<Backend> {
  const loaders: Record<BackendName, () => Promise<Backend>> = {
    simd: () => kernelBackend(options.threads),
    node: nativeBackend,
    wasm: wasmBackend,
  };
  if (choice !== 'auto') {
    const load = Object.hasOwn(loaders, choice) ? loaders[choice] : undefined;
    if (load !== undefined) return load();
    throw new GoodnessError('backend.unknown', 'unknown backend', {
      expected: 'auto, simd, node or wasm',
      got: String(choice),
    });
  }
  const reasons: string[] = [];
  for (const [name, load] of Object.entries(loaders)) {
    try {
      return await load();
    } catch (cause) {
      reasons.push(`${name}: ${cause instanceof GoodnessError ? cause.got : String(cause)}`);
    }
  }
  throw new GoodnessError('backend.unavailable', 'there is nothing to train with', {
    expected: 'one of the backends to load',
    got: reasons.join('; '),
    fix: 'Install the dependencies again.',
  });
}
