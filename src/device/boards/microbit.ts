import type { Board } from './board.js';
import { ownId } from './usb.js';

const KB = 1024;

/** BBC micro:bit v1. It has 16 KB of RAM: big networks run in place from flash, and small upper layers learn. */
export const MICROBIT: Board = {
  id: 'microbit',
  name: 'BBC micro:bit v1',
  processor: 'nRF51822, Cortex-M0, 16 MHz',
  ramBytes: 16 * KB,
  flashBytes: 256 * KB,
  regions: [
    { use: 'bootloader', address: 0x00000000, bytes: 8 * KB, memory: 'flash' },
    { use: 'firmware', address: 0x00002000, bytes: 12 * KB, memory: 'flash' },
    { use: 'upload', address: 0x00005000, bytes: 12 * KB, memory: 'flash' },
    { use: 'model', address: 0x00008000, bytes: 112 * KB, memory: 'flash' },
    { use: 'model', address: 0x00024000, bytes: 112 * KB, memory: 'flash' },
  ],
  usb: [ownId('0d28:0204', 'micro:bit (DAPLink)')],
  baud: 115200,
  line: 'the USB socket (interface chip on P0.24 and P0.25)',
  bootloader: { protocol: 'smp', bauds: [115200], headerBytes: 0x100 },
  modelBy: 'link',
  budget: {
    arenaBytes: 12 * KB,
    payload: 800,
    answer: 256,
    window: 1,
    ahead: 811,
    layers: 4,
    layouts: [],
    links: 1,
    stackBytes: 1536,
    fixedBytes: 1408,
    store: { kind: 'slots', slotBytes: 112 * KB },
    farFlash: false,
    persistent: true,
  },
  build: {
    make: ['BOARD=microbit', 'board', 'boot'],
    output: 'boards/microbit/firmware.hex',
    first: {
      output: 'boards/microbit/first.hex',
      boot: 'boot/microbit/boot.bin',
      firmware: 'boards/microbit/firmware.bin',
    },
    compiler: 'arm-none-eabi-gcc',
  },
  emulator: { program: 'qemu', machine: 'microbit' },
  verified: 'emulated: QEMU 7.2, machine microbit, with flash writes and our own bootloader; not verified on hardware',
  datasheets: [
    {
      title: 'nRF51 Series Reference Manual 3.0',
      url: 'https://docs.nordicsemi.com/bundle/nRF51-Series-RM/page/nRF51_RM_v3.0.1.pdf',
    },
    { title: 'micro:bit v1 hardware', url: 'https://tech.microbit.org/hardware/1-5-revision/' },
    {
      title: 'SMP, the protocol of MCUmgr',
      url: 'https://docs.zephyrproject.org/latest/services/device_mgmt/smp_protocol.html',
    },
  ],
};
