import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startSimavr } from '../../src/device/emulated/simavr.js';
import { hasProgram } from '../support/programs.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const lacks = [
  ...['make', 'cc', 'avr-gcc', 'avr-objcopy'].filter((name) => !hasProgram(name)),
  ...(existsSync('/usr/include/simavr/sim_avr.h') ? [] : ['libsimavr-dev']),
];
const needs = lacks.length === 0 ? '' : ` (SKIPPED: there is no ${lacks.join(', ')})`;
/** Registers that the program leaves its result in (firmware/test/kernels_avr.c), and what says that it is there. */
const [GPIOR0, GPIOR1] = [0x3e, 0x4a];
const DONE = 'a5';

describe.skipIf(lacks.length > 0)(`the kernels of AVR${needs}`, () => {
  it('give what the naive ones give: products, roots, random numbers, shifts and checksums', async () => {
    execFileSync('make', ['-s', '-C', 'firmware', '../build/kernels/avr.hex'], { cwd: root, stdio: 'pipe' });
    const hex = `${root}build/kernels/avr.hex`;
    const board = await startSimavr({ mcu: 'atmega328p', flash: [hex], speed: 0 });
    const at = (register: number) => board.control(`dump ram ${register} 1`);
    try {
      const end = performance.now() + 60_000;
      while ((await at(GPIOR0)) !== DONE && performance.now() < end) await sleep(50);
      expect([await at(GPIOR0), await at(GPIOR1)]).toEqual([DONE, '00']);
    } finally {
      await board.close();
    }
  }, 120_000);
});
