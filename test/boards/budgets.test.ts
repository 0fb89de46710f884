import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { boardOf } from '../../src/device/boards/boards.js';
import { buildFirmware, missingTools } from '../../src/device/boards/firmware.js';
import { greet } from '../../src/device/boards/greet.js';
import { targetOf } from '../../src/device/boards/probe.js';
import type { EmulatedBoard } from '../../src/device/emulated/emulated-board.js';
import { startBoard } from '../../src/device/emulated/start.js';
import { findProgram } from '../../src/device/programs.js';
import { openTransport } from '../../src/device/resolve.js';
import { SLOT_HEADER } from '../../src/format/slot.js';

const path = process.env.PATH ?? '';

/** What the emulator of AVR boards is built from. */
const SIMAVR = '/usr/include/simavr/sim_avr.h';
const ARDUINO = '/usr/share/arduino/hardware/arduino/avr/bootloaders/optiboot/optiboot.c';

/** Boards with the program of their emulator, where it is one. */
const EMULATED = [
  ['mps2-an386', 'qemu-system-arm'],
  ['mps3-an547', 'qemu-system-arm'],
  ['stm32f405', 'qemu-system-arm'],
  ['microbit', 'qemu-system-arm'],
  ['pico', undefined],
  ['pi-arm64', 'qemu-aarch64-static'],
  ['pi-armhf', 'qemu-arm-static'],
  ['linux', undefined],
  ['uno', SIMAVR],
  ['mega', SIMAVR],
] as const;

const folder = mkdtempSync(join(tmpdir(), 'goodness-budgets-'));
afterAll(() => rmSync(folder, { recursive: true }));

let running: EmulatedBoard | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});

describe('the budget in the data is what the firmware says of itself', () => {
  for (const [id, emulator] of EMULATED) {
    const board = boardOf(id);
    const missing = [
      ...missingTools(board.build!, path),
      ...(emulator === undefined ? [] : emulator === SIMAVR ? [SIMAVR, ARDUINO] : [emulator]).filter(
        (name) => !(name.startsWith('/') ? existsSync(name) : findProgram(path, name) !== undefined),
      ),
    ];
    const note = missing.length === 0 ? '' : ` (SKIPPED: there is no ${missing.join(', ')})`;
    it.skipIf(missing.length > 0)(`on ${id}${note}`, { timeout: 120_000 }, async () => {
      await buildFirmware(board, { path });
      running = await startBoard(board, id === 'linux' ? { store: join(folder, 'flash.bin') } : {});
      const session = await greet(() => openTransport(running!.address), { openMs: 20_000 });
      const { hello } = session;
      await session.close();
      const budget = board.budget!;
      expect(hello).toMatchObject({
        target: targetOf(board),
        arenaBytes: budget.arenaBytes,
        maxRequest: budget.payload,
        maxResponse: budget.answer,
        window: budget.window,
        ahead: budget.ahead,
        layouts: [0, ...budget.layouts].reduce((mask, tag) => mask | (1 << tag), 0),
        slotBytes: budget.store.slotBytes - SLOT_HEADER,
        persistent: budget.persistent,
        imageWithFirmware: budget.store.kind === 'records',
      });
    });
  }
});
