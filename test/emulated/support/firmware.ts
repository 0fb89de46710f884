import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasProgram } from '../../support/programs.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** Longest that one build may take; it takes a few seconds on a machine that is not busy. */
const BUILD_MS = 300_000;
/** What each of these is built by and into. */
const PROGRAMS: Readonly<Record<string, string>> = { 'pi-arm64': 'linux-arm64', 'pi-armhf': 'linux-armhf' };

const built = new Map<string, string>();

/**
 * The firmware of a board, as `make` has it: built if its sources are newer, once for each process.
 * @param board see BOARD_IDS: a folder of firmware/ports, `pi-arm64` or `pi-armhf`
 * @returns path of the .hex file, or of the program
 */
export function buildFirmware(board: string): string {
  const found = built.get(board);
  if (found !== undefined) return found;
  const program = PROGRAMS[board];
  const words = program === undefined ? [`BOARD=${board}`] : [program];
  // Test files run at the same time, and two of them may want the same board built.
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  const [command, ...args] = [
    ...(hasProgram('flock') ? ['flock', join(ROOT, 'build/firmware.lock')] : []),
    ...['make', '-s', '-C', join(ROOT, 'firmware'), ...words],
  ];
  // What the compiler says is part of the error if it fails.
  execFileSync(command!, args, { stdio: 'pipe', timeout: BUILD_MS });
  const output = program === undefined ? `boards/${board}/firmware.hex` : `${program}/goodness-device`;
  const path = join(ROOT, 'build', output);
  built.set(board, path);
  return path;
}
