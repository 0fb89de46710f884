import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { lacking } from '../emulated/support/session.js';
import { sourcesIn, wasmOf } from '../support/wasm.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const SEEDS = [1, 2, 3];
/** Pages of WebAssembly that hold what `firmware/test/kernels.h` asks for. */
const KERNELS_PAGES = 20;

/** Programs of `make kernels` by name: what compiles them, and what runs those for other processors. */
const PROGRAMS = [
  ['native', 'cc'],
  ['arm64', 'aarch64-linux-gnu-gcc', 'qemu-aarch64-static'],
  ['arm64-dot', 'aarch64-linux-gnu-gcc', 'qemu-aarch64-static'],
  ['armhf', 'arm-linux-gnueabihf-gcc', 'qemu-arm-static'],
] as const;

describe('kernels give the bytes of the naive ones, at all remainders and at the bounds:', () => {
  for (const [name, compiler, ...runner] of PROGRAMS) {
    const lacks = lacking('make', compiler, ...runner);
    it.skipIf(lacks.any)(
      `${name}${lacks.title}`,
      () => {
        execFileSync('make', ['-s', '-C', 'firmware', `../build/kernels/${name}`], { cwd: root, stdio: 'pipe' });
        for (const seed of SEEDS) {
          const [command, ...words] = [...runner, `build/kernels/${name}`, String(seed)];
          const { stdout, status } = spawnSync(command!, words, { cwd: root, encoding: 'utf8' });
          expect([seed, stdout, status]).toEqual([seed, '0 cases differ\n', 0]);
        }
      },
      180_000,
    );
  }

  it('WebAssembly', async () => {
    const own = ['kernels.c', 'kernels.h', 'naive_kernels.c', 'naive_kernels.h'].map((f) => `firmware/test/${f}`);
    const flags = ['-msimd128', '-Ifirmware/test', ...['check_kernels', '__heap_base'].map((s) => `-Wl,--export=${s}`)];
    const module = await wasmOf('kernels', [...sourcesIn('firmware/core'), ...own], flags);
    const { exports } = await WebAssembly.instantiate(module);
    const check = exports.check_kernels as (seed: number, memory: number) => number;
    const heap = (exports.__heap_base as WebAssembly.Global).value as number;
    (exports.memory as WebAssembly.Memory).grow(KERNELS_PAGES);
    for (const seed of SEEDS) expect([seed, check(seed, heap)]).toEqual([seed, 0]);
  }, 180_000);
});
