import { randomInt } from 'node:crypto';

/** Where `firmware/ports/cortex-m/seed.c` looks for what RAM held when power came. */
const NOISE_AT = 0x20000004;

/** A random word there: an emulated RAM is all zeros, and each board would draw the same numbers. */
export function emulatorNoise(): { address: number; value: number } {
  return { address: NOISE_AT, value: randomInt(2 ** 32) };
}
