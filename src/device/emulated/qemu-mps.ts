import { type QemuBoard, startQemu } from './qemu.js';
import { emulatorNoise } from './qemu-noise.js';

export interface MpsOptions {
  /** What QEMU calls the board; `mps2-an386` if left out. */
  readonly machine?: 'mps2-an386' | 'mps3-an547';
  /** `firmware.hex` of `make -C firmware BOARD=...`. */
  readonly firmware: string;
  /** See QemuOptions. */
  readonly instructionShift?: number;
}

/** Where RAM begins. */
const RAM_AT = { 'mps2-an386': 0x20000000, 'mps3-an547': 0x31000000 } as const;

/**
 * Starts one of Arm's FPGA boards in QEMU, without a model. Its slots lie in RAM: they outlive a reset, not the end of the emulator.
 * @throws GoodnessError `emulator.missing`, `emulator.start`
 */
export function startMps({ machine = 'mps2-an386', firmware, ...rest }: MpsOptions): Promise<QemuBoard> {
  return startQemu({ ...rest, machine, image: firmware, words: [emulatorNoise(RAM_AT[machine])] });
}
