import { GoodnessError } from '../../base/errors.js';
import type { FirmwareImage } from './firmware-image.js';
import { isMcubootImage, type McubootVersion, readImage, wrapImage } from './mcuboot-image.js';

/** Where a bootloader runs firmware, and what it takes for one. */
export interface FirmwareSlot {
  /** Start of the slot, as the processor counts. */
  readonly address: number;
  /** Bytes of MCUboot's header: the firmware is linked for `address + headerSize`. */
  readonly headerSize: number;
  /** Room in the slot for header, code and tags. */
  readonly slotBytes: number;
  /** Version for a firmware that comes without a header; 0.1.0 if left out. */
  readonly version?: McubootVersion;
}

/** Slot 0 of our own bootloader on the micro:bit (firmware/boot/layout.h): its last word is the bootloader's. */
export const MICROBIT_SLOT: FirmwareSlot = { address: 0x2000, headerSize: 0x100, slotBytes: 0x3000 - 4 };

const FIRST_VERSION: McubootVersion = { major: 0, minor: 1, revision: 0 };

/**
 * The file to upload: an MCUboot image as it is, or a firmware as the linker made it, with header and hash around it.
 *
 * @throws GoodnessError `bootloader.range` if it isn't linked for the slot or doesn't fit it, `mcuboot.*` for a damaged image
 */
export function firmwareFile(image: FirmwareImage, slot: FirmwareSlot = MICROBIT_SLOT): Uint8Array {
  const { segments } = image;
  const [first] = segments;
  const last = segments.at(-1);
  if (first === undefined || last === undefined) throw range('a firmware', 'an empty image');
  if (segments.length === 1 && isMcubootImage(first.bytes)) {
    return checked(first.bytes.subarray(0, readImage(first.bytes).bytes), slot);
  }
  const linkedFor = slot.address + slot.headerSize;
  const start = isMcubootImage(first.bytes) ? slot.address : linkedFor;
  const end = last.address + last.bytes.length;
  if (first.address !== start) throw range(`code at 0x${linkedFor.toString(16)}`, `0x${first.address.toString(16)}`);
  if (end > slot.address + slot.slotBytes) {
    throw range(`its end at 0x${(slot.address + slot.slotBytes).toString(16)} or before`, `0x${end.toString(16)}`);
  }
  const bytes = new Uint8Array(end - start).fill(0xff);
  for (const segment of segments) bytes.set(segment.bytes, segment.address - start);
  if (start === slot.address) return checked(bytes.subarray(0, readImage(bytes).bytes), slot);
  const { headerSize, slotBytes, version = FIRST_VERSION } = slot;
  return wrapImage(bytes, { version, headerSize, slotBytes });
}

function checked(file: Uint8Array, slot: FirmwareSlot): Uint8Array {
  if (file.length > slot.slotBytes) throw range(`an image of at most ${slot.slotBytes} bytes`, `${file.length}`);
  return file;
}

function range(expected: string, got: string): GoodnessError {
  return new GoodnessError('bootloader.range', 'this is no firmware for the slot that the bootloader runs', {
    expected,
    got,
    fix: 'Take the firmware that was built for this board.',
  });
}
