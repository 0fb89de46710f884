import type { Random } from '../../base/random.js';

/** Flash of the micro:bit behind the bootloader, which nothing ever changes (firmware/boot/layout.h). */
export const FLASH_AT = 0x2000;
export const FLASH_BYTES = 0x3e000;
export const PAGE = 0x400;

/** One operation on flash. */
export interface FlashOperation {
  readonly kind: 'erase' | 'write';
  /** The word or the page, and where it lies; no bytes and 0 for an erase of an erased page. */
  readonly address: number;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** All operations on flash of one piece of work, in order, and the addresses of the instructions that did them. */
export interface FlashRecord {
  readonly operations: readonly FlashOperation[];
  readonly sites: readonly number[];
}

/** The flash after the first `count` of these operations. */
export function flashBehind(count: number, before: Uint8Array, operations: readonly FlashOperation[]): Uint8Array {
  const flash = before.slice();
  for (const operation of operations.slice(0, count)) apply(flash, operation);
  return flash;
}

/** Does an operation to a copy of the flash. */
export function apply(flash: Uint8Array, { address, after }: FlashOperation): void {
  if (after.length > 0) flash.set(after, address - FLASH_AT);
}

/**
 * Does an operation halfway, as when power goes within it: either its first bytes are done, or in all bytes some of the bits. (Bits
 * that read now so and now otherwise, as cells between 0 and 1 may on a chip, aren't tried.)
 * @returns false if nothing of it can be left undone
 */
export function tear(flash: Uint8Array, operation: FlashOperation, random: Random): boolean {
  const { address, before, after } = operation;
  const whole = random.integer(2) === 0 ? random.integer(after.length + 1) : -1;
  let done = true;
  for (let i = 0; i < after.length; i++) {
    const bits = whole < 0 ? random.integer(256) : i < whole ? 255 : 0;
    const byte = (before[i]! & ~bits) | (after[i]! & bits);
    flash[address - FLASH_AT + i] = byte;
    done &&= byte === after[i];
  }
  return !done;
}

/** Whether two flashes have the same page at this offset. */
export function samePage(a: Uint8Array, b: Uint8Array, offset: number): boolean {
  return Buffer.compare(a.subarray(offset, offset + PAGE), b.subarray(offset, offset + PAGE)) === 0;
}
