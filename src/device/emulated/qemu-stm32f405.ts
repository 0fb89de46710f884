import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OBJECT_KIND } from '../../format/message.js';
import { encodeSlot } from '../../format/slot.js';
import { type QemuBoard, type QemuLoader, startQemu } from './qemu.js';
import { emulatorNoise } from './qemu-noise.js';

export interface Stm32f405Options {
  /** `firmware.hex` of `make -C firmware BOARD=stm32f405`. */
  readonly firmware: string;
  /** A model image (`.ffm`) for the first of the two slots, as a bootloader would put it there. */
  readonly model?: Uint8Array;
  /** See QemuOptions. */
  readonly instructionShift?: number;
}

/** Sector 10 (RM0090, table 5; `firmware/ports/stm32f405/stm32f405.h`). */
const SLOT_AT = 0x080c0000;

/**
 * Starts a Netduino Plus 2 in QEMU. It has no flash controller: the device refuses to take or save a model (`device.flash`) and keeps
 * the one that it started with. Its clock tree is missing as well, so that the firmware takes its processor for one of 16 MHz.
 * @throws GoodnessError `emulator.missing`, `emulator.start`
 */
export async function startStm32f405({ firmware, model, ...rest }: Stm32f405Options): Promise<QemuBoard> {
  const folder = mkdtempSync(join(tmpdir(), 'goodness-stm32-'));
  try {
    const loaders: QemuLoader[] = [];
    if (model !== undefined) {
      const path = join(folder, 'slot.bin');
      writeFileSync(path, encodeSlot(model, 1, OBJECT_KIND.image));
      loaders.push({ path, address: SLOT_AT });
    }
    return await startQemu({ ...rest, machine: 'netduinoplus2', image: firmware, loaders, words: [emulatorNoise()] });
  } finally {
    // QEMU has read it, and puts it there again from its own copy at each reset.
    rmSync(folder, { recursive: true, force: true });
  }
}
