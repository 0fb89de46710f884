import { sourcesIn, wasmOf } from '../../bench/wasm.js';

/**
 * The firmware core in WebAssembly as a machine has it whose flash lies in an address space of its own (`-DFF_ROM_FAR`), and that has no
 * kernels of its own.
 */
export function farCore(): Promise<WebAssembly.Module> {
  const files = [...sourcesIn('firmware/core'), 'firmware/ports/wasm/port.c'];
  return wasmOf('goodness-far', files, ['-DFF_ROM_FAR', '-DFF_KERNELS=naive']);
}
