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

/** Frames and commands of STK500 version 2 (Atmel AVR068, chapters 3 and 5). */
const START = 0x1b;
const TOKEN = 0x0e;
const SIGN_ON = 0x01;
const LOAD_ADDRESS = 0x06;
const ENTER_PROGMODE_ISP = 0x10;
const LEAVE_PROGMODE_ISP = 0x11;
const PROGRAM_FLASH_ISP = 0x13;
const READ_FLASH_ISP = 0x14;
const READ_SIGNATURE_ISP = 0x1b;
const CMD_OK = 0;
/** Bit 31 of an address: more than 64 K words. */
const EXTENDED = 0x80000000;

const SIGN_ON_MS = 200;
const SIGN_ON_TRIES = 10;
const ANSWER_MS = 2000;
/** Longest message: a page and what goes around it. */
const MOST = 512;

/**
 * The bootloader of the Arduino Mega 2560: STK500 version 2. It erases one page for each that is written, from 0 on,
 * whatever their addresses are (eraseAddress in stk500boot.c); so all pages up to the last one are written in order, those that the
 * image doesn't touch with what they hold.
 */
export function stk500v2(facts: Stk500Facts, { clock = systemClock, open = openLine }: Stk500Means = {}): Bootloader {
  return async (path, image, options) => {
    const pages = pagesOf(image, facts, true);
    const wait = (milliseconds: number): Promise<void> => pause(clock, milliseconds);
    const meet = async () => {
      const found = await meetAtSomeSpeed(path, facts, open, wait, options, async (line) => {
        const link = new Messages(line);
        const name = await signOn(link);
        return name === undefined ? undefined : { link, name };
      });
      return { line: found.line, baud: found.baud, ...found.met };
    };
    const met = await meet();
    let { line, link } = met;
    try {
      await enter(link, facts);
      const chip: Stk500Chip = {
        name: `${chipName(facts.signature)} (${met.name})`,
        readPage: async (address, count) => {
          await load(link, address);
          const answer = await link.ask('reading', [READ_FLASH_ISP, count >> 8, count & 255, 0x20]);
          if (answer.length !== count + 1) throw refused('reading', `${answer.length} bytes`);
          return answer.subarray(0, count);
        },
        writePage: async (address, bytes) => {
          await load(link, address);
          const head = [PROGRAM_FLASH_ISP, bytes.length >> 8, bytes.length & 255, 0xc1, 10, 0x40, 0x4c, 0x20, 0, 0];
          await link.ask('writing', [...head, ...bytes]);
        },
        // No CHIP_ERASE: it would do here, but a programmer that speaks the same protocol would take the bootloader's life by it.
        startAgain: async () => {
          await line.close();
          ({ line, link } = await meet());
          await enter(link, facts);
        },
      };
      const report = await program(chip, pages, image, options);
      await link.ask('leaving', [LEAVE_PROGMODE_ISP, 1, 1]);
      return { chip: chip.name, ...report, baud: met.baud };
    } finally {
      await line.close();
    }
  };
}

/** Begins programming, if the chip is the right one. */
async function enter(link: Messages, facts: Stk500Facts): Promise<void> {
  await link.ask('programming', [ENTER_PROGMODE_ISP, 200, 100, 25, 32, 0, 0x53, 3, 0xac, 0x53, 0, 0]);
  const signature = new Uint8Array(3);
  for (let i = 0; i < 3; i++) {
    const [byte] = await link.ask('the signature', [READ_SIGNATURE_ISP, 4, 0x30, 0, i, 0]);
    if (byte === undefined) throw refused('the signature', 'no byte of it');
    signature[i] = byte;
  }
  checkSignature(facts.signature, signature);
}

/** The name of the bootloader that answers, if one does. */
async function signOn(link: Messages): Promise<string | undefined> {
  for (let n = 0; n < SIGN_ON_TRIES; n++) {
    try {
      const answer = await link.ask('a greeting', [SIGN_ON], SIGN_ON_MS);
      return Buffer.from(answer.subarray(1, 1 + (answer[0] ?? 0))).toString('latin1');
    } catch (error) {
      if (!(error instanceof GoodnessError && error.code === 'bootloader.timeout')) throw error;
    }
  }
  return undefined;
}

/** Addresses are those of words, of 16 bits. */
async function load(link: Messages, address: number): Promise<void> {
  const word = ((address >> 1) | EXTENDED) >>> 0;
  await link.ask('an address', [LOAD_ADDRESS, word >>> 24, (word >> 16) & 255, (word >> 8) & 255, word & 255]);
}

/** Messages with a sequence number and a checksum, one at a time. */
class Messages {
  private readonly line: Line;
  private sequence = 0;

  constructor(line: Line) {
    this.line = line;
  }

  /**
   * Sends a command and waits for its answer.
   * @returns what stands behind the command and its status
   */
  async ask(what: string, body: readonly number[], milliseconds = ANSWER_MS): Promise<Uint8Array> {
    this.sequence = (this.sequence + 1) & 255;
    const bytes = [START, this.sequence, body.length >> 8, body.length & 255, TOKEN, ...body];
    this.line.clear();
    await this.line.write(Uint8Array.from([...bytes, bytes.reduce((sum, byte) => sum ^ byte, 0)]));
    const answer = await this.receive(milliseconds);
    if (answer[0] !== body[0]) throw refused(what, `an answer to command 0x${answer[0]!.toString(16)}`);
    if (answer[1] !== CMD_OK) throw refused(what, `status 0x${answer[1]!.toString(16)}`);
    return answer.subarray(2);
  }

  /** The next whole message with our sequence number; what isn't one is passed over, until time is up. */
  private async receive(milliseconds: number): Promise<Uint8Array> {
    const deadline = performance.now() + milliseconds;
    const read = (count: number): Promise<Uint8Array> =>
      this.line.read(count, Math.max(0, deadline - performance.now()));
    for (;;) {
      if ((await read(1))[0] !== START) continue;
      const head = await read(4);
      const length = (head[1]! << 8) | head[2]!;
      if (head[0] !== this.sequence || head[3] !== TOKEN || length < 2 || length > MOST) continue;
      const rest = await read(length + 1);
      const sum = [START, ...head, ...rest].reduce((all, byte) => all ^ byte, 0);
      if (sum === 0) return rest.subarray(0, length);
    }
  }
}
