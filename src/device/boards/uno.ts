import type { Board } from './board.js';
import { converter, ownId } from './usb.js';

const KB = 1024;

/** Arduino Uno R3 and its clones. USB ids are those of arduino-core-avr's boards.txt, and of the CH340 on clones. */
export const UNO: Board = {
  id: 'uno',
  name: 'Arduino Uno',
  processor: 'ATmega328P, 8-bit AVR, 16 MHz',
  ramBytes: 2 * KB,
  flashBytes: 32 * KB,
  eepromBytes: 1 * KB,
  regions: [
    { use: 'firmware', address: 0x0000, bytes: 0x4800, memory: 'flash' },
    { use: 'model', address: 0x4800, bytes: 0x3000, memory: 'flash' },
    { use: 'bootloader', address: 0x7800, bytes: 2 * KB, memory: 'flash' },
    { use: 'saved', address: 0, bytes: 512, memory: 'eeprom' },
    { use: 'saved', address: 512, bytes: 512, memory: 'eeprom' },
  ],
  usb: [
    ownId('2341:0043', 'Arduino Uno R3'),
    ownId('2341:0001', 'Arduino Uno'),
    ownId('2341:0243', 'Arduino Uno R3 (Genuino)'),
    ownId('2341:006a', 'Arduino Uno Mini'),
    ownId('2a03:0043', 'Arduino Uno R3 (arduino.org)'),
    converter('1a86:7523', 'WCH CH340'),
    converter('0403:6001', 'FTDI FT232R'),
    converter('10c4:ea60', 'Silicon Labs CP210x'),
  ],
  baud: 115200,
  line: 'the USB socket (D0 and D1)',
  bootloader: {
    protocol: 'stk500v1',
    signature: [0x1e, 0x95, 0x0f],
    pageBytes: 128,
    flashBytes: 32 * KB,
    // Optiboot takes 512 bytes; 2 KB stay untouched, so that boards with the old bootloader keep theirs.
    bootBytes: 2 * KB,
    bauds: [115200, 57600],
  },
  modelBy: 'bootloader',
  budget: {
    arenaBytes: 1000,
    payload: 64,
    answer: 64,
    window: 1,
    ahead: 31,
    layers: 2,
    layouts: [],
    links: 1,
    stackBytes: 340,
    fixedBytes: 310,
    store: { kind: 'records', slotBytes: 512, imageBytes: 0x3000 },
    farFlash: true,
    persistent: true,
  },
  build: { make: ['BOARD=uno'], output: 'boards/uno/firmware.hex', compiler: 'avr-gcc' },
  emulator: { program: 'simavr', machine: 'atmega328p' },
  verified: 'emulated: simavr 1.6 with Optiboot and with the old bootloader; not verified on hardware',
  datasheets: [
    {
      title: 'ATmega328P datasheet (DS40002061)',
      url: 'https://ww1.microchip.com/downloads/en/DeviceDoc/Atmel-7810-Automotive-Microcontrollers-ATmega328P_Datasheet.pdf',
    },
    {
      title: 'AVR061: STK500 communication protocol',
      url: 'https://ww1.microchip.com/downloads/en/Appnotes/doc2525.pdf',
    },
  ],
};
