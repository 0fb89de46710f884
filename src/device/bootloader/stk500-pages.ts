import { GoodnessError } from '../../base/errors.js';
import type { Clock } from '../clock.js';
import type { BootloaderOptions } from './bootloader.js';
import type { FirmwareImage } from './firmware-image.js';
import type { Line, LineSettings, openLine } from './line.js';

/** What the bootloader of an AVR board must know of its chip. */
export interface Stk500Facts {
  /** Three bytes that the chip answers with (data sheet, "Signature Bytes"). */
  readonly signature: readonly number[];
  readonly pageBytes: number;
  readonly flashBytes: number;
  /** Section at the end of the flash that the bootloader itself takes. */
  readonly bootBytes: number;
  /** Bits per second, tried in this order. */
  readonly bauds: readonly number[];
}

export interface Stk500Means {
  readonly clock?: Clock;
  readonly open?: typeof openLine;
}

/** A chip whose bootloader listens. */
export interface Stk500Chip {
  /** Chip and bootloader, for the report. */
  readonly name: string;
  readPage(address: number, count: number): Promise<Uint8Array>;
  writePage(address: number, bytes: Uint8Array): Promise<void>;
  /**
   * Starts the bootloader anew. Only where it erases pages in order: there a page can't be written again by itself, but all of
   * them can after this.
   */
  startAgain?(): Promise<void>;
}

export interface Page {
  readonly address: number;
  /** What the image wants of it: 1 where a byte of the image lies. */
  readonly wanted: Uint8Array;
  readonly bytes: Uint8Array;
}

/**
 * The pages that an image touches, in order.
 * @param gaps also those between and before them: for bootloaders that erase one page after the other from 0 on, whatever is written
 * @throws GoodnessError `bootloader.range` if the image doesn't lie below the bootloader
 */
export function pagesOf(image: FirmwareImage, facts: Stk500Facts, gaps: boolean): Page[] {
  const end = facts.flashBytes - facts.bootBytes;
  const pages = new Map<number, Page>();
  const pageAt = (address: number): Page => {
    const found = pages.get(address);
    if (found !== undefined) return found;
    const page = {
      address,
      wanted: new Uint8Array(facts.pageBytes),
      bytes: new Uint8Array(facts.pageBytes).fill(0xff),
    };
    pages.set(address, page);
    return page;
  };
  for (const { address, bytes } of image.segments) {
    if (!Number.isSafeInteger(address) || address < 0 || address + bytes.length > end) {
      throw new GoodnessError('bootloader.range', 'the image does not fit below the bootloader', {
        expected: `addresses below 0x${end.toString(16)}`,
        got: `0x${address.toString(16)} to 0x${(address + bytes.length).toString(16)}`,
        fix: 'Use firmware for this board, and a smaller model.',
      });
    }
    for (let i = 0; i < bytes.length; i++) {
      const offset = (address + i) % facts.pageBytes;
      const page = pageAt(address + i - offset);
      page.bytes[offset] = bytes[i]!;
      page.wanted[offset] = 1;
    }
  }
  const last = Math.max(-1, ...pages.keys());
  for (let at = 0; gaps && at <= last; at += facts.pageBytes) pageAt(at);
  return [...pages.values()].sort((a, b) => a.address - b.address);
}

/** How often a page is written before it is given up. */
const WRITES = 3;

/**
 * Writes the pages, each of which keeps what the image doesn't want of it, and reads them back. Those that differ are written
 * again, twice at most: STK500 version 1 has no checksum, so a byte that the line spoiled shows only here.
 *
 * @throws GoodnessError `bootloader.verify`
 */
export async function program(
  chip: Stk500Chip,
  pages: readonly Page[],
  image: FirmwareImage,
  options: BootloaderOptions,
): Promise<{ bytesWritten: number; bytesVerified: number }> {
  const total = image.segments.reduce((sum, { bytes }) => sum + bytes.length, 0);
  let done = 0;
  for (const page of pages) {
    const wanted = wantedOf(page);
    if (wanted < page.bytes.length) {
      const old = await chip.readPage(page.address, page.bytes.length);
      for (let i = 0; i < old.length; i++) if (page.wanted[i] === 0) page.bytes[i] = old[i]!;
    }
    await chip.writePage(page.address, page.bytes);
    done += wanted;
    options.onProgress?.('write', done, total);
  }
  if (options.verify === false) return { bytesWritten: total, bytesVerified: 0 };
  let bad = await differing(chip, pages, total, options);
  for (let writes = 1; bad.length > 0; writes++) {
    const { page, offset, got } = bad[0]!;
    if (writes === WRITES) {
      throw new GoodnessError('bootloader.verify', 'the board holds other bytes than were written', {
        expected: `0x${page.bytes[offset]!.toString(16)} at 0x${(page.address + offset).toString(16)}`,
        got: `0x${got.toString(16)}, after it was written ${WRITES} times`,
        fix: 'Flash it again, by another cable. If the address stays the same, the chip is worn out.',
      });
    }
    options.onTry?.(`0x${(page.address + offset).toString(16)} reads wrong: writing again`);
    await chip.startAgain?.();
    // The pages hold all that belongs in them by now: nothing is taken from the board, which may hold wrong bytes.
    const again = chip.startAgain === undefined ? bad.map((one) => one.page) : pages;
    for (const { address, bytes } of again) await chip.writePage(address, bytes);
    bad = await differing(chip, again, total, options);
  }
  return { bytesWritten: total, bytesVerified: total };
}

interface Difference {
  readonly page: Page;
  /** Of the first byte that differs. */
  readonly offset: number;
  readonly got: number;
}

/** Reads pages back, and returns those that don't hold what they should. */
async function differing(
  chip: Stk500Chip,
  pages: readonly Page[],
  total: number,
  options: BootloaderOptions,
): Promise<Difference[]> {
  const bad: Difference[] = [];
  let done = total - pages.reduce((sum, page) => sum + wantedOf(page), 0);
  for (const page of pages) {
    const back = await chip.readPage(page.address, page.bytes.length);
    const offset = back.findIndex((byte, i) => byte !== page.bytes[i]);
    if (offset >= 0) {
      bad.push({ page, offset, got: back[offset]! });
      continue;
    }
    done += wantedOf(page);
    options.onProgress?.('verify', done, total);
  }
  return bad;
}

/** Bytes of the image in a page. */
function wantedOf(page: Page): number {
  return page.wanted.reduce((sum, one) => sum + one, 0);
}

/** Chips by their signatures (data sheets, "Signature Bytes"). */
const CHIPS: Readonly<Record<string, string>> = {
  '1e 94 06': 'ATmega168',
  '1e 95 0f': 'ATmega328P',
  '1e 95 14': 'ATmega328',
  '1e 97 03': 'ATmega1280',
  '1e 98 01': 'ATmega2560',
};

/** What a signature belongs to, for people. */
export function chipName(signature: readonly number[]): string {
  return CHIPS[hexOf(signature)] ?? `AVR ${hexOf(signature)}`;
}

function hexOf(bytes: Iterable<number>): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/** @throws GoodnessError `bootloader.chip` */
export function checkSignature(expected: readonly number[], got: Uint8Array): void {
  if (expected.every((byte, i) => byte === got[i])) return;
  throw new GoodnessError('bootloader.chip', 'the port has another chip on it', {
    expected: `${chipName(expected)}, signature ${hexOf(expected)}`,
    got: `${chipName([...got])}, signature ${hexOf(got)}`,
    fix: 'Name the board that is on this port with --board. Nothing was written.',
  });
}

/** Optiboot flashes its LED for 375 ms before it listens. */
const START_MS = 400;

/** Resets the board as its circuit allows: a falling DTR or RTS does it; ports without such lines did it on being opened. */
export async function pulseReset(line: Line, wait: (milliseconds: number) => Promise<void>): Promise<void> {
  if (!(await line.modem({ dtr: false, rts: false }))) return;
  await wait(250);
  await line.modem({ dtr: true, rts: true });
  await wait(START_MS);
}

/** Tries the speeds in turn, twice, each on a port opened anew, until `meet` finds a bootloader there. */
export async function meetAtSomeSpeed<T>(
  path: string,
  facts: Stk500Facts,
  open: (path: string, settings: LineSettings) => Promise<Line>,
  wait: (milliseconds: number) => Promise<void>,
  options: BootloaderOptions,
  meet: (line: Line) => Promise<T | undefined>,
): Promise<{ line: Line; met: T; baud: number }> {
  for (const baud of [...facts.bauds, ...facts.bauds]) {
    options.onTry?.(`${baud} bits/s`);
    options.onProgress?.('connect', 0, 1);
    const line = await open(path, { baud });
    try {
      await pulseReset(line, wait);
      const met = await meet(line);
      if (met !== undefined) {
        options.onProgress?.('connect', 1, 1);
        return { line, met, baud };
      }
    } catch (error) {
      await line.close();
      throw error;
    }
    await line.close();
  }
  throw new GoodnessError('bootloader.sync', `no bootloader answers on ${path}`, {
    expected: `an answer at ${facts.bauds.join(' or ')} bits/s`,
    fix: 'Check the board and the port; press the reset button just as the command starts. Chips that were programmed by an ISP have no bootloader: burn one first.',
  });
}

export function refused(what: string, got: string): GoodnessError {
  return new GoodnessError('bootloader.refused', `the bootloader refused ${what}`, {
    got,
    fix: 'Press reset and try again.',
  });
}
