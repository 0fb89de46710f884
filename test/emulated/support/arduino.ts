import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { hasProgram } from '../../support/programs.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const CORE = '/usr/share/arduino/hardware/arduino/avr';
const COMPILE_MS = 60_000;
/** The core wants this of float.h, where gcc has it in C++ from version 7 on; Debian's has 5.4. */
const OLD_COMPILER = '-DDECIMAL_DIG=__DECIMAL_DIG__';

/** What boards.txt says of a board. */
const CHIPS = {
  uno: { mcu: 'atmega328p', define: 'AVR_UNO', variant: 'standard' },
  mega: { mcu: 'atmega2560', define: 'AVR_MEGA2560', variant: 'mega' },
} as const;

export type ArduinoBoard = keyof typeof CHIPS;

/** What this machine lacks to compile sketches. */
export function lackingForSketches(): string[] {
  return [
    ...['avr-gcc', 'avr-g++', 'avr-gcc-ar', 'avr-objcopy'].filter((name) => !hasProgram(name)),
    ...(existsSync(`${CORE}/cores/arduino/Arduino.h`) ? [] : ['arduino-core-avr']),
  ];
}

/** Puts the library together, as it is published. */
export async function assembleLibrary(folder: string): Promise<void> {
  await run(process.execPath, [join(ROOT, 'scripts/arduino.mjs'), folder], { timeout: COMPILE_MS });
}

/** A sketch as the IDE leaves it. */
export interface Sketch {
  readonly hex: string;
  /** Bytes, as avr-size counts them: program flash (.text and .data), and RAM (.data and .bss). */
  readonly flash: number;
  readonly ram: number;
  /** What the compiler said about files of the library and the sketch. */
  readonly warnings: readonly string[];
}

/**
 * Compiles a sketch with a library as the Arduino IDE does: by the recipes and flags of platform.txt, all warnings on, with the whole AVR
 * core in an archive.
 * @param sketch the .ino; headers beside it are found
 * @param library its folder
 * @param extra folders with headers
 */
export async function compileSketch(
  board: ArduinoBoard,
  sketch: string,
  library: string,
  out: string,
  extra: readonly string[] = [],
): Promise<Sketch> {
  const { mcu, define, variant } = CHIPS[board];
  mkdirSync(out, { recursive: true });
  const core = `${CORE}/cores/arduino`;
  const machine = [`-mmcu=${mcu}`, '-DF_CPU=16000000L', '-DARDUINO=10819', `-DARDUINO_${define}`, '-DARDUINO_ARCH_AVR'];
  const common = ['-c', '-g', '-Os', '-Wall', '-Wextra', '-ffunction-sections', '-fdata-sections', '-flto', ...machine];
  const c = ['-std=gnu11', '-fno-fat-lto-objects'];
  const cpp = ['-std=gnu++11', '-fpermissive', '-fno-exceptions', '-fno-threadsafe-statics', '-Wno-error=narrowing'];
  const assembler = ['-x', 'assembler-with-cpp'];
  const includes = ['-I', core, '-I', `${CORE}/variants/${variant}`];
  let warnings = '';
  const compile = async (file: string, folder: string, options: readonly string[]): Promise<string> => {
    const object = join(folder, `${basename(file)}.o`);
    const language = file.endsWith('.S') ? assembler : file.endsWith('.c') ? c : cpp;
    const args = [...common, ...language, ...options, file, '-o', object];
    const { stderr } = await run(language === cpp ? 'avr-g++' : 'avr-gcc', args, { timeout: COMPILE_MS });
    warnings += stderr;
    return object;
  };

  const archive = await coreArchive(core, out, (file, folder) => compile(file, folder, [...includes, OLD_COMPILER]));
  warnings = '';
  const source = join(out, 'sketch.ino.cpp');
  writeFileSync(source, `#include <Arduino.h>\n#line 1 "${basename(sketch)}"\n${readFileSync(sketch, 'utf8')}`);
  const src = join(library, 'src');
  const objects = [await compile(source, out, [...includes, '-I', src, ...extra.flatMap((folder) => ['-I', folder])])];
  for (const name of readdirSync(src).filter((n) => /\.(c|cpp|S)$/.test(n))) {
    objects.push(await compile(join(src, name), out, [...includes, '-I', src]));
  }
  const elf = join(out, 'sketch.elf');
  const link = ['-Wall', '-Wextra', '-Os', '-g', '-flto', '-fuse-linker-plugin', '-Wl,--gc-sections', `-mmcu=${mcu}`];
  const linked = await run('avr-gcc', [...link, '-o', elf, ...objects, archive, '-lm'], { timeout: COMPILE_MS });
  warnings += linked.stderr;
  const hex = join(out, 'sketch.hex');
  await run('avr-objcopy', ['-O', 'ihex', '-R', '.eeprom', elf, hex]);
  const { stdout } = await run('avr-size', [elf]);
  const [text, data, bss] = stdout.trim().split('\n')[1]!.trim().split(/\s+/).map(Number) as [number, number, number];
  return {
    hex,
    flash: text + data,
    ram: data + bss,
    warnings: warnings.split('\n').filter((line) => /warning:|error:/i.test(line) && !line.startsWith(CORE)),
  };
}

/** core.a: all sources of the AVR core. */
async function coreArchive(
  core: string,
  out: string,
  compile: (file: string, folder: string) => Promise<string>,
): Promise<string> {
  const folder = mkdtempSync(join(out, 'core-'));
  const objects: string[] = [];
  for (const name of readdirSync(core).filter((n) => /\.(c|cpp|S)$/.test(n))) {
    objects.push(await compile(join(core, name), folder));
  }
  const archive = join(folder, 'core.a');
  await run('avr-gcc-ar', ['rcs', archive, ...objects]);
  return archive;
}
