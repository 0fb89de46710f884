import type { UsbId } from './board.js';

/** An id that belongs to one kind of board. */
export function ownId(id: string, name: string): UsbId {
  return usbId(id, name, true);
}

/** A converter between USB and serial lines that sits on, or is wired to, boards of many kinds. */
export function converter(id: string, name: string): UsbId {
  return usbId(id, name, false);
}

function usbId(id: string, name: string, own: boolean): UsbId {
  const [vendor = '', product = ''] = id.split(':');
  return { vendor, product, name, own };
}

/** Converters that people wire to boards whose serial line ends in bare pins. */
export const LOOSE_CONVERTERS: readonly UsbId[] = [
  converter('0403:6001', 'FTDI FT232R'),
  converter('0403:6015', 'FTDI FT231X'),
  converter('10c4:ea60', 'Silicon Labs CP210x'),
  converter('1a86:7523', 'WCH CH340'),
  converter('1a86:55d4', 'WCH CH9102'),
  converter('067b:2303', 'Prolific PL2303'),
  converter('067b:23a3', 'Prolific PL2303GC'),
  converter('2e8a:000c', 'Raspberry Pi Debug Probe'),
];
