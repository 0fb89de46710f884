import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { sourcesIn, wasmOf } from '../../bench/wasm.js';
import { lacking } from '../emulated/support/session.js';

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

/** Builds a program and runs it on a board in QEMU. */
function onBoard(machine: string, program: string): { lines: string[]; status: number | null } {
  execFileSync('make', ['-s', '-C', 'firmware', `../build/kernels/${program}.elf`], { cwd: root, stdio: 'pipe' });
  const words = ['-machine', machine, '-display', 'none', '-nic', 'none'];
  const semihosting = ['-semihosting-config', 'enable=on,target=native'];
  const kernel = ['-kernel', `build/kernels/${program}.elf`];
  const { stderr, status } = spawnSync('qemu-system-arm', [...words, ...semihosting, ...kernel], {
    cwd: root,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { lines: stderr.split('\n').filter((line) => line.startsWith('{')), status };
}

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

  const lacks = lacking('make', 'arm-none-eabi-gcc', 'qemu-system-arm');
  it.skipIf(lacks.any)(
    `Cortex-M55${lacks.title}`,
    () => {
      const { lines, status } = onBoard('mps3-an547', 'mps3-an547');
      expect(lines).toEqual(SEEDS.map(() => '{"name": "cases differ", "value": 0}'));
      expect(status).toBe(0);
    },
    180_000,
  );

  const lacksCompiler = lacking('make', 'cc');
  it.skipIf(lacksCompiler.any)(
    `layouts of their own, in C${lacksCompiler.title}`,
    () => {
      execFileSync('make', ['-s', '-C', 'firmware', '../build/kernels/packed'], { cwd: root, stdio: 'pipe' });
      expect(execFileSync('build/kernels/packed', { cwd: root, encoding: 'utf8' })).toMatch(
        /^\d+ layers: the kernels agree\n$/,
      );
    },
    180_000,
  );

  it.skipIf(lacks.any).each([
    ['Cortex-M4', 'cortex-m4', 'mps2-an386'],
    ['Cortex-M0', 'cortex-m0', 'mps2-an385'],
  ])(
    `layouts of their own, on %s${lacks.title}`,
    (_, cpu, machine) => {
      const { lines, status } = onBoard(machine, `packed-${cpu}`);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^\{"name": "layers", "value": \d{3}\}$/);
      expect(status).toBe(0);
    },
    180_000,
  );

  it('WebAssembly', async () => {
    const own = [
      'kernels.c',
      'kernels.h',
      'layer_kernels.c',
      'naive_kernels.c',
      'naive_kernels.h',
      'naive_layers.c',
      'naive_layers.h',
    ].map((f) => `firmware/test/${f}`);
    const flags = [
      '-msimd128',
      '-fno-strict-aliasing',
      '-Ifirmware/test',
      ...['check_kernels', '__heap_base'].map((s) => `-Wl,--export=${s}`),
    ];
    const module = await wasmOf('kernels', [...sourcesIn('firmware/core'), ...own], flags);
    const { exports } = await WebAssembly.instantiate(module);
    const check = exports.check_kernels as (seed: number, memory: number) => number;
    const heap = (exports.__heap_base as WebAssembly.Global).value as number;
    (exports.memory as WebAssembly.Memory).grow(KERNELS_PAGES);
    for (const seed of SEEDS) expect([seed, check(seed, heap)]).toEqual([seed, 0]);
  }, 180_000);
});
