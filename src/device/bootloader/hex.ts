import module from 'nrf-intel-hex';
import { GoodnessError } from '../../base/errors.js';
import type { FirmwareImage, Segment } from './firmware-image.js';

/** Blocks of bytes by address. The package's types are those of its ES module, but Node loads the other one. */
interface Blocks extends Map<number, Uint8Array> {
  join(mostBytes: number): Blocks;
  asHexString(): string;
}
const MemoryMap = module as unknown as { new (): Blocks; fromHex(text: string): Blocks };

/** Larger images are refused: no board of ours has so much flash. */
const MOST_BYTES = 64 << 20;

/**
 * Reads Intel HEX.
 * @param name what to call it in messages
 * @throws GoodnessError `firmware.hex`, `firmware.empty`
 */
export function parseHex(text: string, name = 'the firmware'): FirmwareImage {
  let blocks: Map<number, Uint8Array>;
  try {
    blocks = MemoryMap.fromHex(text).join(MOST_BYTES);
  } catch (cause) {
    throw new GoodnessError('firmware.hex', `${name} is no Intel HEX`, {
      got: cause instanceof Error ? cause.message : String(cause),
      fix: 'Copy or build the file again.',
      cause,
    });
  }
  const segments = [...blocks]
    .map(([address, bytes]) => ({ address, bytes: Uint8Array.from(bytes) }))
    .filter(({ bytes }) => bytes.length > 0)
    .sort((a, b) => a.address - b.address);
  return checked(segments, name);
}

/** An image as Intel HEX: 16 bytes a record, 32-bit addresses. */
export function formatHex(image: FirmwareImage): string {
  const blocks = new MemoryMap();
  for (const { address, bytes } of image.segments) blocks.set(address, bytes);
  return `${blocks.asHexString().trimEnd()}\n`;
}

/**
 * Reads a firmware file, `.hex` or `.bin` by what is in it.
 * @param base address of the first byte of a `.bin`
 * @throws GoodnessError `firmware.hex`, `firmware.empty`, `firmware.size`
 */
export function parseFirmware(bytes: Uint8Array, name: string, base: number): FirmwareImage {
  if (bytes.length > MOST_BYTES) {
    throw new GoodnessError('firmware.size', `${name} is no firmware for a microcontroller`, {
      expected: `at most ${MOST_BYTES >> 20} MB`,
      got: `${bytes.length >> 20} MB`,
    });
  }
  const named = /\.(hex|ihx|ihex)$/i.test(name);
  // A program that begins with a colon and goes on in hexadecimal digits would be a strange one.
  if (named || /^\s*:[0-9a-f]{10}/i.test(Buffer.from(bytes.subarray(0, 32)).toString('latin1'))) {
    return parseHex(Buffer.from(bytes).toString('latin1'), name);
  }
  return checked([{ address: base, bytes }], name);
}

/**
 * Several images in one.
 * @throws GoodnessError `firmware.overlap` if two of them want the same address
 */
export function mergeImages(...images: readonly FirmwareImage[]): FirmwareImage {
  const sorted = images.flatMap((image) => image.segments).sort((a, b) => a.address - b.address);
  const merged: Segment[] = [];
  for (const segment of sorted) {
    const last = merged.at(-1);
    const end = last === undefined ? -1 : last.address + last.bytes.length;
    if (segment.address < end) {
      throw new GoodnessError('firmware.overlap', 'two images want the same place in flash', {
        got: `0x${segment.address.toString(16)}, which is below 0x${end.toString(16)}`,
        fix: 'Use firmware and a model that were made for this board.',
      });
    }
    if (last === undefined || segment.address > end) merged.push(segment);
    else merged[merged.length - 1] = { address: last.address, bytes: joined(last.bytes, segment.bytes) };
  }
  return { segments: merged };
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

function checked(segments: readonly Segment[], name: string): FirmwareImage {
  if (segments.every(({ bytes }) => bytes.length === 0)) {
    throw new GoodnessError('firmware.empty', `${name} holds no bytes`, { fix: 'Copy or build the file again.' });
  }
  return { segments };
}
