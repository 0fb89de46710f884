/** Of a processor as far as starting goes. */
export interface StartingCore {
  PC: number;
  LR: number;
}

/** What the breakpoint says by which the stand-in for the ROM's USB drive is left to the emulator. */
export const USB_BOOT_BREAK = 0x55;

/**
 * A stand-in for the boot ROM, which the emulator doesn't have: where RP2040 datasheet 2.8.3 says that programs find them, a table
 * of functions with one entry ("UB", the restart into the USB drive: here a breakpoint), and the routine that searches the table.
 */
export const ROM_WORDS = Uint32Array.of(
  0x20042000, // stack pointer, then reset, NMI and hard fault: all to the endless loop at the end
  0x0000003d,
  0x0000003d,
  0x0000003d,
  0x0001754d, // "Mu", version 1
  0x0000001c, // table of functions; no table of data
  0x00000025, // lookup(table, code)
  0x003b4255, // table: "UB" at 0x3a
  0x00000000,
  0x88438802, // lookup: ldrh r2, [r0]; ldrh r3, [r0, #2]
  0x2a003004, // adds r0, #4; cmp r2, #0
  0x428ad003, // beq none; cmp r2, r1
  0x0018d1f8, // bne lookup; movs r0, r3
  0x20004770, // bx lr; none: movs r0, #0
  0xbe554770, // bx lr; 0x3a: bkpt 0x55
  0x46c0e7fe, // 0x3c: b .
);

const STAGE_BYTES = 256;
/** Offset in SRAM that the ROM copies the second stage to. */
const STAGE_AT = 0x41f00;

/** CRC-32 as the boot ROM computes it: most significant bit first, start 0xFFFFFFFF, not inverted (datasheet 2.8.1.3.1). */
export function bootCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}

/**
 * Does what the boot ROM does: if the CRC of the second stage at the start of the flash fits, copies it to SRAM and jumps to it.
 *
 * @returns false if it doesn't fit: then the ROM shows its USB drive
 */
export function startSecondStage(flash: Uint8Array, sram: Uint8Array, core: StartingCore): boolean {
  const stage = flash.subarray(0, STAGE_BYTES);
  const stored = new DataView(stage.buffer, stage.byteOffset).getUint32(STAGE_BYTES - 4, true);
  if (bootCrc(stage.subarray(0, STAGE_BYTES - 4)) !== stored) return false;
  sram.set(stage, STAGE_AT);
  core.PC = 0x20000000 + STAGE_AT;
  core.LR = 0;
  return true;
}
