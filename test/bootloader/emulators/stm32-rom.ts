import { ByteQueue } from './byte-queue.js';
import { NorFlash } from './nor-flash.js';
import { openPty, type Pty } from './pty.js';

const ACK = 0x79;
const NACK = 0x1f;
const START = 0x08000000;
const COMMANDS = [0x00, 0x01, 0x02, 0x11, 0x21, 0x31, 0x63, 0x73, 0x82, 0x92];

export interface Stm32RomOptions {
  /** Product id; 0x413 (STM32F405) if left out. */
  readonly id?: number;
  /** Sizes of the sectors; those of STM32F405 if left out. */
  readonly sectors?: readonly number[];
  /** The older erase command (0x43) instead of the extended one (0x44). */
  readonly oldErase?: boolean;
  /** Read protection, level 1: reading, writing, erasing and starting are refused. */
  readonly protected?: boolean;
  /** Sent before the first answer, as by a program that ran until the reset. */
  readonly noise?: Uint8Array;
  /** Refuses these write packets, counted from 0, once each, though nothing is wrong with them. */
  readonly refuseWrites?: readonly number[];
  /** Loses the first byte of the data of these write packets, once each. */
  readonly loseFrom?: readonly number[];
  /** Answers nothing at all. */
  readonly dead?: boolean;
  /** Sends "busy" before it acknowledges an erase. */
  readonly busy?: boolean;
}

const KB = 1024;
export const F405_SECTORS: readonly number[] = [16, 16, 16, 16, 64, 128, 128, 128, 128, 128, 128, 128].map(
  (n) => n * KB,
);

/**
 * The USART bootloader in the ROM of STM32, written from application note AN3155: what it answers to which bytes, with flash that
 * behaves like flash. Speed is taken from the first 0x7F; parity can't be seen on a pty.
 */
export class Stm32RomEmulator {
  readonly flash: NorFlash;
  /** Address that GO was given, when it was. */
  started: number | undefined;
  /** Every command that was accepted, in order. */
  readonly commands: number[] = [];
  readonly #options: Stm32RomOptions;
  readonly #queue = new ByteQueue();
  readonly #refuse: Set<number>;
  readonly #lose: Set<number>;
  #pty!: Pty;
  #writes = 0;

  private constructor(options: Stm32RomOptions) {
    this.#options = options;
    this.flash = new NorFlash(options.sectors ?? F405_SECTORS);
    this.#refuse = new Set(options.refuseWrites);
    this.#lose = new Set(options.loseFrom);
  }

  static async start(options: Stm32RomOptions = {}): Promise<Stm32RomEmulator> {
    const rom = new Stm32RomEmulator(options);
    rom.#pty = await openPty((bytes) => {
      if (options.dead !== true) rom.#queue.push(bytes);
    });
    void rom.#run();
    return rom;
  }

  get path(): string {
    return this.#pty.path;
  }

  /** Bits per second that the client chose. */
  get baud(): number {
    return this.#pty.baud();
  }

  close(): Promise<void> {
    return this.#pty.close();
  }

  /** Ends when a program is started; then nobody answers any more. */
  async #run(): Promise<void> {
    // Whatever comes before 0x7F is no start byte.
    while ((await this.#queue.next()) !== 0x7f);
    if (this.#options.noise !== undefined) this.#pty.write(this.#options.noise);
    this.#answer(ACK);
    while (this.started === undefined) {
      const code = await this.#queue.next();
      const complement = await this.#queue.next();
      const known = [...COMMANDS, this.#options.oldErase === true ? 0x43 : 0x44];
      if ((code ^ complement) !== 0xff || !known.includes(code)) this.#answer(NACK);
      else if (this.#options.protected === true && [0x11, 0x21, 0x31, 0x43, 0x44, 0x63, 0x73].includes(code))
        this.#answer(NACK);
      else {
        this.commands.push(code);
        this.#answer(ACK);
        await this.#command(code, known);
      }
    }
  }

  async #command(code: number, known: readonly number[]): Promise<void> {
    const id = this.#options.id ?? 0x413;
    switch (code) {
      case 0x00:
        return this.#answer(known.length, 0x31, ...known, ACK);
      case 0x01:
        return this.#answer(0x31, 0, 0, ACK);
      case 0x02:
        return this.#answer(1, id >> 8, id & 0xff, ACK);
      case 0x11:
        return this.#read();
      case 0x21: {
        const address = await this.#address((at) => this.#inFlash(at, 1));
        if (address === undefined) return;
        this.started = address;
        return;
      }
      case 0x31:
        return this.#write();
      case 0x43:
        return this.#eraseOld();
      case 0x44:
        return this.#eraseExtended();
      default:
        return this.#answer(NACK);
    }
  }

  async #read(): Promise<void> {
    // stm32flash also reads option bytes and system memory on some chips: only flash is there.
    const address = await this.#address((at) => this.#inFlash(at, 1));
    if (address === undefined) return;
    const [n, complement] = await this.#queue.take(2);
    if ((n! ^ complement!) !== 0xff || !this.#inFlash(address, n! + 1)) return this.#answer(NACK);
    this.#answer(ACK);
    this.#pty.write(this.flash.bytes.slice(address - START, address - START + n! + 1));
  }

  async #write(): Promise<void> {
    const address = await this.#address((at) => at % 4 === 0 && this.#inFlash(at, 1));
    if (address === undefined) return;
    const n = await this.#queue.next();
    const rest = await this.#queue.take(n + 2);
    const index = this.#writes++;
    if (this.#lose.delete(index)) {
      rest.copyWithin(0, 1);
      rest[n + 1] = await this.#queue.next();
    }
    const bytes = rest.subarray(0, n + 1);
    const sum = bytes.reduce((x, byte) => x ^ byte, n);
    if (sum !== rest[n + 1] || (n + 1) % 4 !== 0 || !this.#inFlash(address, n + 1) || this.#refuse.delete(index)) {
      return this.#answer(NACK);
    }
    this.flash.write(address - START, bytes);
    this.#answer(ACK);
  }

  async #eraseOld(): Promise<void> {
    const n = await this.#queue.next();
    if (n === 0xff) {
      if ((await this.#queue.next()) !== 0) return this.#answer(NACK);
      return this.#eraseAll();
    }
    const pages = await this.#queue.take(n + 1);
    const sum = await this.#queue.next();
    this.#erasePages([...pages], pages.reduce((x, byte) => x ^ byte, n) === sum);
  }

  async #eraseExtended(): Promise<void> {
    const [high, low] = await this.#queue.take(2);
    const n = (high! << 8) | low!;
    if (n >= 0xfffd) {
      const sum = await this.#queue.next();
      if (n !== 0xffff || sum !== (high! ^ low!)) return this.#answer(NACK);
      return this.#eraseAll();
    }
    const raw = await this.#queue.take(2 * (n + 1));
    const sum = await this.#queue.next();
    const pages = Array.from({ length: n + 1 }, (_, i) => (raw[2 * i]! << 8) | raw[2 * i + 1]!);
    this.#erasePages(pages, raw.reduce((x, byte) => x ^ byte, high! ^ low!) === sum);
  }

  #eraseAll(): void {
    for (let i = 0; i < this.flash.sectorCount; i++) this.flash.erase(i);
    this.#answer(ACK);
  }

  #erasePages(pages: readonly number[], summed: boolean): void {
    if (summed && pages.every((page) => page < this.flash.sectorCount)) {
      for (const page of pages) this.flash.erase(page);
      if (this.#options.busy === true) this.#answer(0x76, 0x76);
      this.#answer(ACK);
    } else {
      this.#answer(NACK);
    }
  }

  /** Takes an address and its checksum; undefined if it was refused. */
  async #address(valid: (address: number) => boolean): Promise<number | undefined> {
    const [a, b, c, d, sum] = await this.#queue.take(5);
    const address = ((a! << 24) | (b! << 16) | (c! << 8) | d!) >>> 0;
    if ((a! ^ b! ^ c! ^ d!) !== sum || !valid(address)) {
      this.#answer(NACK);
      return undefined;
    }
    this.#answer(ACK);
    return address;
  }

  #inFlash(address: number, count: number): boolean {
    return address >= START && address + count <= START + this.flash.bytes.length;
  }

  #answer(...bytes: number[]): void {
    this.#pty.write(Uint8Array.from(bytes));
  }
}
