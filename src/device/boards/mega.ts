import type { Board } from './board.js';
import { converter, ownId } from './usb.js';

const KB = 1024;

/** Arduino Mega 2560 and its clones. USB ids are those of arduino-core-avr's boards.txt, and of the CH340 on clones. */
export const MEGA: Board = {
  id: 'mega',
  name: 'Arduino Mega 2560',
  processor: 'ATmega2560, 8-bit AVR, 16 MHz',
  ramBytes: 8 * KB,
  flashBytes: 256 * KB,
  eepromBytes: 4 * KB,
  regions: [
    { use: 'firmware', address: 0x0000, bytes: 0x8000, memory: 'flash' },
    // As much as numbers of 16 bits reach, beside EEPROM, in the firmware's own count.
    { use: 'model', address: 0x8000, bytes: 0x7f00, memory: 'flash' },
    { use: 'free', address: 0xff00, bytes: 0x2c100, memory: 'flash' },
    { use: 'bootloader', address: 0x3c000, bytes: 16 * KB, memory: 'flash' },
    { use: 'saved', address: 0, bytes: 2 * KB, memory: 'eeprom' },
    { use: 'saved', address: 2 * KB, bytes: 2 * KB, memory: 'eeprom' },
  ],
  usb: [
    ownId('2341:0042', 'Arduino Mega 2560 R3'),
    ownId('2341:0010', 'Arduino Mega 2560'),
    ownId('2341:0210', 'Arduino Mega 2560 R3 (Genuino)'),
    ownId('2341:0242', 'Arduino Mega 2560 R3 (Genuino)'),
    ownId('2a03:0010', 'Arduino Mega 2560 (arduino.org)'),
    ownId('2a03:0042', 'Arduino Mega 2560 R3 (arduino.org)'),
    converter('1a86:7523', 'WCH CH340'),
    converter('10c4:ea60', 'Silicon Labs CP210x'),
  ],
  baud: 115200,
  // Its bootloader lets go after 1 s of silence.
  quietMs: 2000,
  line: 'the USB socket (D0 and D1)',
  bootloader: {
    protocol: 'stk500v2',
    signature: [0x1e, 0x98, 0x01],
    pageBytes: 256,
    flashBytes: 256 * KB,
    // The bootloader takes 8 KB, but erases nothing in the 8 KB below it either (APP_END in stk500boot.c).
    bootBytes: 16 * KB,
    bauds: [115200],
  },
  modelBy: 'bootloader',
  budget: {
    arenaBytes: 5120,
    payload: 256,
    answer: 256,
    window: 1,
    ahead: 223,
    layers: 4,
    layouts: [],
    links: 1,
    stackBytes: 1024,
    fixedBytes: 1024,
    store: { kind: 'records', slotBytes: 2048, imageBytes: 0x7f00 },
    farFlash: true,
    persistent: true,
  },
  build: { make: ['BOARD=mega'], output: 'boards/mega/firmware.hex', compiler: 'avr-gcc' },
  emulator: { program: 'simavr', machine: 'atmega2560' },
  verified: 'emulated: simavr 1.6 with the bootloader of the real board; not verified on hardware',
  datasheets: [
    {
      title: 'ATmega2560 datasheet (DS40002211)',
      url: 'https://ww1.microchip.com/downloads/en/devicedoc/atmel-2549-8-bit-avr-microcontroller-atmega640-1280-1281-2560-2561_datasheet.pdf',
    },
    {
      title: 'AVR068: STK500 communication protocol, version 2',
      url: 'https://ww1.microchip.com/downloads/en/AppNotes/doc2591.pdf',
    },
  ],
};
