import { GoodnessError } from '../../base/errors.js';
import type { Port } from '../ports.js';
import { BOARD_IDS, type Board, type BoardId, type UsbId } from './board.js';
import { ESP32 } from './esp32.js';
import { LINUX, PI_ARM64, PI_ARMHF, WASM } from './host.js';
import { MEGA } from './mega.js';
import { MICROBIT } from './microbit.js';
import { MPS2_AN386 } from './mps2-an386.js';
import { MPS3_AN547 } from './mps3-an547.js';
import { PICO } from './pico.js';
import { STM32F405 } from './stm32f405.js';
import { UNO } from './uno.js';

const BY_ID: Readonly<Record<BoardId, Board>> = {
  'mps2-an386': MPS2_AN386,
  'mps3-an547': MPS3_AN547,
  stm32f405: STM32F405,
  pico: PICO,
  microbit: MICROBIT,
  uno: UNO,
  mega: MEGA,
  'pi-arm64': PI_ARM64,
  'pi-armhf': PI_ARMHF,
  linux: LINUX,
  wasm: WASM,
  esp32: ESP32,
};

/** All boards, in the order of BOARD_IDS. */
export const BOARDS: readonly Board[] = BOARD_IDS.map((id) => BY_ID[id]);

/**
 * The board of that name.
 * @throws GoodnessError `board.unknown`
 */
export function boardOf(id: string): Board {
  const found = BOARDS.find((board) => board.id === id);
  if (found !== undefined) return found;
  throw new GoodnessError('board.unknown', 'there is no board of that name', {
    expected: BOARD_IDS.join(', '),
    got: JSON.stringify(id),
    fix: 'See `goodness boards`.',
  });
}

/** A board that a port's USB id allows for. */
export interface BoardMatch {
  readonly board: Board;
  readonly usb: UsbId;
}

/** Boards that may be behind a port, by its USB id; those that own the id come alone. */
export function boardsOnPort(port: Pick<Port, 'vendorId' | 'productId'>): BoardMatch[] {
  const vendor = port.vendorId?.toLowerCase();
  const product = port.productId?.toLowerCase();
  const found = BOARDS.flatMap((board) =>
    board.usb.filter((usb) => usb.vendor === vendor && usb.product === product).map((usb) => ({ board, usb })),
  );
  const own = found.filter((match) => match.usb.own);
  return own.length > 0 ? own : found;
}
