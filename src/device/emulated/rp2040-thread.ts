import { constants, openSync, readFileSync, writeSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { GoodnessError } from '../../base/errors.js';
import { Rp2040Drive } from './rp2040-drive.js';
import { FLASH_BASE, FLASH_BYTES } from './rp2040-firmware.js';
import { loadRp2040 } from './rp2040-library.js';
import { Rp2040Machine } from './rp2040-machine.js';
import type { PicoCounters, PicoReply, PicoRequest, PicoSetup } from './rp2040-messages.js';

/** Time of the board's clock between two looks at the TCP port, in nanoseconds. */
const SLICE_NANOS = 250_000;
/** How long a board that sleeps is left alone, in ms of both clocks. */
const NAP_MS = 2;
const DRIVE_MS = 20;
/** Most that is waited for a program to start, in nanoseconds of the board's clock. */
const BOOT_NANOS = 100_000_000;
/** Bytes on their way to the board from which on the client has to wait. */
const MOST_BACKLOG = 16 * 1024;

class PowerCut extends Error {}

type Store = (offset: number, count: number) => void;

/**
 * What runs in the thread of an emulated Pico: the machine, its line as a TCP port of this computer, its flash as a file that each
 * erase and program is written to at once.
 */
export class PicoThread {
  private readonly setup: PicoSetup;
  private readonly reply: (message: PicoReply) => void;
  private readonly flash: Uint8Array;
  private readonly store: Store;
  private readonly machine: Rp2040Machine;
  private readonly out: number[] = [];
  private client: Socket | undefined;
  private drive: Rp2040Drive | undefined;
  private wake = (): void => {};
  private workMs = 0;
  private operations = 0;

  /** @param make a processor of rp2040js with its clock */
  constructor(
    setup: PicoSetup,
    reply: (message: PicoReply) => void,
    make: ConstructorParameters<typeof Rp2040Machine>[0]['make'],
  ) {
    this.setup = setup;
    this.reply = reply;
    this.flash = new Uint8Array(FLASH_BYTES).fill(0xff);
    this.store = setup.flash === undefined ? () => {} : flashFile(setup.flash, this.flash);
    for (const { address, bytes } of setup.segments) this.flash.set(bytes, address - FLASH_BASE);
    this.store(0, FLASH_BYTES);
    this.machine = new Rp2040Machine({
      make,
      flash: this.flash,
      random: Math.random,
      onFlash: this.store,
      onHalf: (operation) => {
        this.operations = operation;
        if (operation === setup.cutAtOperation) throw new PowerCut(`power was cut in flash operation ${operation}`);
      },
      onByte: (byte) => {
        this.out.push(byte);
      },
    });
  }

  /** Powers the board on and runs it until it is off, which `ended` tells. Answers `ready` when its line can be connected to. */
  static async run(
    setup: PicoSetup,
    reply: (message: PicoReply) => void,
    onRequest: (listener: (request: PicoRequest) => void) => void,
  ): Promise<void> {
    try {
      const library = await loadRp2040();
      const thread = new PicoThread(setup, reply, () => new library.Simulator());
      onRequest((request) => thread.request(request));
      thread.boot();
      reply({ kind: 'ready', port: await thread.listen() });
      await thread.loop();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      reply({ kind: 'ended', why, ...(error instanceof GoodnessError ? { code: error.code } : {}) });
    }
  }

  /** Runs the program until it first waits for something, so that nobody has to knock at a board that isn't listening yet. */
  private boot(): void {
    for (let nanos = 0; nanos < BOOT_NANOS && this.machine.state === 'runs'; nanos += SLICE_NANOS)
      if (this.step(SLICE_NANOS)) return;
  }

  private listen(): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => this.connect(socket));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  }

  /** A line has one end: who connects takes it over. */
  private connect(socket: Socket): void {
    this.client?.destroy();
    this.client = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.machine.feed(chunk);
      if (this.machine.backlog > MOST_BACKLOG) socket.pause();
      this.wake();
    });
  }

  private request({ kind, id }: PicoRequest): void {
    if (kind === 'reset') this.reset();
    if (kind === 'off') this.drive?.remove();
    this.reply({ kind: 'done', id, counters: this.counters() });
    this.wake();
  }

  private reset(): void {
    this.drive?.remove();
    this.drive = undefined;
    this.machine.reset();
    this.client?.resume();
  }

  private counters(): PicoCounters {
    const { instructions, nanos } = this.machine;
    const { workMs, operations } = this;
    return { instructions, boardSeconds: nanos / 1e9, workSeconds: workMs / 1000, flashOperations: operations };
  }

  private async loop(): Promise<never> {
    for (;;) {
      if (this.machine.state === 'faulty') throw new Error(`the program went wrong: ${this.machine.fault}`);
      if (this.machine.state === 'USB drive') {
        this.showDrive();
        await this.sleep(DRIVE_MS);
        continue;
      }
      const asleep = this.step(SLICE_NANOS);
      if (asleep && this.machine.backlog === 0) {
        await this.sleep(NAP_MS);
        this.step(NAP_MS * 1e6);
      } else {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  /** Runs the board; true if it slept. */
  private step(nanos: number): boolean {
    const start = performance.now();
    const asleep = this.machine.run(nanos);
    this.workMs += performance.now() - start;
    if (this.out.length > 0) this.client?.write(Uint8Array.from(this.out.splice(0)));
    if (this.client?.isPaused() && this.machine.backlog < MOST_BACKLOG / 2) this.client.resume();
    return asleep;
  }

  private showDrive(): void {
    if (this.setup.drive === undefined) return;
    this.drive ??= new Rp2040Drive(this.setup.drive, this.flash);
    if (!this.drive.poll()) return;
    this.store(0, FLASH_BYTES);
    this.reset();
  }

  /** Until time is over or something comes for the board. */
  private sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Loads the flash from a file, where there is one, and says how to write changes to it. */
function flashFile(path: string, flash: Uint8Array): Store {
  try {
    flash.set(readFileSync(path).subarray(0, FLASH_BYTES));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  // Reads and writes at any offset, and makes the file if it isn't there.
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  return (offset, count) => {
    writeSync(file, flash, offset, count, offset);
  };
}
