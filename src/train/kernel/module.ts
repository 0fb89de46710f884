import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

// In the package this file is dist/train/kernel/module.js; run from the sources it is src/train/kernel/module.ts.
const PLACES = ['../../kernel/train.wasm', '../../../dist/kernel/train.wasm'];

/** What the kernel's C exports; addresses and counts are numbers, a null address is 0. */
export interface KernelExports {
  readonly __heap_base: WebAssembly.Global;
  readonly __stack_pointer: WebAssembly.Global;
  prepare(): void;
  set_threads(count: number, memory: number, bytesEach: number): void;
  serve(thread: number): void;
  scratch_bytes(rows: number, outputs: number): number;
  entry_words(rows: number, inputs: number): number;
  packed_floats(rows: number, outputs: number): number;
  take(layer: number, bytes: number, floats: number, bar: number, seed: number, rescale: number): void;
  round_weights(layer: number, scale: number, limit: number): void;
  multiply(layer: number, rectify: number): void;
  measure(layer: number, goodness: number, groups: number, factor: number): void;
  partitioned_loss(
    config: number,
    goodness: number,
    total: number,
    labels: number,
    rows: number,
    groups: number,
    slopes: number,
  ): number;
  learn(
    layer: number,
    delta: number,
    slopes: number,
    groups: number,
    factor: number,
    left: number,
    right: number,
    adam: number,
    rate: number,
    keep: number,
    rise1: number,
    rise2: number,
    floor: number,
  ): void;
}

/**
 * The training kernel, compiled.
 * @throws Error if the build has not made it, or this machine can't run it
 */
export async function kernelModule(): Promise<WebAssembly.Module> {
  for (const place of PLACES) {
    try {
      return await WebAssembly.compile(new Uint8Array(await readFile(fileURLToPath(new URL(place, import.meta.url)))));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error('dist/kernel/train.wasm is missing: build it with `npm run build`');
}
