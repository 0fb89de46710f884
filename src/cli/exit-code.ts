import { GoodnessError } from '../base/errors.js';

/** What the process ends with. */
export const EXIT = {
  ok: 0,
  /** A check was made and failed: verify found a mismatch. */
  check: 1,
  /** Wrong arguments, or input that can't be used. */
  usage: 2,
  /** The device, its port or its line. */
  device: 3,
  /** A fault of this program. */
  internal: 4,
  /** The user stopped it before it was done: what shells say of a process that Ctrl-C ends. */
  interrupted: 130,
} as const;

/** Exit codes of errors by code, or by the area that codes begin with; whatever is in neither comes from wrong input. */
const CODES: Readonly<Record<string, number>> = {
  check: EXIT.check,
  device: EXIT.device,
  port: EXIT.device,
  flash: EXIT.device,
  native: EXIT.device,
  core: EXIT.device,
  store: EXIT.device,
  bootloader: EXIT.device,
  emulator: EXIT.device,
  // Answers that make no sense, and statistics in them.
  message: EXIT.device,
  statistics: EXIT.device,
  // The device carries another model than the host thinks; but data that don't fit it are the user's.
  sync: EXIT.device,
  'sync.host': EXIT.usage,
  'train.interrupted': EXIT.interrupted,
};

/** The exit code for an error. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof GoodnessError)) return EXIT.internal;
  const area = error.code.split('.', 1)[0]!;
  return CODES[error.code] ?? CODES[area] ?? EXIT.usage;
}
