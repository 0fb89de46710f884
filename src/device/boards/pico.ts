import type { Board } from './board.js';
import { LOOSE_CONVERTERS, ownId } from './usb.js';

const KB = 1024;

/** Raspberry Pi Pico. USB ids are those of Raspberry Pi's list (github.com/raspberrypi/usb-pid). */
export const PICO: Board = {
  id: 'pico',
  name: 'Raspberry Pi Pico',
  processor: 'RP2040, Cortex-M0+, 125 MHz',
  ramBytes: 264 * KB,
  flashBytes: 2048 * KB,
  regions: [
    { use: 'firmware', address: 0x10000000, bytes: 256 * KB, memory: 'flash' },
    { use: 'free', address: 0x10040000, bytes: 1536 * KB, memory: 'flash' },
    { use: 'model', address: 0x101c0000, bytes: 128 * KB, memory: 'flash' },
    { use: 'model', address: 0x101e0000, bytes: 128 * KB, memory: 'flash' },
  ],
  usb: [
    ownId('2e8a:0003', 'RP2040 in its USB bootloader'),
    ownId('2e8a:0005', 'Pico running MicroPython'),
    ownId('2e8a:000a', 'Pico running a program of the Pico SDK'),
    ownId('2e8a:000b', 'Pico running CircuitPython'),
    ...LOOSE_CONVERTERS,
  ],
  baud: 115200,
  line: 'UART0, GP0 out and GP1 in, over a Debug Probe or a 3.3 V USB converter',
  bootloader: { protocol: 'uf2', family: 0xe48bff56, label: 'RPI-RP2' },
  modelBy: 'bootloader',
  byHand: 'Hold BOOTSEL while you plug the board in.',
  budget: {
    arenaBytes: 200 * KB,
    payload: 1024,
    answer: 1024,
    window: 4,
    ahead: 8159,
    layers: 8,
    layouts: [3],
    links: 1,
    stackBytes: 4096,
    fixedBytes: 24 * KB,
    store: { kind: 'slots', slotBytes: 128 * KB },
    farFlash: false,
    persistent: true,
  },
  build: { make: ['BOARD=pico'], output: 'boards/pico/firmware.hex', compiler: 'arm-none-eabi-gcc' },
  emulator: { program: 'rp2040js', machine: 'RP2040', lacks: 'the boot ROM: it starts where the ROM would jump to' },
  verified:
    'emulated: rp2040js with a flash chip of our own behind its SSI; UF2 against a folder that behaves like the drive; not verified on hardware',
  datasheets: [
    { title: 'RP2040 datasheet', url: 'https://datasheets.raspberrypi.com/rp2040/rp2040-datasheet.pdf' },
    { title: 'Pico datasheet', url: 'https://datasheets.raspberrypi.com/pico/pico-datasheet.pdf' },
    { title: 'UF2 format', url: 'https://github.com/microsoft/uf2' },
  ],
};
