import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { UNO } from '../../src/device/boards/uno.js';
import { type Line, type LineSettings, openLine } from '../../src/device/bootloader/line.js';
import type { Stk500Facts } from '../../src/device/bootloader/stk500-pages.js';
import { stk500v1 } from '../../src/device/bootloader/stk500v1.js';
import { avrBootloader, type SimavrBoard, startSimavr } from '../../src/device/emulated/simavr.js';
import { hasProgram } from '../support/programs.js';

const lacks = [
  ...['make', 'cc', 'avr-gcc'].filter((name) => !hasProgram(name)),
  ...(existsSync('/usr/include/simavr/sim_avr.h') ? [] : ['libsimavr-dev']),
  ...(existsSync('/usr/share/arduino/hardware/arduino/avr') ? [] : ['arduino-core-avr']),
];
const needs = lacks.length === 0 ? '' : ` (skipped: there is no ${lacks.join(', no ')})`;
/** Optiboot flashes its LED for so long after a reset, before it reads. */
const FLASHES_MS = 360;

/**
 * The line of a real Uno, which an emulated one isn't: DTR's edge resets it, and while nobody reads, its receiver keeps two bytes and
 * the latest one (ATmega328P datasheet, "USART: Data OverRun"). simavr's receiver keeps 64.
 */
function unoLine(board: SimavrBoard): (path: string, settings: LineSettings) => Promise<Line> {
  return async (path, settings) => {
    const line = await openLine(path, settings);
    let dtr = true;
    let receiver: number[] | undefined;
    const reset = async (): Promise<void> => {
      await board.control('reset');
      const kept: number[] = [];
      receiver = kept;
      setTimeout(() => {
        if (receiver !== kept) return;
        receiver = undefined;
        if (kept.length > 0) line.write(Uint8Array.from(kept)).catch(() => {});
      }, FLASHES_MS);
    };
    await reset();
    return {
      name: line.name,
      settings,
      traffic: line.traffic,
      read: (count, milliseconds) => line.read(count, milliseconds),
      clear: () => line.clear(),
      close: () => line.close(),
      modem: async (levels) => {
        if (levels.dtr === true && !dtr) await reset();
        dtr = levels.dtr ?? dtr;
        return true;
      },
      write: async (bytes) => {
        if (receiver === undefined) return line.write(bytes);
        for (const byte of bytes) receiver[Math.min(receiver.length, 2)] = byte;
      },
    };
  };
}

it.skipIf(lacks.length > 0)(
  `an Uno whose receiver overruns while its bootloader flashes the LED is flashed all the same${needs}`,
  async () => {
    const board = await startSimavr({ mcu: 'atmega328p', bootloader: await avrBootloader('optiboot') });
    try {
      const bytes = Uint8Array.from({ length: 500 }, (_, i) => i & 255);
      const flash = stk500v1(UNO.bootloader as Stk500Facts, { open: unoLine(board) });
      const report = await flash(board.address, { segments: [{ address: 0, bytes }] }, {});
      expect(report).toMatchObject({ baud: 115200, bytesVerified: 500 });
    } finally {
      await board.close();
    }
  },
  60_000,
);
