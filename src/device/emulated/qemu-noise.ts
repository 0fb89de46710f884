import { randomInt } from 'node:crypto';

/** Where, from the start of RAM, `firmware/ports/cortex-m/seed.c` looks for what it held when power came. */
const NOISE_AT = 4;

/** A random word there: an emulated RAM is all zeros, and each board would draw the same numbers. */
export function emulatorNoise(ramAt = 0x20000000): { address: number; value: number } {
  return { address: ramAt + NOISE_AT, value: randomInt(2 ** 32) };
}
