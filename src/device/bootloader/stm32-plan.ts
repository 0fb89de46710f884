import { GoodnessError } from '../../base/errors.js';
import type { FirmwareImage, Segment } from './firmware-image.js';
import { chipId, endOf, type Sector, type Stm32Chip, sectorsOf } from './stm32-chips.js';

/** Bytes of one write or read, the most that the protocol takes (AN3155, sections 3.4 and 3.6). */
export const BLOCK = 256;
/** Addresses and lengths are multiples of this: 4 by AN3155, and 8 serves chips that program 64 bits at once. */
const ALIGN = 8;

/**
 * Refuses an image that fits none of the chips.
 * @throws GoodnessError `bootloader.range`
 */
export function checkFits(image: FirmwareImage, chips: readonly Stm32Chip[]): void {
  const { segments } = image;
  if (segments.reduce((sum, s) => sum + s.bytes.length, 0) === 0) {
    throw new GoodnessError('bootloader.range', 'the image is empty', { fix: 'Build the firmware again.' });
  }
  if (chips.some((chip) => segments.every((s) => inside(s, chip)))) return;
  const wrong = segments.find((s) => chips.every((chip) => !inside(s, chip))) ?? segments[0]!;
  throw new GoodnessError('bootloader.range', "the image does not fit the chip's flash", {
    expected: chips.map((chip) => `${range(chip.start, endOf(chip))} (${chip.name})`).join(' or '),
    got: range(wrong.address, wrong.address + wrong.bytes.length),
    fix: 'Choose the image that was built for this board.',
  });
}

/** The sectors that the image touches, in order. */
export function touchedSectors(image: FirmwareImage, chip: Stm32Chip): Sector[] {
  return sectorsOf(chip).filter((sector) =>
    image.segments.some(
      (s) => s.address < sector.address + sector.bytes && s.address + s.bytes.length > sector.address,
    ),
  );
}

/** Stretches of the sectors that the image doesn't cover, with whole blocks of alignment at both ends, to be read before the erase. */
export function uncovered(image: FirmwareImage, sectors: readonly Sector[]): { address: number; count: number }[] {
  const gaps: { address: number; count: number }[] = [];
  for (const sector of sectors) {
    const end = sector.address + sector.bytes;
    let at = sector.address;
    for (const s of [...image.segments, { address: end, bytes: new Uint8Array() }]) {
      if (s.address + s.bytes.length < at) continue;
      const stop = Math.min(end, Math.ceil(s.address / ALIGN) * ALIGN);
      if (stop > at) gaps.push({ address: at, count: stop - at });
      at = Math.max(at, Math.floor((s.address + s.bytes.length) / ALIGN) * ALIGN);
      if (at >= end) break;
    }
  }
  return gaps;
}

/**
 * What to write, block by block, so that the sectors hold the image and, elsewhere, what was read before the erase. The rest of
 * a block is 0xFF, which is what erased flash reads.
 */
export function blocksOf(image: FirmwareImage, kept: readonly Segment[]): Segment[] {
  const blocks = new Map<number, { bytes: Uint8Array; from: number; to: number }>();
  const put = (at: number, byte: number): void => {
    const start = at - (at % BLOCK);
    let block = blocks.get(start);
    if (block === undefined) {
      block = { bytes: new Uint8Array(BLOCK).fill(0xff), from: BLOCK, to: 0 };
      blocks.set(start, block);
    }
    block.bytes[at - start] = byte;
    block.from = Math.min(block.from, at - start);
    block.to = Math.max(block.to, at - start + 1);
  };
  for (const { address, bytes } of kept) {
    for (const [i, byte] of bytes.entries()) if (byte !== 0xff) put(address + i, byte);
  }
  // The image comes last: where it meets kept bytes, it is what counts.
  for (const { address, bytes } of image.segments) {
    for (const [i, byte] of bytes.entries()) put(address + i, byte);
  }
  return [...blocks]
    .sort(([a], [b]) => a - b)
    .map(([start, { bytes, from, to }]) => {
      const first = Math.floor(from / ALIGN) * ALIGN;
      return { address: start + first, bytes: bytes.subarray(first, Math.ceil(to / ALIGN) * ALIGN) };
    });
}

/** The chip of this product id, if it is one of those that the image is for. */
export function chipFor(id: number, chips: readonly Stm32Chip[], known: readonly Stm32Chip[]): Stm32Chip {
  const chip = chips.find((c) => c.id === id);
  if (chip !== undefined) return chip;
  const name = known.find((c) => c.id === id)?.name ?? 'a product that is not in the table';
  throw new GoodnessError('bootloader.chip', 'this is another chip than the image is for; nothing was written', {
    expected: chips.map((c) => `${chipId(c.id)} (${c.name})`).join(' or '),
    got: `${chipId(id)} (${name})`,
    fix: 'Choose the board that is plugged in.',
  });
}

function inside(s: Segment, chip: Stm32Chip): boolean {
  return s.address >= chip.start && s.address + s.bytes.length <= endOf(chip);
}

function range(from: number, to: number): string {
  return `0x${from.toString(16)} to 0x${(to - 1).toString(16)}`;
}
