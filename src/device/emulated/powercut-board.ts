import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GoodnessError } from '../../base/errors.js';
import { Random } from '../../base/random.js';
import { Debugger } from './powercut-debugger.js';
import { FLASH_AT, FLASH_BYTES, type FlashOperation, type FlashRecord, PAGE, samePage } from './powercut-flash.js';
import { type QemuBoard, startQemu } from './qemu.js';

const RAM_AT = 0x20000000;
const RAM_BYTES = 0x4000;
/** The last two words of RAM: with these values the bootloader stays (firmware/boot/layout.h). */
const MAILBOX = RAM_AT + RAM_BYTES - 8;
const STAY = Uint8Array.of(0x01, 0x46, 0x46, 0x42, 0xfe, 0xb9, 0xb9, 0xbd);
/** Register of the flash controller that erases the page whose address is written to it. */
const NVMC_ERASEPAGE = 0x4001e508;
/** The first word of STR and STMIA (ARMv6-M Architecture Reference Manual, A5.2): where they write. */
const STORES: readonly { mask: number; value: number; address(code: number, r: readonly number[]): number }[] = [
  { mask: 0xf800, value: 0x6000, address: (code, r) => r[(code >> 3) & 7]! + ((code >> 6) & 31) * 4 },
  { mask: 0xfe00, value: 0x5000, address: (code, r) => (r[(code >> 3) & 7]! + r[(code >> 6) & 7]!) >>> 0 },
  { mask: 0xf800, value: 0xc000, address: (code, r) => r[(code >> 8) & 7]! },
];
/** An instruction takes 512 ns of the board's time: less than on a board fit into the 300 ms in which its bootloader waits. */
const INSTRUCTION_SHIFT = 9;
/** Longest from a reset to the firmware's first instruction, a copy of a whole slot included. It takes a tenth of a second. */
const BOOT_MS = 20_000;
/** Longest that the processor may run between two operations on flash. */
const RUN_MS = 30_000;

/** A piece of work that writes flash. */
export interface FlashWork {
  /** Talks to the running board. */
  readonly talk: () => Promise<unknown>;
  /** The work is done when the processor comes to one of these instructions; when `talk` is over, if there are none. */
  readonly until: readonly number[];
  /** Where it writes: up to `to`. A processor that runs code from there is slow while its writes are recorded. */
  readonly from: number;
  readonly to: number;
}

/** Work that the running board takes part in. */
interface Course {
  /** How often the processor stopped without reason since the talk was over. */
  idle: number;
  over(): boolean;
  /** Its end doesn't matter any more. */
  leave(): void;
}

/** What a piece of work that loses its board halfway must be rid of. */
export type Abandon = () => Promise<void>;

/**
 * A micro:bit in QEMU whose power goes at a given operation on its flash. The debugger port of QEMU stops the processor at every
 * instruction that writes flash, or has the flash controller erase a page. A cut fills RAM with random bytes and resets the
 * machine, so nothing but flash survives. Time on the board counts instructions, so what is between two operations doesn't
 * depend on how busy this machine is.
 */
export class PowerCutBoard {
  readonly board: QemuBoard;
  private readonly port: Debugger;
  private readonly random = new Random(1);

  private constructor(board: QemuBoard, port: Debugger) {
    this.board = board;
    this.port = port;
  }

  /**
   * The board stands still before its first instruction.
   * @param boot path of `boot.bin`
   * @throws GoodnessError `emulator.missing`, `emulator.start`, `emulator.debugger`
   */
  static async start(boot: string): Promise<PowerCutBoard> {
    const loaders = [{ path: boot, address: 0 }];
    const board = await startQemu({ machine: 'microbit', loaders, instructionShift: INSTRUCTION_SHIFT });
    const folder = mkdtempSync(join(tmpdir(), 'goodness-powercut-'));
    const socket = join(folder, 'debugger');
    try {
      await board.monitor(`gdbserver unix:${socket},server=on,wait=off`);
      return new PowerCutBoard(board, await Debugger.connect(socket));
    } catch (error) {
      await board.close();
      throw error;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  get address(): string {
    return this.board.address;
  }

  flash(): Promise<Uint8Array> {
    return this.board.readMemory(FLASH_AT, FLASH_BYTES);
  }

  /** Makes the flash these bytes (FLASH_BYTES of them). */
  async putFlash(bytes: Uint8Array): Promise<void> {
    const now = await this.flash();
    for (let at = 0; at < FLASH_BYTES; at += PAGE) {
      const page = bytes.subarray(at, at + PAGE);
      if (!samePage(bytes, now, at)) await this.port.write(FLASH_AT + at, page);
    }
  }

  /** Takes the power away and gives it back: RAM holds random bytes, and the processor stands before its first instruction. */
  async cutPower(): Promise<void> {
    const ram = new Uint8Array(RAM_BYTES);
    for (let i = 0; i < RAM_BYTES; i++) ram[i] = this.random.integer(256);
    await this.port.write(RAM_AT, ram);
    await this.board.reset();
  }

  /** The next start ends in the bootloader, as after the request RESET with mode 1. Call it behind `cutPower`. */
  askToStay(): Promise<void> {
    return this.port.write(MAILBOX, STAY);
  }

  /**
   * Lets the board run until the firmware's first instruction, where it stands still.
   * @param entries where a firmware begins that the board may have
   * @throws GoodnessError `emulator.debugger` if none is reached
   */
  async boot(entries: readonly number[]): Promise<void> {
    await this.breaks(entries, true);
    try {
      await this.port.run(BOOT_MS);
      const at = await this.port.programCounter();
      if (!entries.includes(at)) throw stranded(at, entries);
    } finally {
      await this.breaks(entries, false);
    }
  }

  /**
   * Runs the board as long as `work` takes; it stands still afterwards.
   * @throws GoodnessError what `work` throws
   */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const course = this.begin(work);
    while (!course.over()) await this.port.run(RUN_MS);
    return course.value();
  }

  /**
   * Runs the board while `work` talks to it, and notes every operation on flash.
   * @throws GoodnessError what `work` throws
   */
  async record(work: FlashWork): Promise<FlashRecord> {
    const operations: FlashOperation[] = [];
    const sites = new Set<number>();
    const course = this.begin(work.talk);
    await this.breaks(work.until, true);
    await this.watch(work, true);
    for (let ended = false; !ended; ) {
      // With instructions counted, QEMU stops before the write: one step does it.
      const stop = await this.port.run(RUN_MS);
      const registers = await this.port.registers();
      const at = registers[15]!;
      if (stop !== undefined) {
        await this.watch(work, false);
        sites.add(at);
        operations.push(await (stop === NVMC_ERASEPAGE ? this.stepErase() : this.stepWrite(registers)));
        await this.watch(work, true);
      }
      ended = this.ended(work, course, at, stop !== undefined);
    }
    await this.watch(work, false);
    await this.breaks(work.until, false);
    await course.value();
    return { operations, sites: [...sites] };
  }

  /**
   * The same until `count` operations are done and the next one is about to begin: there the board stops for good.
   * @param sites where operations are done, see `record`
   * @param abandon closes what the work talks through: the board doesn't answer any more
   * @returns false if the work came to its end before
   */
  async stopBehind(count: number, sites: readonly number[], work: FlashWork, abandon: Abandon): Promise<boolean> {
    const course = this.begin(work.talk);
    const places = [...sites, ...work.until];
    await this.breaks(places, true);
    let stopped = false;
    for (let done = 0, ended = false; !ended && !stopped; ) {
      await this.port.run(RUN_MS);
      const at = await this.port.programCounter();
      if (sites.includes(at)) {
        stopped = done++ === count;
        if (!stopped) await this.port.step();
      }
      ended = this.ended(work, course, at, sites.includes(at));
    }
    await this.breaks(places, false);
    if (stopped) {
      course.leave();
      await abandon();
    } else {
      await course.value();
    }
    return stopped;
  }

  async close(): Promise<void> {
    this.port.close();
    await this.board.close();
  }

  /** Whether the work is done, when the processor stands at `at`. */
  private ended({ until }: FlashWork, course: Course, at: number, operation: boolean): boolean {
    if (until.length === 0) return course.over();
    if (until.includes(at)) return true;
    // It is halted once when the talk is over; whenever else nothing happened, it ran for RUN_MS.
    if (course.over() && !operation && ++course.idle > 2) throw stranded(at, until);
    return false;
  }

  /** Starts work that the running board takes part in, and halts the board when it is done. */
  private begin<T>(work: () => Promise<T>): Course & { value(): Promise<T> } {
    let state: 'under way' | 'over' | 'left' = 'under way';
    const ending = work().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    void ending.then(() => {
      if (state === 'left') return;
      state = 'over';
      this.port.halt();
    });
    return {
      idle: 0,
      over: () => state === 'over',
      leave: () => {
        state = 'left';
      },
      value: async (): Promise<T> => {
        const end = await ending;
        if ('error' in end) throw end.error;
        return end.value;
      },
    };
  }

  private async stepErase(): Promise<FlashOperation> {
    const before = await this.flash();
    await this.port.step();
    const after = await this.flash();
    let page = 0;
    while (page < FLASH_BYTES && samePage(before, after, page)) page += PAGE;
    const range = [page, Math.min(page + PAGE, FLASH_BYTES)] as const;
    const address = page === FLASH_BYTES ? 0 : FLASH_AT + page;
    return { kind: 'erase', address, before: before.slice(...range), after: after.slice(...range) };
  }

  private async stepWrite(registers: readonly number[]): Promise<FlashOperation> {
    const site = registers[15]!;
    const code = new DataView((await this.port.read(site, 2)).buffer).getUint16(0, true);
    const store = STORES.find(({ mask, value }) => (code & mask) === value);
    if (store === undefined) throw unknownStore(code, site);
    const address = store.address(code, registers);
    const before = await this.port.read(address, 4);
    await this.port.step();
    return { kind: 'write', address, before, after: await this.port.read(address, 4) };
  }

  private async breaks(places: readonly number[], on: boolean): Promise<void> {
    for (const place of places) await (on ? this.port.breakAt(place) : this.port.unbreak(place));
  }

  private async watch({ from, to }: FlashWork, on: boolean): Promise<void> {
    for (const [address, bytes] of [[NVMC_ERASEPAGE, 4] as const, [from, to - from] as const]) {
      await (on ? this.port.watch(address, bytes) : this.port.unwatch(address, bytes));
    }
  }
}

function stranded(at: number, entries: readonly number[]): GoodnessError {
  const hex = (address: number): string => `0x${address.toString(16)}`;
  return new GoodnessError('emulator.debugger', 'the board does not come to its firmware', {
    expected: `a start at ${entries.map(hex).join(' or ')}`,
    got: `it stands at ${hex(at)}`,
  });
}

function unknownStore(code: number, site: number): GoodnessError {
  return new GoodnessError('powercut.store', 'flash is written by an instruction that is not understood here', {
    expected: 'a store of one word',
    got: `0x${code.toString(16)} at 0x${site.toString(16)}`,
    fix: 'Teach STORES in powercut-board.ts this instruction.',
  });
}
