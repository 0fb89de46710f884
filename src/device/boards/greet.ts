import { GoodnessError } from '../../base/errors.js';
import { pause, systemClock } from '../clock.js';
import { Session, type SessionOptions } from '../session.js';
import type { Transport } from '../transport.js';

export interface GreetOptions extends SessionOptions {
  /**
   * Time in ms in which nothing is sent after the port was opened (see Board.quietMs), 0 for a board that needs none. Left out: it is
   * tried without, and then with silence.
   */
  readonly quietMs?: number;
}

/** Times without a byte, one after the other, after which a bootloader has let go; the longer one is for emulators on busy machines. */
const SILENCES_MS = [2500, 6000];
/** Time for a first answer before silence is tried. */
const FIRST_MS = 3000;
/** The same after a silence: the board runs by then, or never will. */
const AFTER_SILENCE_MS = 2000;

/**
 * Opens a board's port and greets it. Opening resets many boards into their bootloader, and that of the Mega 2560 stays for as long
 * as bytes keep coming: whoever asks again and again never hears an answer. So where a serial port is silent, it is opened once
 * more, left in peace, and asked then.
 *
 * @param open opens the port; called again for each further attempt
 * @throws GoodnessError those of `open` and of Session.open
 */
export async function greet(open: () => Promise<Transport>, options: GreetOptions = {}): Promise<Session> {
  const { quietMs, clock = systemClock, openMs, ...rest } = options;
  const first = await open();
  if (quietMs !== undefined) await pause(clock, quietMs);
  // Only a serial line can have a bootloader behind it; and a board that needs no silence gets none.
  const silences = !isSerial(first) || quietMs === 0 ? [] : SILENCES_MS;
  const patience = openMs === undefined ? {} : { openMs };
  const shorter = silences.length === 0 ? patience : { openMs: Math.min(FIRST_MS, openMs ?? FIRST_MS) };
  let failure: unknown;
  try {
    return await Session.open(first, { ...rest, clock, ...shorter });
  } catch (error) {
    failure = error;
  }
  for (const silence of silences) {
    if (!(failure instanceof GoodnessError) || failure.code !== 'device.silent') throw failure;
    const transport = await open();
    await pause(clock, silence);
    try {
      return await Session.open(transport, { ...rest, clock, openMs: openMs ?? AFTER_SILENCE_MS });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function isSerial({ name }: Transport): boolean {
  return !name.startsWith('sim') && !name.includes('://');
}
