import type { Segment } from '../bootloader/firmware-image.js';

/** What the thread of an emulated Pico is started with. */
export interface PicoSetup {
  /** Put in the flash at the start. */
  readonly segments: readonly Segment[];
  /** File that the flash is kept in. */
  readonly flash?: string;
  /** Folder that shows up as the drive of the boot ROM. */
  readonly drive?: string;
  /** Power is cut in the middle of this erase or program of the flash, counted from 1. */
  readonly cutAtOperation?: number;
}

/** What the board has done since its emulator was started. */
export interface PicoCounters {
  readonly instructions: number;
  /** Seconds on the board's own clock. */
  readonly boardSeconds: number;
  /** Seconds that this machine worked on it. */
  readonly workSeconds: number;
  /** Erases and programs of the flash since the last reset. */
  readonly flashOperations: number;
}

export type PicoRequest = { readonly kind: 'reset' | 'counters' | 'off'; readonly id: number };

export type PicoReply =
  | { readonly kind: 'ready'; readonly port: number }
  | { readonly kind: 'done'; readonly id: number; readonly counters: PicoCounters }
  /** The board is off for good; `code` is that of the GoodnessError, if it was one. */
  | { readonly kind: 'ended'; readonly why: string; readonly code?: string };
