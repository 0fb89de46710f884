import type { Board } from './board.js';
import { LOOSE_CONVERTERS, ownId } from './usb.js';

const KB = 1024;

/** STM32F405 boards: Adafruit Feather STM32F405 Express and Netduino Plus 2. Flash sectors as in RM0090, table 5. */
export const STM32F405: Board = {
  id: 'stm32f405',
  name: 'STM32F405 (Feather STM32F405, Netduino Plus 2)',
  processor: 'STM32F405RG, Cortex-M4F, up to 168 MHz',
  ramBytes: 192 * KB,
  flashBytes: 1024 * KB,
  regions: [
    { use: 'firmware', address: 0x08000000, bytes: 128 * KB, memory: 'flash' },
    { use: 'free', address: 0x08020000, bytes: 640 * KB, memory: 'flash' },
    { use: 'model', address: 0x080c0000, bytes: 128 * KB, memory: 'flash' },
    { use: 'model', address: 0x080e0000, bytes: 128 * KB, memory: 'flash' },
  ],
  // 0483:df11 is the ROM's own USB bootloader: no serial port, so it never comes up in a list of ports.
  usb: [ownId('239a:0059', 'Feather STM32F405 with TinyUF2'), ...LOOSE_CONVERTERS],
  baud: 115200,
  line: 'USART1, PA9 out and PA10 in, over a 3.3 V USB converter: the pins that the ROM bootloader listens on as well',
  bootloader: { protocol: 'stm32', bauds: [115200, 57600], chips: [0x413] },
  modelBy: 'link',
  byHand: 'Connect BOOT0 to 3.3 V and press reset; afterwards take it off and press reset again.',
  budget: {
    arenaBytes: 117 * KB,
    payload: 1024,
    answer: 1024,
    window: 1,
    ahead: 1247,
    layers: 8,
    layouts: [1, 2],
    links: 1,
    stackBytes: 2048,
    fixedBytes: 6 * KB,
    store: { kind: 'slots', slotBytes: 128 * KB },
    farFlash: false,
    persistent: true,
  },
  build: { make: ['BOARD=stm32f405'], output: 'boards/stm32f405/firmware.hex', compiler: 'arm-none-eabi-gcc' },
  emulator: {
    program: 'qemu',
    machine: 'netduinoplus2',
    lacks: 'the flash controller (erase and program are refused), the clock tree, and the 64 KB of CCM RAM',
  },
  verified:
    'emulated: QEMU 7.2, machine netduinoplus2, without flash writes; the ROM bootloader against an emulator of its protocol; not verified on hardware',
  datasheets: [
    {
      title: 'STM32F405xx datasheet (DS8626)',
      url: 'https://www.st.com/resource/en/datasheet/stm32f405rg.pdf',
    },
    {
      title: 'RM0090 reference manual',
      url: 'https://www.st.com/resource/en/reference_manual/dm00031020.pdf',
    },
    {
      title: 'AN2606: system memory boot mode',
      url: 'https://www.st.com/resource/en/application_note/an2606-stm32-microcontroller-system-memory-boot-mode-stmicroelectronics.pdf',
    },
    {
      title: 'AN3155: USART protocol of the bootloader',
      url: 'https://www.st.com/resource/en/application_note/an3155-usart-protocol-used-in-the-stm32-bootloader-stmicroelectronics.pdf',
    },
  ],
};
