import type { Board } from './board.js';

/** Arm's FPGA board with a Cortex-M55 image (Corstone-300): the Cortex-M with vectors. */
export const MPS3_AN547: Board = {
  id: 'mps3-an547',
  name: 'Arm MPS3 with AN547 (Cortex-M55)',
  processor: 'Cortex-M55 with Helium, 32 MHz',
  ramBytes: 4 * 1024 * 1024,
  flashBytes: 512 * 1024,
  regions: [],
  usb: [],
  baud: 115200,
  line: 'UART0 (0x59303000)',
  bootloader: undefined,
  modelBy: 'link',
  budget: {
    arenaBytes: 192 * 1024,
    payload: 4096,
    answer: 4096,
    window: 4,
    ahead: 16607,
    layers: 8,
    layouts: [],
    links: 1,
    stackBytes: 4096,
    fixedBytes: 24 * 1024,
    store: { kind: 'slots', slotBytes: 256 * 1024 },
    farFlash: false,
    persistent: false,
  },
  build: { make: ['BOARD=mps3-an547'], output: 'boards/mps3-an547/firmware.hex', compiler: 'arm-none-eabi-gcc' },
  emulator: {
    program: 'qemu',
    machine: 'mps3-an547',
    lacks: 'flash: its slots lie in RAM, outlive a reset, and are gone with the power',
  },
  verified: 'emulated: QEMU 7.2, machine mps3-an547; not verified on hardware',
  datasheets: [
    {
      title: 'Arm Application Note AN547: Cortex-M55 with Corstone-300 on MPS3',
      url: 'https://developer.arm.com/documentation/dai0547/latest/',
    },
  ],
};
