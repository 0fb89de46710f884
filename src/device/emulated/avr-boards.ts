import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Board } from '../boards/board.js';
import { compose, modelSegments, readFirmware } from '../boards/composition.js';
import { formatHex } from '../bootloader/hex.js';
import { avrBootloader, type SimavrBoard, startSimavr } from './simavr.js';

export interface AvrBoardOptions {
  /** Firmware, as .hex; without it only the bootloader is there. */
  readonly firmware?: string;
  /** A placed and encoded model, which lies in flash beside the firmware. */
  readonly model?: Uint8Array;
  /** File that keeps the EEPROM. */
  readonly eeprom?: string;
  readonly speed?: number;
  readonly fill?: boolean;
}

/** Where each board's own bootloader comes from, and what simavr calls its chip. */
const CHIPS = {
  uno: { mcu: 'atmega328p', bootloader: 'optiboot' },
  mega: { mcu: 'atmega2560', bootloader: 'stk500v2' },
} as const;

/**
 * Starts an Uno or a Mega in simavr with its real bootloader, and with firmware and model as the bootloader would have written them.
 * @throws GoodnessError see startSimavr and compose
 */
export async function startAvrBoard(
  board: Board & { id: keyof typeof CHIPS },
  options: AvrBoardOptions = {},
): Promise<SimavrBoard> {
  const { mcu, bootloader } = CHIPS[board.id];
  const { firmware, model, eeprom, speed, fill } = options;
  const folder = mkdtempSync(join(tmpdir(), 'goodness-avr-flash-'));
  try {
    const code = firmware === undefined ? undefined : await readFirmware(board, readFileSync(firmware), firmware);
    const whole = await compose(board, code, model === undefined ? undefined : modelSegments(board, model));
    const file = join(folder, 'flash.hex');
    if (whole.segments.length > 0) writeFileSync(file, formatHex(whole));
    return await startSimavr({
      mcu,
      bootloader: await avrBootloader(bootloader),
      flash: whole.segments.length > 0 ? [file] : [],
      ...(eeprom === undefined ? {} : { eeprom }),
      ...(speed === undefined ? {} : { speed }),
      ...(fill === undefined ? {} : { fill }),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
