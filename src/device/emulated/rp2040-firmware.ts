import { readFile } from 'node:fs/promises';
import { GoodnessError } from '../../base/errors.js';
import type { FirmwareImage, Segment } from '../bootloader/firmware-image.js';
import { parseFirmware } from '../bootloader/hex.js';
import { fromUf2, RP2040_FAMILY } from '../bootloader/uf2.js';

export const FLASH_BASE = 0x10000000;
/** Of the Pico's W25Q16JV. */
export const FLASH_BYTES = 2 * 1024 * 1024;

const ELF_MAGIC = 0x464c457f;
const LOADED = 1;

/**
 * What a file puts in the flash: `.uf2`, `.elf`, `.hex`, or `.bin` from the start of the flash.
 *
 * @throws GoodnessError `firmware.file` if it can't be read or has nothing for the flash
 */
export async function readPicoFirmware(path: string): Promise<FirmwareImage> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new GoodnessError('firmware.file', `the firmware ${path} can not be read`, {
      fix: 'Build it: `make -C firmware BOARD=pico`.',
      cause,
    });
  });
  const image = parse(path, bytes);
  const segments = image.segments.filter((segment) => segment.bytes.length > 0);
  const wrong = segments.find(({ address, bytes }) => !inFlash(address, bytes.length));
  if (segments.length > 0 && wrong === undefined) return { segments };
  throw new GoodnessError('firmware.file', `the firmware ${path} is not for the flash of a Pico`, {
    expected: 'bytes from 0x10000000 to 0x101fffff',
    got: wrong === undefined ? 'none' : `${wrong.bytes.length} at 0x${wrong.address.toString(16)}`,
  });
}

function parse(path: string, bytes: Uint8Array): FirmwareImage {
  if (path.endsWith('.uf2')) return fromUf2(bytes, RP2040_FAMILY);
  const elf = elfSegments(bytes);
  return elf === undefined ? parseFirmware(bytes, path, FLASH_BASE) : { segments: elf };
}

/** What an ELF file (32 bits, little-endian) loads, by physical address; undefined for other files. */
function elfSegments(bytes: Uint8Array): Segment[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 52 || view.getUint32(0, true) !== ELF_MAGIC) return undefined;
  const table = view.getUint32(28, true);
  const size = view.getUint16(42, true);
  const segments: Segment[] = [];
  for (let i = 0; i < view.getUint16(44, true); i++) {
    const at = table + i * size;
    if (at + 32 > bytes.length) throw new GoodnessError('firmware.file', 'the ELF file is cut off');
    const [type, offset, , address, count] = [0, 4, 8, 12, 16].map((o) => view.getUint32(at + o, true)) as number[];
    if (type === LOADED && count! > 0) {
      segments.push({ address: address!, bytes: bytes.slice(offset!, offset! + count!) });
    }
  }
  return segments.sort((a, b) => a.address - b.address);
}

/** Whether all of it lies in the flash. */
export function inFlash(address: number, count: number): boolean {
  return address >= FLASH_BASE && address + count <= FLASH_BASE + FLASH_BYTES;
}
