/** The core's passes in QEMU, in instructions: `firmware/bench/vectors.c`. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { Figures } from './table.js';

export interface Processor {
  readonly name: string;
  readonly compiler: string;
  readonly emulator: string;
  readonly arguments: readonly string[];
}

const COUNTED = ['-icount', 'shift=0', '-display', 'none', '-nic', 'none'];
const VIRT = [...COUNTED, '-machine', 'virt', '-m', '128'];

/** By their names in `firmware/bench/vectors.mk`. */
export const PROCESSORS = {
  arm64: {
    name: 'NEON, AArch64 (Raspberry Pi 3 and 4)',
    compiler: 'aarch64-linux-gnu-gcc',
    emulator: 'qemu-system-aarch64',
    arguments: [...VIRT, '-cpu', 'cortex-a72'],
  },
  'arm64-dot': {
    name: 'NEON with dot products (Raspberry Pi 5)',
    compiler: 'aarch64-linux-gnu-gcc',
    emulator: 'qemu-system-aarch64',
    // QEMU 7.2 knows no Cortex-A76; this has all that it has.
    arguments: [...VIRT, '-cpu', 'max'],
  },
  'cortex-m55': {
    name: 'Helium, Cortex-M55',
    compiler: 'arm-none-eabi-gcc',
    emulator: 'qemu-system-arm',
    arguments: [...COUNTED, '-machine', 'mps3-an547'],
  },
} as const satisfies Record<string, Processor>;

export type ProcessorId = keyof typeof PROCESSORS;

/** Those of these programs that this machine doesn't have. */
export function missingPrograms(names: readonly string[]): string[] {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names.filter((name) => !folders.some((folder) => existsSync(join(folder, name))));
}

/** What this machine lacks to count. */
export function lacking({ compiler, emulator }: Processor): string[] {
  return missingPrograms(['make', compiler, emulator]);
}

/** Builds the program of a processor for all its sets of kernels. */
export function buildCounted(id: ProcessorId): void {
  execFileSync('make', ['-s', '-C', 'firmware', `bench-vectors-${id}`], { stdio: ['ignore', 2, 2] });
}

/**
 * Numbers that the program writes: instructions of each pass over all samples, and a checksum of what was computed.
 * @param folder of the files that it reads
 */
export function countPasses(id: ProcessorId, kernels: string, folder: string): Figures {
  const { emulator, arguments: words } = PROCESSORS[id];
  const program = resolve(`build/bench-vectors/${id}-${kernels}.elf`);
  const semihosting = ['-semihosting-config', 'enable=on,target=native'];
  const run = spawnSync(emulator, [...words, ...semihosting, '-kernel', program], { cwd: folder, encoding: 'utf8' });
  // Semihosting writes to standard error.
  const lines = `${run.stdout}\n${run.stderr}`.split('\n').filter((line) => line.startsWith('{'));
  const figures = lines.map((line) => JSON.parse(line) as { name: string; value: number });
  if (run.status !== 0 || figures.length === 0) throw new Error(`${program} in ${emulator}: ${run.stderr}`);
  return Object.fromEntries(figures.map(({ name, value }) => [name, value]));
}
