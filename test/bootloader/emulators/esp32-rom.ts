import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { NorFlash } from './nor-flash.js';
import { openPty, type Pty } from './pty.js';

const END = 0xc0;
/** Errors of the ROM (esptool's documentation, "Serial Protocol"). */
const INVALID = 0x05;
const FAILED = 0x06;
const BAD_CHECKSUM = 0x07;

const SPI = 0x3ff42000;
const SPI_CMD = SPI;
const SPI_USR2 = SPI + 0x24;
const SPI_W0 = SPI + 0x80;

export interface Esp32RomOptions {
  /** What register 0x40001000 reads: 0x00f01d83 (ESP32) if left out. */
  readonly magic?: number;
  /** JEDEC id of the flash, least byte first; a Winbond part of 4 MB if left out. */
  readonly flashId?: number;
  /** Sent before the first answer, as by a program that ran until the reset. */
  readonly noise?: Uint8Array;
  /** Refuses these data packets, counted from 0, once each. */
  readonly refuseData?: readonly number[];
  readonly dead?: boolean;
}

interface Reply {
  readonly value?: number;
  readonly data?: Uint8Array;
  readonly error?: number;
  /** How often it is sent; once if left out. */
  readonly times?: number;
  /** Whether a stub starts after it. */
  readonly stub?: boolean;
  /** Whether the ROM starts anew after it. */
  readonly rom?: boolean;
}

interface Transfer {
  readonly offset: number;
  /** Bytes that are erased, and that may be written. */
  readonly size: number;
  readonly blocks: number;
  readonly blockBytes: number;
  readonly compressed: boolean;
  readonly data: Uint8Array[];
}

/**
 * The serial loader in the ROM of ESP32, written from the documentation of its protocol: registers, RAM, flash in sectors of 4 KB.
 * A stub that is uploaded whole is not run: the emulator then goes over to the stub's dialect (shorter status, MD5 as bytes, only
 * what it erases as it writes).
 */
export class Esp32RomEmulator {
  readonly flash = new NorFlash(Array(1024).fill(4096));
  /** Every operation that was answered, in order. */
  readonly operations: number[] = [];
  /** Whether a stub was started. */
  stub = false;
  readonly #options: Esp32RomOptions;
  readonly #registers = new Map<number, number>();
  readonly #refuse: Set<number>;
  #pty!: Pty;
  #packet: number[] = [];
  #escaped = false;
  #quiet = true;
  #attached = false;
  #dataPackets = 0;
  #ram: { size: number; received: number } | undefined;
  #transfer: Transfer | undefined;

  private constructor(options: Esp32RomOptions) {
    this.#options = options;
    this.#refuse = new Set(options.refuseData);
    this.#registers.set(0x40001000, options.magic ?? 0x00f01d83);
    // Clock divider at 115200 bits per second and 40 MHz, from which esptool guesses the crystal.
    this.#registers.set(0x3ff40014, 347);
  }

  static async start(options: Esp32RomOptions = {}): Promise<Esp32RomEmulator> {
    const rom = new Esp32RomEmulator(options);
    rom.#pty = await openPty((bytes) => {
      if (options.dead !== true) for (const byte of bytes) rom.#take(byte);
    });
    return rom;
  }

  get path(): string {
    return this.#pty.path;
  }

  get baud(): number {
    return this.#pty.baud();
  }

  close(): Promise<void> {
    return this.#pty.close();
  }

  #take(byte: number): void {
    if (byte === END) {
      const packet = Uint8Array.from(this.#packet);
      this.#packet = [];
      this.#escaped = false;
      if (packet.length >= 8 && packet[0] === 0) this.#handle(packet);
    } else if (this.#escaped) {
      this.#escaped = false;
      this.#packet.push(byte === 0xdc ? END : 0xdb);
    } else if (byte === 0xdb) {
      this.#escaped = true;
    } else {
      this.#packet.push(byte);
    }
  }

  #handle(packet: Uint8Array): void {
    const view = new DataView(packet.buffer);
    const op = packet[1]!;
    const data = packet.subarray(8);
    if (this.#quiet && this.#options.noise !== undefined) this.#pty.write(this.#options.noise);
    this.#quiet = false;
    this.operations.push(op);
    const known = view.getUint16(2, true) === data.length;
    const reply = known ? this.#reply(op, data, view.getUint32(4, true)) : { error: INVALID };
    if (reply === undefined) {
      // The ROM answers what it doesn't know under no operation's number, several times.
      for (let i = 0; i < (this.stub ? 1 : 8); i++) this.#answer(0, { error: INVALID });
      return;
    }
    for (let i = 0; i < (reply.times ?? 1); i++) this.#answer(op, reply);
    if (reply.rom === true) this.stub = false;
    if (reply.stub === true) {
      this.stub = true;
      this.#attached = true;
      this.#send(new TextEncoder().encode('OHAI'));
    }
  }

  /** Does what a packet asks; undefined if it is no operation. */
  #reply(op: number, data: Uint8Array, sum: number): Reply | undefined {
    const words = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const word = (i: number): number => words.getUint32(4 * i, true);
    switch (op) {
      case 0x08:
        return { value: this.stub ? 0 : 0x20120707, times: 8 };
      case 0x0a:
        return { value: this.#registers.get(word(0)) ?? 0 };
      case 0x09:
        return this.#writeRegister(word(0), word(1));
      case 0x0d:
        // The ROM of ESP32 wants a second word, the stub has none.
        this.#attached = data.length === (this.stub ? 4 : 8);
        return this.#attached ? {} : { error: INVALID };
      case 0x0b:
        return data.length === 24 ? {} : { error: INVALID };
      case 0x05:
        this.#ram = { size: word(0), received: 0 };
        return {};
      case 0x07:
        return this.#memoryData(data, sum);
      case 0x06:
        return this.#ram === undefined || this.#ram.received !== this.#ram.size
          ? { error: FAILED }
          : { stub: word(0) === 0 };
      case 0x02:
      case 0x10:
        return this.#begin(op, data, word);
      case 0x03:
      case 0x11:
        return this.#data(op, data, sum, word);
      case 0x04:
      case 0x12:
        // 0 asks for a reboot, which ends in the ROM again as long as nobody lets go of GPIO0.
        return { rom: word(0) === 0 };
      case 0x13:
        return this.#md5(word(0), word(1));
      default:
        return undefined;
    }
  }

  /** The SPI controller, as far as reading the flash's id needs it. */
  #writeRegister(address: number, value: number): Reply {
    this.#registers.set(address, value);
    if (address === SPI_CMD) {
      this.#registers.set(SPI_CMD, 0);
      const command = (this.#registers.get(SPI_USR2) ?? 0) & 0xff;
      if (command === 0x9f) this.#registers.set(SPI_W0, this.#options.flashId ?? 0x1640ef);
    }
    return {};
  }

  #memoryData(data: Uint8Array, sum: number): Reply {
    const bytes = data.subarray(16);
    if (this.#ram === undefined) return { error: INVALID };
    if (sum !== checksum(bytes)) return { error: BAD_CHECKSUM };
    this.#ram.received += bytes.length;
    return {};
  }

  #begin(op: number, data: Uint8Array, word: (i: number) => number): Reply {
    const [size, blocks, blockBytes, offset] = [word(0), word(1), word(2), word(3)];
    // The stub takes a fifth word for encryption, which the ROM of ESP32 does not know.
    const known = data.length === 16 || (this.stub && data.length === 20);
    if (!this.#attached || !known || offset + size > this.flash.bytes.length) return { error: INVALID };
    this.#transfer = { offset, size, blocks, blockBytes, compressed: op === 0x10, data: [] };
    if (!this.stub) this.flash.eraseStretch(offset, size);
    return {};
  }

  #data(op: number, data: Uint8Array, sum: number, word: (i: number) => number): Reply {
    const transfer = this.#transfer;
    const bytes = data.slice(16);
    if (transfer === undefined || transfer.compressed !== (op === 0x11) || word(0) !== bytes.length) {
      return { error: INVALID };
    }
    if (sum !== checksum(bytes)) return { error: BAD_CHECKSUM };
    const refused = this.#refuse.delete(this.#dataPackets++);
    if (refused || word(1) !== transfer.data.length || bytes.length > transfer.blockBytes) return { error: FAILED };
    transfer.data.push(bytes);
    if (transfer.data.length < transfer.blocks) return {};
    const sent = Buffer.concat(transfer.data);
    // Without compression the last block is filled up, beyond the size that was announced.
    const content = transfer.compressed ? inflateSync(sent) : sent.subarray(0, transfer.size);
    if (content.length > transfer.size) return { error: FAILED };
    if (this.stub) this.flash.eraseStretch(transfer.offset, content.length);
    this.flash.write(transfer.offset, content);
    return {};
  }

  #md5(offset: number, count: number): Reply {
    if (!this.#attached || offset + count > this.flash.bytes.length) return { error: INVALID };
    const digest = createHash('md5')
      .update(this.flash.bytes.subarray(offset, offset + count))
      .digest();
    return { data: this.stub ? digest : Buffer.from(digest.toString('hex'), 'latin1') };
  }

  /** Status is four bytes from the ROM and two from the stub. */
  #answer(op: number, { value = 0, data = new Uint8Array(), error = 0 }: Reply): void {
    const status = [error === 0 ? 0 : 1, error, ...(this.stub ? [] : [0, 0])];
    const packet = new Uint8Array(8 + data.length + status.length);
    const view = new DataView(packet.buffer);
    packet[0] = 1;
    packet[1] = op;
    view.setUint16(2, data.length + status.length, true);
    view.setUint32(4, value, true);
    packet.set([...data, ...status], 8);
    this.#send(packet);
  }

  #send(packet: Uint8Array): void {
    const framed = [END];
    for (const byte of packet) {
      if (byte === END) framed.push(0xdb, 0xdc);
      else if (byte === 0xdb) framed.push(0xdb, 0xdd);
      else framed.push(byte);
    }
    this.#pty.write(Uint8Array.of(...framed, END));
  }
}

function checksum(bytes: Uint8Array): number {
  return bytes.reduce((x, byte) => x ^ byte, 0xef);
}
