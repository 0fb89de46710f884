import { sourcesIn, wasmOf } from '../../bench/wasm.js';

/**
 * The firmware core in WebAssembly as a machine has it whose flash lies in an address space of its own (`-DFF_ROM_FAR`), and that has no
 * kernels of its own.
 */
export function farCore(): Promise<WebAssembly.Module> {
  return core('goodness-far', ['-DFF_ROM_FAR', '-DFF_KERNELS=naive']);
}

/** The firmware core with the kernels of all layouts, what is assembler in them done in C. */
export function packedCore(): Promise<WebAssembly.Module> {
  return core('goodness-packed', ['-DFF_KERNELS=thumb', '-DFF_LAYOUTS=0xFu']);
}

function core(name: string, flags: readonly string[]): Promise<WebAssembly.Module> {
  return wasmOf(name, [...sourcesIn('firmware/core'), 'firmware/ports/wasm/port.c'], flags);
}
