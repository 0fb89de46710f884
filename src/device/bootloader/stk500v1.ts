import { GoodnessError } from '../../base/errors.js';
import { pause, systemClock } from '../clock.js';
import type { Bootloader } from './bootloader.js';
import { type Line, openLine } from './line.js';
import {
  checkSignature,
  chipName,
  meetAtSomeSpeed,
  pagesOf,
  program,
  refused,
  type Stk500Chip,
  type Stk500Facts,
  type Stk500Means,
} from './stk500-pages.js';

/** Commands and answers of STK500 version 1 (Atmel AVR061, chapter "Commands"). */
const GET_SYNC = 0x30;
const GET_PARAMETER = 0x41;
const SET_DEVICE = 0x42;
const ENTER_PROGMODE = 0x50;
const LEAVE_PROGMODE = 0x51;
const LOAD_ADDRESS = 0x55;
const PROG_PAGE = 0x64;
const READ_PAGE = 0x74;
const READ_SIGN = 0x75;
const END = 0x20;
const IN_SYNC = 0x14;
const OK = 0x10;
const FLASH = 0x46;
const SOFTWARE_MAJOR = 0x81;
const SOFTWARE_MINOR = 0x82;

/**
 * Optiboot flashes its LED for 375 ms before it listens. Of what comes meanwhile the receiver keeps two bytes and the latest one, so
 * that more than one request in that time leaves half of one behind; the byte after it then ends the bootloader. Requests are further apart.
 */
const SYNC_MS = 400;
/** A bootloader stays for a second or so after that. */
const SYNC_TRIES = 4;
const ANSWER_MS = 1000;

/**
 * The bootloaders of the Arduino Uno and its kin (Optiboot, and the older ATmegaBOOT): STK500 version 1. Each page that the image
 * touches is written whole, with what was beside the image in it, and read back.
 */
export function stk500v1(facts: Stk500Facts, { clock = systemClock, open = openLine }: Stk500Means = {}): Bootloader {
  return async (path, image, options) => {
    const pages = pagesOf(image, facts, false);
    const wait = (milliseconds: number): Promise<void> => pause(clock, milliseconds);
    const { line, baud } = await meetAtSomeSpeed(path, facts, open, wait, options, inSync);
    try {
      const ask = (what: string, bytes: readonly number[] | Uint8Array, count: number): Promise<Uint8Array> =>
        command(line, what, bytes, count);
      const version = [
        (await ask('its version', [GET_PARAMETER, SOFTWARE_MAJOR], 1))[0]!,
        (await ask('its version', [GET_PARAMETER, SOFTWARE_MINOR], 1))[0]!,
      ] as const;
      await ask('the device', [SET_DEVICE, ...deviceOf(facts)], 0);
      await ask('programming', [ENTER_PROGMODE], 0);
      checkSignature(facts.signature, await ask('the signature', [READ_SIGN], 3));
      const chip: Stk500Chip = {
        name: `${chipName(facts.signature)} (${loaderName(...version)})`,
        readPage: async (address, count) => {
          await load(ask, address);
          return ask('reading', [READ_PAGE, count >> 8, count & 255, FLASH], count);
        },
        writePage: async (address, bytes) => {
          await load(ask, address);
          await ask('writing', [PROG_PAGE, bytes.length >> 8, bytes.length & 255, FLASH, ...bytes], 0);
        },
      };
      const report = await program(chip, pages, image, options);
      await ask('leaving', [LEAVE_PROGMODE], 0);
      return { chip: chip.name, ...report, baud };
    } finally {
      await line.close();
    }
  };
}

/**
 * What SET_DEVICE tells of a chip (AVR061, "Set Device Programming Parameters"), with what avrdude sends for an ATmega328P where
 * the facts don't say it. Bootloaders take the 20 bytes and pass them over; a programmer with this protocol wants them.
 */
function deviceOf({ pageBytes, flashBytes }: Stk500Facts): number[] {
  const [code, revision, parallel, polling, selfTimed, lockBytes, fuseBytes] = [0x86, 0, 1, 1, 1, 1, 3];
  const eepromBytes = 1024;
  return [
    ...[code, revision, 0, parallel, polling, selfTimed, lockBytes, fuseBytes],
    ...[0xff, 0xff, 0xff, 0xff],
    ...[pageBytes >> 8, pageBytes & 255, eepromBytes >> 8, eepromBytes & 255],
    ...[(flashBytes >>> 24) & 255, (flashBytes >> 16) & 255, (flashBytes >> 8) & 255, flashBytes & 255],
  ];
}

/** Optiboot's versions begin at 4, those of the bootloaders before it end at 1 (1.16 in ATmegaBOOT_168.c). */
function loaderName(major: number, minor: number): string {
  return `${major >= 4 ? 'Optiboot' : 'STK500'} ${major}.${minor}`;
}

/** Whether a bootloader answers; what it said to earlier tries is thrown away. */
async function inSync(line: Line): Promise<true | undefined> {
  for (let n = 0; n < SYNC_TRIES; n++) {
    line.clear();
    await line.write(Uint8Array.of(GET_SYNC, END));
    try {
      const [first, second] = await line.read(2, SYNC_MS);
      if (first !== IN_SYNC || second !== OK) continue;
      // Answers to tries that came late are on their way: after a quiet moment the next one counts.
      await line.read(1, SYNC_MS).catch(() => {});
      line.clear();
      await line.write(Uint8Array.of(GET_SYNC, END));
      const [again, ok] = await line.read(2, ANSWER_MS);
      if (again === IN_SYNC && ok === OK) return true;
    } catch (error) {
      if (!(error instanceof GoodnessError && error.code === 'bootloader.timeout')) throw error;
    }
  }
  return undefined;
}

/** A command with its end, and the `count` bytes between the two marks of its answer. */
async function command(
  line: Line,
  what: string,
  bytes: readonly number[] | Uint8Array,
  count: number,
): Promise<Uint8Array> {
  await line.write(Uint8Array.from([...bytes, END]));
  const [mark] = await line.read(1, ANSWER_MS);
  if (mark !== IN_SYNC) throw refused(what, `0x${mark!.toString(16)} in place of 0x${IN_SYNC.toString(16)}`);
  const answer = await line.read(count + 1, ANSWER_MS);
  if (answer[count] !== OK) throw refused(what, `0x${answer[count]!.toString(16)} in place of 0x${OK.toString(16)}`);
  return answer.subarray(0, count);
}

/** Addresses are those of words, of 16 bits. */
async function load(
  ask: (what: string, bytes: readonly number[], count: number) => Promise<Uint8Array>,
  address: number,
): Promise<void> {
  const word = address >> 1;
  await ask('an address', [LOAD_ADDRESS, word & 255, (word >> 8) & 255], 0);
}
