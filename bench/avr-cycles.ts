/** The core's passes on an emulated ATmega328P, in cycles: `firmware/bench/avr-passes.c`. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { encodeImage, Random } from 'goodness';
import { library } from './library.js';
import { missingPrograms } from './passes-counted.js';
import { randomModel } from './random-model.js';
import type { Figures } from './table.js';

const { withLearning } = await library<typeof import('../dist/format/model.js')>('format/model');

const FOLDER = 'build/bench-avr';
/** What the Uno is made for, and 40 samples that a sensor might deliver. */
const SHAPE = { rawInputs: 16, classes: 4, hidden: [24, 24] } as const;
export const AVR_SAMPLES = 40;
export const AVR_MODEL = [SHAPE.rawInputs, ...SHAPE.hidden].join('-');

/** What this machine lacks to count. */
export function lackingForAvr(): string[] {
  const header = '/usr/include/simavr/sim_avr.h';
  return [...missingPrograms(['make', 'cc', 'avr-gcc']), ...(existsSync(header) ? [] : ['simavr (libsimavr-dev)'])];
}

function array(name: string, bytes: Uint8Array): string {
  return `static const uint8_t ${name}[${bytes.length}] PROGMEM = {${bytes.join(',')}};\n`;
}

/** Builds the program with both sets of kernels; its lower layer learns. */
export function buildAvr(): void {
  const random = new Random(1);
  const model = withLearning(randomModel(SHAPE, random), new Set([0]));
  const samples = Uint8Array.from({ length: AVR_SAMPLES * SHAPE.rawInputs }, () => random.integer(256));
  const labels = Uint8Array.from({ length: AVR_SAMPLES }, (_, i) => i % SHAPE.classes);
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(
    `${FOLDER}/avr-model.h`,
    '#include <avr/pgmspace.h>\n#include <stdint.h>\n\n' +
      `#define SAMPLE_COUNT ${AVR_SAMPLES}\n#define RAW ${SHAPE.rawInputs}\n\n` +
      array('IMAGE', encodeImage(model)) +
      array('SAMPLES', samples) +
      array('LABELS', labels),
  );
  execFileSync('make', ['-s', '-C', 'firmware', 'bench-avr'], { stdio: ['ignore', 2, 2] });
}

/** Cycles of each pass over all samples, of `load` once, and a checksum. */
export function countCycles(kernels: 'naive' | 'shipped'): Figures {
  const out = execFileSync(`${FOLDER}/avr-cycles`, [`${FOLDER}/${kernels}.elf`], { encoding: 'utf8' });
  const lines = out.split('\n').filter((line) => line.startsWith('{'));
  return Object.fromEntries(lines.map((line) => Object.values(JSON.parse(line) as object) as [string, number]));
}
