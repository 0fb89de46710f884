import { GoodnessError } from '../../base/errors.js';
import { type Clock, systemClock } from '../clock.js';
import type { Bootloader } from './bootloader.js';
import type { FirmwareImage, Segment } from './firmware-image.js';
import { touch1200 } from './touch.js';
import { awaitDrive, awaitGone, driveFolders, writeToDrive } from './uf2-drive.js';

/*
 * UF2 (github.com/microsoft/uf2): blocks of 512 bytes, each whole in itself, that a boot ROM takes off the sectors written to
 * its USB drive, in whatever order they come.
 */
const BLOCK = 512;
const MAGIC_FIRST = 0x0a324655;
const MAGIC_SECOND = 0x9e5d5157;
const MAGIC_LAST = 0x0ab16f30;
const LAST_AT = BLOCK - 4;
const DATA_AT = 32;
const MOST_DATA = 476;

/** Flags of a block. */
const NOT_MAIN_FLASH = 0x1;
const FILE_CONTAINER = 0x1000;
const HAS_FAMILY = 0x2000;

/** Family id of the RP2040. */
export const RP2040_FAMILY = 0xe48bff56;

/** What a block carries, and what the flash clears at once: both RP2040 (datasheet 2.8.4.2), and no trouble elsewhere. */
const PAGE = 256;
const SECTOR = 4096;

/**
 * An image as a UF2 file for processors of a family. Sectors of 4096 bytes that the image touches are filled up with 0xFF: they
 * are erased anyway, and the ROM of the RP2040 erases one for each 16 blocks (raspberrypi/pico-bootrom-rp2040 issue 19), so 16
 * blocks in a row must be a sector's.
 *
 * @throws GoodnessError `bootloader.range` for an image without bytes, or beyond 32 bits of address
 */
export function toUf2(image: FirmwareImage, family: number): Uint8Array {
  const pages = wholeSectors(image).flatMap(({ address, bytes }) =>
    Array.from({ length: bytes.length / PAGE }, (_, i) => ({
      address: address + i * PAGE,
      bytes: bytes.subarray(i * PAGE, (i + 1) * PAGE),
    })),
  );
  if (pages.length === 0) {
    throw new GoodnessError('bootloader.range', 'the image has no bytes', { fix: 'Build the firmware again.' });
  }
  const file = new Uint8Array(pages.length * BLOCK);
  pages.forEach((page, i) => {
    const block = new DataView(file.buffer, i * BLOCK, BLOCK);
    const words = [MAGIC_FIRST, MAGIC_SECOND, HAS_FAMILY, page.address, PAGE, i, pages.length, family];
    for (const [at, word] of words.entries()) block.setUint32(4 * at, word, true);
    file.set(page.bytes, i * BLOCK + DATA_AT);
    block.setUint32(LAST_AT, MAGIC_LAST, true);
  });
  return file;
}

/** The sectors that an image touches, whole, in order. */
function wholeSectors(image: FirmwareImage): Segment[] {
  const sectors = new Map<number, Uint8Array>();
  for (const { address, bytes } of image.segments) {
    if (!Number.isInteger(address) || address < 0 || address + bytes.length > 2 ** 32) {
      throw new GoodnessError('bootloader.range', 'the image lies beyond 32 bits of address', {
        got: `${bytes.length} bytes at 0x${address.toString(16)}`,
      });
    }
    for (let at = 0; at < bytes.length; ) {
      const start = Math.floor((address + at) / SECTOR) * SECTOR;
      const offset = address + at - start;
      const sector = sectors.get(start) ?? new Uint8Array(SECTOR).fill(0xff);
      const part = bytes.subarray(at, at + SECTOR - offset);
      sector.set(part, offset);
      sectors.set(start, sector);
      at += part.length;
    }
  }
  return [...sectors].sort(([a], [b]) => a - b).map(([address, bytes]) => ({ address, bytes }));
}

/**
 * The image in a UF2 file, for a family where one is named: blocks for others, and those that aren't for flash, are left out.
 *
 * @throws GoodnessError `uf2.format` with the block that is wrong, `uf2.family` if nothing in it is for this family
 */
export function fromUf2(file: Uint8Array, family?: number): FirmwareImage {
  if (file.length === 0 || file.length % BLOCK !== 0) {
    throw new GoodnessError('uf2.format', 'not a UF2 file', {
      expected: `a multiple of ${BLOCK} bytes`,
      got: `${file.length}`,
    });
  }
  const total = file.length / BLOCK;
  const families = new Set<number>();
  const pages: Segment[] = [];
  /** Numbers and counts are per family: a file may hold several. */
  const seen = new Map<number, { count: number; numbers: Set<number> }>();
  for (let i = 0; i < total; i++) {
    const block = readBlock(file.subarray(i * BLOCK, (i + 1) * BLOCK), i);
    if (block.flags & (NOT_MAIN_FLASH | FILE_CONTAINER)) continue;
    families.add(block.family);
    const group = seen.get(block.family) ?? { count: block.count, numbers: new Set<number>() };
    seen.set(block.family, group);
    if (block.count !== group.count) throw blockError(i, 'count of blocks', `${group.count}`, `${block.count}`);
    if (block.number >= block.count || group.numbers.has(block.number)) {
      throw blockError(i, 'number', `one below ${block.count} that wasn't there yet`, `${block.number}`);
    }
    group.numbers.add(block.number);
    if (family === undefined || block.family === family) pages.push(block);
  }
  for (const [id, { count, numbers }] of seen) {
    if ((family === undefined || family === id) && numbers.size !== count) {
      throw new GoodnessError('uf2.format', 'blocks are missing from the UF2 file', {
        expected: `${count}`,
        got: `${numbers.size}`,
        fix: 'Copy or download the file again.',
      });
    }
  }
  if (pages.length === 0) {
    throw new GoodnessError('uf2.family', 'the UF2 file is for another processor', {
      expected: family === undefined ? 'blocks for flash' : `family 0x${family.toString(16)}`,
      got: [...families].map((id) => `0x${id.toString(16)}`).join(', ') || 'none',
    });
  }
  return { segments: joined(pages) };
}

interface Block extends Segment {
  readonly flags: number;
  readonly number: number;
  readonly count: number;
  /** 0 if the block names none. */
  readonly family: number;
}

function readBlock(bytes: Uint8Array, index: number): Block {
  const view = new DataView(bytes.buffer, bytes.byteOffset, BLOCK);
  const word = (at: number): number => view.getUint32(at, true);
  for (const [at, magic] of [
    [0, MAGIC_FIRST],
    [4, MAGIC_SECOND],
    [LAST_AT, MAGIC_LAST],
  ] as const) {
    if (word(at) !== magic) throw blockError(index, `magic at ${at}`, hex(magic), hex(word(at)));
  }
  const size = word(16);
  if (size === 0 || size > MOST_DATA) throw blockError(index, 'payload size', `1 to ${MOST_DATA}`, `${size}`);
  const flags = word(8);
  return {
    flags,
    address: word(12),
    number: word(20),
    count: word(24),
    family: flags & HAS_FAMILY ? word(28) : 0,
    bytes: bytes.slice(DATA_AT, DATA_AT + size),
  };
}

/** Sorted, and joined where one ends as the next begins. */
function joined(pages: readonly Segment[]): Segment[] {
  const runs: Segment[][] = [];
  let end = -1;
  for (const page of [...pages].sort((a, b) => a.address - b.address)) {
    if (page.address < end) {
      throw new GoodnessError('uf2.format', 'blocks of the UF2 file overlap', {
        expected: `an address from ${hex(end)} on`,
        got: hex(page.address),
      });
    }
    if (page.address === end) runs.at(-1)!.push(page);
    else runs.push([page]);
    end = page.address + page.bytes.length;
  }
  return runs.map((run) => {
    const bytes = new Uint8Array(run.reduce((sum, page) => sum + page.bytes.length, 0));
    const { address } = run[0]!;
    for (const page of run) bytes.set(page.bytes, page.address - address);
    return { address, bytes };
  });
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}

function blockError(index: number, what: string, expected: string, got: string): GoodnessError {
  return new GoodnessError('uf2.format', `block ${index} of the UF2 file has a wrong ${what}`, { expected, got });
}

export interface Uf2Options {
  /** Of the processor: the boot ROM takes no other. */
  readonly family: number;
  /** Board-ID in the drive's INFO_UF2.TXT. */
  readonly label: string;
  /** Addresses that the image may take; the flash window of the RP2040 if left out. */
  readonly flash?: { readonly address: number; readonly bytes: number };
  /** Folders in which drives appear, asked anew at each look; those of the operating system if left out. */
  readonly places?: () => Promise<readonly string[]>;
  readonly clock?: Clock;
  /** How long to wait for the drive, in ms: 30,000, in which a person can hold BOOTSEL and plug the board in. */
  readonly driveMs?: number;
  /** How long the board may take to leave after the last block, in ms: 10,000. */
  readonly leaveMs?: number;
}

const RP2040_FLASH = { address: 0x10000000, bytes: 16 * 1024 * 1024 };

/**
 * Flashes by copying to the drive that a boot ROM shows. If there is none, the port is opened at 1200 baud and closed again, by
 * which many programs restart into it. The drive can't be read back: the ROM restarts the board only when it has taken every block,
 * and that is what is waited for. Not verified on hardware.
 */
export function uf2(options: Uf2Options): Bootloader {
  const { family, label, flash = RP2040_FLASH, places = driveFolders, clock = systemClock } = options;
  const { driveMs = 30_000, leaveMs = 10_000 } = options;
  return async (path, image, { onProgress, onTry }) => {
    for (const { address, bytes } of image.segments) {
      if (address < flash.address || address + bytes.length > flash.address + flash.bytes) {
        throw new GoodnessError('bootloader.range', 'the image does not fit the flash', {
          expected: `${hex(flash.address)} to ${hex(flash.address + flash.bytes - 1)}`,
          got: `${bytes.length} bytes at ${hex(address)}`,
          fix: 'Check that the firmware is for this board.',
        });
      }
    }
    const file = toUf2(image, family);
    onProgress?.('connect', 0, 1);
    const drive = await awaitDrive({ label, places, clock, milliseconds: driveMs, path }, async () => {
      if (path === '') return;
      onTry?.(`no drive ${label}: touching ${path} at 1200 baud`);
      await touch1200(path, clock).catch((error: unknown) => onTry?.(`${path}: ${(error as Error).message}`));
    });
    onTry?.(`found ${drive.model} at ${drive.folder}`);
    onProgress?.('connect', 1, 1);
    await writeToDrive(drive.folder, file, (done) => onProgress?.('write', done, file.length));
    await awaitGone(drive.folder, label, clock, leaveMs);
    return { chip: drive.model, bytesWritten: file.length / 2, bytesVerified: 0, baud: 0 };
  };
}
