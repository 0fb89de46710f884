import { GoodnessError } from '../../base/errors.js';
import type { Line } from './line.js';
import type { Sector } from './stm32-chips.js';

const ACK = 0x79;
const NACK = 0x1f;
/** Sent by some bootloaders while an erase or a write goes on (AN4221); the answer is still to come. */
const BUSY = 0x76;
const SYNC = 0x7f;
const GET = 0x00;
const GET_ID = 0x02;
const READ = 0x11;
const GO = 0x21;
const WRITE = 0x31;
const ERASE = 0x43;
const EXTENDED_ERASE = 0x44;

/** For an answer that needs no work on flash, in milliseconds. */
const ANSWER_MS = 1000;
/** For one byte of the handshake. */
const SYNC_MS = 250;
/** Without a byte for so long, nobody is talking any more. */
const QUIET_MS = 50;
/** For one block in flash: the slowest chips take some milliseconds per byte group, far below this. */
const PROGRAM_MS = 2000;
/** For each KB that is erased: STM32F405 takes up to 800 ms for 16 KB (datasheet DS8626, table 40), the slowest of all. */
const ERASE_MS_PER_KB = 80;
/** A byte that is no command, nor its complement. */
const NO_COMMAND = 0xa5;
/** The longest packet, a write: length, 256 bytes, checksum; and a little more. */
const PACKET = 260;
/** Bytes that may come before the first answer: a program that talked until it was reset. */
const NOISE = 4096;

/** The ROM bootloader of STM32 as AN3155 describes it: a command and its complement, acknowledged; then its arguments. */
export class Stm32Rom {
  readonly #line: Line;
  /** Version byte: 0x31 is 3.1. */
  version = 0;
  #commands: ReadonlySet<number> = new Set();

  constructor(line: Line) {
    this.#line = line;
  }

  /**
   * One attempt at the handshake: 0x7F, from which the ROM takes its speed, then the list of commands. A NACK means that it had
   * its speed already and took this as half of a command.
   * @returns undefined when the bootloader answers as such, or what came instead
   */
  async sync(): Promise<string | undefined> {
    // What a program said until it was reset may look like an answer: it is let pass.
    for (let i = 0; i < NOISE && (await this.#byteOrNothing(QUIET_MS)) !== undefined; i++);
    this.#line.clear();
    await this.#line.write(Uint8Array.of(SYNC));
    let other = 0;
    for (;;) {
      const byte = await this.#byteOrNothing(SYNC_MS);
      if (byte === undefined) return other === 0 ? 'no answer' : `${other} bytes of something else`;
      if (byte === ACK || byte === NACK) break;
      if (++other >= NOISE) return `more than ${NOISE} bytes of something else`;
    }
    const wrong = await this.#getFails();
    return wrong === undefined ? undefined : `something that does not know the bootloader's commands (${wrong})`;
  }

  /** Product id, 12 bits (AN2606). */
  async productId(): Promise<number> {
    await this.#command(GET_ID, 'asked for its id');
    const more = (await this.#line.read(1, ANSWER_MS))[0]!;
    if (more !== 1) throw unexpected('two bytes of product id', `${more + 1}`);
    const [high, low] = await this.#line.read(2, ANSWER_MS);
    await this.#acknowledged(ANSWER_MS, 'gave its id');
    return (high! << 8) | low!;
  }

  /** Reads 1 to 256 bytes. */
  async read(address: number, count: number): Promise<Uint8Array> {
    await this.#command(READ, 'asked to read');
    await this.#address(address);
    const n = count - 1;
    await this.#line.write(Uint8Array.of(n, n ^ 0xff));
    await this.#acknowledged(ANSWER_MS, `asked to read ${count} bytes at ${hex(address)}`);
    return this.#line.read(count, this.#transferMs(count));
  }

  /** Writes 4 to 256 bytes, a multiple of 4, at an address that is one too. They must be erased. */
  async write(address: number, bytes: Uint8Array): Promise<void> {
    await this.#command(WRITE, 'asked to write');
    await this.#address(address);
    const packet = new Uint8Array(bytes.length + 2);
    packet[0] = bytes.length - 1;
    packet.set(bytes, 1);
    packet[bytes.length + 1] = xor(packet);
    await this.#line.write(packet);
    await this.#acknowledged(
      PROGRAM_MS + this.#transferMs(packet.length),
      `wrote ${bytes.length} bytes at ${hex(address)}`,
    );
  }

  /** Erases one sector. */
  async erase(sector: Sector): Promise<void> {
    const extended = this.#commands.has(EXTENDED_ERASE);
    const { index } = sector;
    if (!extended && index > 254) {
      throw new GoodnessError('bootloader.refused', `this bootloader erases no page beyond 254`, {
        got: `page ${index}`,
        fix: 'Erase it with a debug probe.',
      });
    }
    await this.#command(extended ? EXTENDED_ERASE : ERASE, 'asked to erase');
    const body = extended ? Uint8Array.of(0, 0, index >> 8, index & 0xff) : Uint8Array.of(0, index);
    await this.#line.write(Uint8Array.of(...body, xor(body)));
    await this.#acknowledged(
      ANSWER_MS + Math.ceil(sector.bytes / 1024) * ERASE_MS_PER_KB,
      `asked to erase sector ${index} at ${hex(sector.address)}`,
    );
  }

  /** Starts the program whose vector table lies at `address`. */
  async go(address: number): Promise<void> {
    await this.#command(GO, 'asked to start the program');
    await this.#address(address);
  }

  /**
   * Brings the bootloader back to where it waits for a command, after a byte was lost on the way: sends bytes of which no two are
   * a command until one is refused, which it does at the end of a pair or of a packet. So a write that lost its end is refused too,
   * by its checksum, unless the lost byte was this very one: the caller looks at what was written.
   */
  async recover(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      // It may still wait for most of the longest packet.
      if (round > 0) await this.#line.write(new Uint8Array(PACKET).fill(NO_COMMAND));
      const silence = round > 0 ? SYNC_MS : 20;
      for (let i = 0; i < NOISE && (await this.#byteOrNothing(silence)) !== undefined; i++);
      for (let i = 0; i < 4; i++) {
        await this.#line.write(Uint8Array.of(NO_COMMAND));
        if ((await this.#byteOrNothing(SYNC_MS)) === NACK && (await this.#getFails()) === undefined) return;
      }
    }
    throw new GoodnessError('bootloader.timeout', 'the bootloader does not answer any more', {
      fix: 'Press reset with BOOT0 still set, then flash again: the board has no complete program now.',
    });
  }

  /** Asks for the commands, and says what is wrong with the answer. What is wrong with the port is thrown. */
  async #getFails(): Promise<string | undefined> {
    try {
      await this.#get();
      return undefined;
    } catch (error) {
      if (isPassing(error)) return error.message;
      throw error;
    }
  }

  async #get(): Promise<void> {
    await this.#command(GET, 'asked for its commands', SYNC_MS);
    const count = (await this.#line.read(1, ANSWER_MS))[0]!;
    const [version, ...commands] = await this.#line.read(count + 1, ANSWER_MS);
    await this.#acknowledged(ANSWER_MS, 'gave its commands');
    for (const needed of [GET_ID, READ, GO, WRITE]) {
      if (!commands.includes(needed))
        throw unexpected(`command ${hex(needed)} among its commands`, `${commands.map(hex)}`);
    }
    this.version = version!;
    this.#commands = new Set(commands);
  }

  async #command(code: number, did: string, milliseconds: number = ANSWER_MS): Promise<void> {
    await this.#line.write(Uint8Array.of(code, code ^ 0xff));
    await this.#acknowledged(milliseconds, did);
  }

  async #address(address: number): Promise<void> {
    const bytes = Uint8Array.of(address >>> 24, (address >>> 16) & 0xff, (address >>> 8) & 0xff, address & 0xff);
    await this.#line.write(Uint8Array.of(...bytes, xor(bytes)));
    await this.#acknowledged(ANSWER_MS, `given the address ${hex(address)}`);
  }

  async #acknowledged(milliseconds: number, did: string): Promise<void> {
    let byte = (await this.#line.read(1, milliseconds))[0];
    // As many as come within the deadline of one read each: a chip that stays busy is told from a dead one by this count.
    for (let busy = 0; byte === BUSY && busy < 1000; busy++) byte = (await this.#line.read(1, milliseconds))[0];
    if (byte === ACK) return;
    if (byte === NACK) throw new GoodnessError('bootloader.refused', `the bootloader refused when ${did}`);
    throw unexpected(`0x79 or 0x1f when ${did}`, hex(byte!));
  }

  async #byteOrNothing(milliseconds: number): Promise<number | undefined> {
    try {
      return (await this.#line.read(1, milliseconds))[0];
    } catch (error) {
      if (error instanceof GoodnessError && error.code === 'bootloader.timeout') return undefined;
      throw error;
    }
  }

  /** Milliseconds that bytes take on the line, 11 bits each with parity, and the answer's deadline. */
  #transferMs(count: number): number {
    return ANSWER_MS + (count * 11 * 1000) / this.#line.settings.baud;
  }
}

/** Whether the bootloader refused or was silent, after which another attempt may do; anything else is the port's fault. */
export function isPassing(error: unknown): error is GoodnessError {
  return error instanceof GoodnessError && (error.code === 'bootloader.refused' || error.code === 'bootloader.timeout');
}

function xor(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum ^ byte, 0);
}

function hex(n: number): string {
  return `0x${n.toString(16).padStart(2, '0')}`;
}

function unexpected(expected: string, got: string): GoodnessError {
  return new GoodnessError('bootloader.refused', 'the bootloader gave an answer that makes no sense', {
    expected,
    got,
  });
}
