import { type QemuBoard, startQemu } from './qemu.js';
import { emulatorNoise } from './qemu-noise.js';

export interface Mps2Options {
  /** `firmware.hex` of `make -C firmware BOARD=mps2-an386`. */
  readonly firmware: string;
  /** See QemuOptions. */
  readonly instructionShift?: number;
}

/**
 * Starts an MPS2 with AN386 in QEMU, without a model. Its slots lie in RAM: they outlive a reset, not the end of the emulator.
 * @throws GoodnessError `emulator.missing`, `emulator.start`
 */
export function startMps2({ firmware, ...rest }: Mps2Options): Promise<QemuBoard> {
  return startQemu({ ...rest, machine: 'mps2-an386', image: firmware, words: [emulatorNoise()] });
}
