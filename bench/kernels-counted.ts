/** The core's passes on Cortex-M in QEMU, in instructions: `firmware/bench/kernels.c`. */
import { execFileSync, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { missingPrograms } from './passes-counted.js';
import type { Figures } from './table.js';

/** By their names in `firmware/bench/kernels.mk`, with the machines that run their programs: QEMU has none with a Cortex-M0 and room enough. */
const MACHINES = { 'cortex-m4': 'mps2-an386', 'cortex-m0': 'mps2-an385' } as const;
export type Cpu = keyof typeof MACHINES;

/** What this machine lacks to count. */
export function lackingFor(): string[] {
  return missingPrograms(['make', 'arm-none-eabi-gcc', 'arm-none-eabi-size', 'qemu-system-arm']);
}

/** Builds the programs of a processor, with CMSIS-NN out of a folder if there is one. */
export function buildPrograms(cpu: Cpu, peer: string | undefined): void {
  const words = ['-s', '-C', 'firmware', `bench-kernels-${cpu}`, ...(peer === undefined ? [] : [`CMSIS_NN=${peer}`])];
  execFileSync('make', words, { stdio: ['ignore', 2, 2] });
}

const program = (cpu: Cpu, kernels: string): string => resolve(`build/bench-kernels/${cpu}-${kernels}.elf`);

/** Bytes of code and constants of a program. */
export function codeBytes(cpu: Cpu, kernels: string): number {
  const text = execFileSync('arm-none-eabi-size', [program(cpu, kernels)], { encoding: 'utf8' });
  return Number(text.split('\n')[1]!.trim().split(/\s+/)[0]);
}

/**
 * Numbers that the program writes.
 * @param folder of the files that it reads
 */
export function countOn(cpu: Cpu, kernels: string, folder: string): Figures {
  const counted = ['-icount', 'shift=0', '-display', 'none', '-nic', 'none', '-monitor', 'none', '-serial', 'none'];
  const words = ['-machine', MACHINES[cpu], ...counted, '-semihosting-config', 'enable=on,target=native'];
  const run = spawnSync('qemu-system-arm', [...words, '-kernel', program(cpu, kernels)], {
    cwd: folder,
    encoding: 'utf8',
  });
  // Semihosting writes to standard error.
  const lines = `${run.stdout}\n${run.stderr}`.split('\n').filter((line) => line.startsWith('{'));
  const figures = lines.map((line) => JSON.parse(line) as { name: string; value: number });
  if (run.status !== 0 || figures.length === 0) throw new Error(`${program(cpu, kernels)} in QEMU: ${run.stderr}`);
  return Object.fromEntries(figures.map(({ name, value }) => [name, value]));
}
