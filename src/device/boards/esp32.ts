import type { Board } from './board.js';
import { converter } from './usb.js';

/** ESP32: its ROM loader is spoken to, but there is no firmware of ours for it. */
export const ESP32: Board = {
  id: 'esp32',
  name: 'ESP32',
  processor: 'ESP32, two Xtensa LX6, 240 MHz',
  ramBytes: 520 * 1024,
  flashBytes: 4 * 1024 * 1024,
  regions: [],
  usb: [
    converter('10c4:ea60', 'Silicon Labs CP210x (most DevKits)'),
    converter('1a86:7523', 'WCH CH340'),
    converter('1a86:55d4', 'WCH CH9102'),
    converter('0403:6010', 'FTDI FT2232H (ESP-WROVER-KIT)'),
    converter('0403:6015', 'FTDI FT231X'),
  ],
  baud: 115200,
  line: 'the USB socket (UART0)',
  bootloader: { protocol: 'esp32', chip: 'ESP32', bauds: [460800, 115200] },
  modelBy: 'link',
  byHand: 'Hold BOOT, press EN, let BOOT go.',
  budget: undefined,
  build: undefined,
  emulator: undefined,
  verified: 'the flasher against an emulator of the ROM loader; no firmware of ours; not verified on hardware',
  datasheets: [
    {
      title: 'ESP32 datasheet',
      url: 'https://www.espressif.com/sites/default/files/documentation/esp32_datasheet_en.pdf',
    },
    {
      title: 'Serial protocol of the ROM loader',
      url: 'https://docs.espressif.com/projects/esptool/en/latest/esp32/advanced-topics/serial-protocol.html',
    },
  ],
};
