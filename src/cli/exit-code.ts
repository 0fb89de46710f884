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
} as const;

const DEVICE = new Set(['device', 'port', 'flash', 'native', 'core', 'store', 'sync']);

/** The exit code for an error, by the area that its code begins with. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof GoodnessError)) return EXIT.internal;
  const area = error.code.split('.', 1)[0]!;
  if (area === 'check') return EXIT.check;
  return DEVICE.has(area) ? EXIT.device : EXIT.usage;
}
