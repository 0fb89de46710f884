import type { FirmwareImage } from './firmware-image.js';

export type BootloaderPhase = 'connect' | 'erase' | 'write' | 'verify';

export interface BootloaderOptions {
  /** How far it has come; `total` is in bytes for write and verify, 1 for connect and erase where they have no steps. */
  readonly onProgress?: (phase: BootloaderPhase, done: number, total: number) => void;
  /** Read everything back and compare; true if left out. */
  readonly verify?: boolean;
  /** What was tried, for `--verbose`. */
  readonly onTry?: (text: string) => void;
}

export interface BootloaderReport {
  /** What answered: protocol, signature or chip, version. */
  readonly chip: string;
  readonly bytesWritten: number;
  /** Bytes read back and found equal; 0 without verification. */
  readonly bytesVerified: number;
  /** Bits per second that worked. */
  readonly baud: number;
}

/**
 * Puts an image on a board by one protocol, from a reset to a running program.
 * @param path serial port
 * @throws GoodnessError `port.*` if it doesn't open; `bootloader.sync` if nothing answers (says what was tried and which button
 * to press), `bootloader.chip` for another chip than the image is for, `bootloader.timeout`, `bootloader.refused`,
 * `bootloader.verify` with the first address that differs, `bootloader.range` if the image doesn't fit, before anything is sent
 */
export type Bootloader = (path: string, image: FirmwareImage, options: BootloaderOptions) => Promise<BootloaderReport>;
