import type { Board } from './board.js';

/** Arm's FPGA board with a Cortex-M4 image: the reference of the emulated Cortex-M boards, since QEMU has it whole. */
export const MPS2_AN386: Board = {
  id: 'mps2-an386',
  name: 'Arm MPS2 with AN386 (Cortex-M4)',
  processor: 'Cortex-M4F, 25 MHz',
  ramBytes: 4 * 1024 * 1024,
  flashBytes: 4 * 1024 * 1024,
  regions: [],
  usb: [],
  baud: 115200,
  line: 'UART0 (0x40004000)',
  bootloader: undefined,
  modelBy: 'link',
  budget: {
    arenaBytes: 192 * 1024,
    payload: 4096,
    answer: 4096,
    window: 4,
    ahead: 16607,
    layers: 8,
    layouts: [1, 2],
    links: 1,
    stackBytes: 4096,
    fixedBytes: 24 * 1024,
    store: { kind: 'slots', slotBytes: 256 * 1024 },
    farFlash: false,
    persistent: false,
  },
  build: { make: ['BOARD=mps2-an386'], output: 'boards/mps2-an386/firmware.hex', compiler: 'arm-none-eabi-gcc' },
  emulator: {
    program: 'qemu',
    machine: 'mps2-an386',
    lacks: 'flash: its slots lie in RAM, outlive a reset, and are gone with the power',
  },
  verified: 'emulated: QEMU 7.2, machine mps2-an386; not verified on hardware',
  datasheets: [
    {
      title: 'Arm Application Note AN386: Cortex-M4 on MPS2',
      url: 'https://developer.arm.com/documentation/dai0386/latest/',
    },
  ],
};
