import { existsSync } from 'node:fs';
import { Random } from '../../../src/base/random.js';
import type { FirmwareImage } from '../../../src/device/bootloader/firmware-image.js';
import { type Line, type LineSettings, openLine } from '../../../src/device/bootloader/line.js';
import type { SimavrBoard } from '../../../src/device/emulated/simavr.js';
import { hasProgram } from '../../support/programs.js';

/** What emulated Arduino boards with their real bootloaders want, as far as this machine lacks it. */
export const lacks: readonly string[] = [
  ...['make', 'cc', 'avr-gcc'].filter((name) => !hasProgram(name)),
  ...(existsSync('/usr/include/simavr/sim_avr.h') ? [] : ['libsimavr-dev']),
  ...(existsSync('/usr/share/arduino/hardware/arduino/avr') ? [] : ['arduino-core-avr']),
];
/** For the title of a test. */
export const needs = lacks.length === 0 ? '' : ` (SKIPPED: there is no ${lacks.join(', no ')})`;

export function bytesOf(length: number, seed: number): Uint8Array {
  const random = new Random(seed);
  return Uint8Array.from({ length }, () => random.integer(256));
}

export function imageOf(...segments: [number, Uint8Array][]): FirmwareImage {
  return { segments: segments.map(([address, bytes]) => ({ address, bytes })) };
}

export async function dumpFlash(board: SimavrBoard, from: number, count: number): Promise<Uint8Array> {
  return new Uint8Array(Buffer.from(await board.control(`dump flash ${from} ${count}`), 'hex'));
}

/** A real line, on which `change` may replace what the host sends. */
export function changedLine(
  change: (bytes: Uint8Array) => Uint8Array,
): (path: string, settings: LineSettings) => Promise<Line> {
  return async (path, settings) => {
    const line = await openLine(path, settings);
    return {
      name: line.name,
      settings,
      traffic: line.traffic,
      read: (count, milliseconds) => line.read(count, milliseconds),
      clear: () => line.clear(),
      close: () => line.close(),
      modem: (levels) => line.modem(levels),
      write: (bytes) => line.write(change(bytes)),
    };
  };
}
