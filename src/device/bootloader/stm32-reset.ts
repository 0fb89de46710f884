import { type Clock, pause } from '../clock.js';
import type { Line, ModemLines } from './line.js';

/** How a board's adapter drives reset and BOOT0. A modem line that is set is low at the adapter's pin. */
export interface Stm32Wiring {
  /** Which line drives NRST, and the level of it that holds the chip in reset. */
  readonly reset: { readonly line: 'dtr' | 'rts'; readonly active: boolean };
  /** Which line drives BOOT0, and the level of it that asks for the bootloader. */
  readonly boot0: { readonly line: 'dtr' | 'rts'; readonly active: boolean };
}

/** Wirings that are seen often. Nothing says which one a board has: the user chooses. Not verified on hardware. */
export const STM32_WIRINGS = {
  /** Both pins straight from the adapter: DTR to NRST, RTS to BOOT0; a line that is set is low. */
  direct: { reset: { line: 'dtr', active: true }, boot0: { line: 'rts', active: false } },
  /** BOOT0 through a transistor that turns it over. */
  inverted: { reset: { line: 'dtr', active: true }, boot0: { line: 'rts', active: true } },
  /** The two lines the other way round: RTS to NRST, DTR to BOOT0. */
  swapped: { reset: { line: 'rts', active: true }, boot0: { line: 'dtr', active: false } },
} as const satisfies Record<string, Stm32Wiring>;

/** Milliseconds that reset is held: more than any reset capacitor needs. */
const HOLD_MS = 50;
/** Until the ROM listens (AN2606 gives a few milliseconds to some tens by chip and clock). */
const BOOT_MS = 100;

/**
 * Resets the chip into its ROM bootloader, or into the program in flash.
 * @returns false where the port has no modem lines, and nothing happened
 */
export async function resetStm32(line: Line, clock: Clock, wiring: Stm32Wiring, boot: boolean): Promise<boolean> {
  const { reset, boot0 } = wiring;
  const select = boot ? boot0.active : !boot0.active;
  if (!(await line.modem(levels(reset.line, reset.active, boot0.line, select)))) return false;
  await pause(clock, HOLD_MS);
  await line.modem(levels(reset.line, !reset.active, boot0.line, select));
  await pause(clock, BOOT_MS);
  return true;
}

function levels(a: 'dtr' | 'rts', aLevel: boolean, b: 'dtr' | 'rts', bLevel: boolean): ModemLines {
  const set: { dtr?: boolean; rts?: boolean } = {};
  set[a] = aLevel;
  set[b] = bLevel;
  return set;
}
