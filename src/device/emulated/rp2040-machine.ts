import { FlashBus } from './rp2040-flash-bus.js';
import { FlashChip } from './rp2040-flash-chip.js';
import type { RP2040, SimulationClock } from './rp2040-library.js';
import { RingOscillator } from './rp2040-registers.js';
import { ROM_WORDS, startSecondStage, USB_BOOT_BREAK } from './rp2040-rom.js';

export interface MachineOptions {
  /** Makes a processor of rp2040js with its clock. */
  readonly make: () => { readonly rp2040: RP2040; readonly clock: SimulationClock };
  /** Contents of the flash chip: 2 MB, which the machine changes. */
  readonly flash: Uint8Array;
  /** A number from 0 to 1: what RAM holds at power on, and noise. */
  readonly random: () => number;
  /** Bytes of the flash have changed. */
  readonly onFlash: (offset: number, count: number) => void;
  /** The n-th erase or program of the flash since power on is half done. */
  readonly onHalf: (operation: number) => void;
  /** A byte that the board sends. */
  readonly onByte: (byte: number) => void;
}

export type MachineState = 'runs' | 'USB drive' | 'faulty';

/** Peripherals by address, without the last 12 bits. */
const SSI = 0x18000;
const XIP_CONTROL = 0x14000;
const IO_QSPI = 0x40018;
const WATCHDOG = 0x40058;
const ROSC = 0x40060;

const BAUD = 115200;
/** Time of a byte on the line in nanoseconds: as at 1 Mbaud, so that tests don't wait; harder on the program than its real line. */
const BYTE_NANOS = 10_000;
/** Instructions between two looks at line and clock. */
const STRIDE = 16;

/** An RP2040 with its flash chip and one serial line, from power on. Runs when it is told to, for as long as it is told. */
export class Rp2040Machine {
  state: MachineState = 'runs';
  /** Why the state is `faulty`. */
  fault = '';
  /** Since the machine was made. */
  instructions = 0;
  /** On the board's clock since the machine was made. */
  nanos = 0;
  private readonly options: MachineOptions;
  private rp2040!: RP2040;
  private clock!: SimulationClock;
  private chip: FlashChip | undefined;
  private restart = false;
  private incoming: Uint8Array[] = [];
  private taken = 0;
  private nextByteAt = 0;

  constructor(options: MachineOptions) {
    this.options = options;
    this.reset();
  }

  /** Power on, or the reset button: all but the flash starts anew. */
  reset(): void {
    const { make, flash, random, onFlash, onHalf, onByte } = this.options;
    // The flash chip has no reset line: it goes on with what it does.
    this.chip?.settle();
    const { rp2040, clock } = make();
    this.rp2040 = rp2040;
    this.clock = clock;
    this.state = 'runs';
    this.fault = '';
    this.restart = false;
    this.incoming = [];
    this.taken = 0;
    this.nextByteAt = 0;
    const complain = (component: string, message: string): void => this.fail(`${component}: ${message}`);
    const ignore = (): void => {};
    rp2040.logger = { debug: ignore, info: ignore, warn: complain, error: complain };
    rp2040.loadBootrom(ROM_WORDS);
    for (let i = 0; i < rp2040.sram.length; i++) rp2040.sram[i] = random() * 256;
    const view = flash.slice();
    const hidden = new Uint8Array(flash.length).fill(0xa5);
    quickenMemory(rp2040, (address) => this.fail(`store to the flash at 0x${address.toString(16)}`));
    const chip = new FlashChip(flash, {
      now: () => clock.nanos,
      onChange: (offset, count) => {
        bus.changed(offset, count);
        onFlash(offset, count);
      },
      onHalf,
    });
    this.chip = chip;
    const bus: FlashBus = new FlashBus({
      chip,
      view,
      show: (visible) => showFlash(rp2040, visible ? view : hidden),
      pass: (nanos) => clock.tick(nanos),
    });
    rp2040.peripherals[SSI] = bus.ssi;
    rp2040.peripherals[XIP_CONTROL] = bus.cache;
    rp2040.peripherals[IO_QSPI] = bus.pins;
    rp2040.peripherals[ROSC] = new RingOscillator(random);
    const watchdog = rp2040.peripherals[WATCHDOG] as unknown as { onWatchdogTrigger: () => void };
    watchdog.onWatchdogTrigger = () => {
      this.restart = true;
    };
    rp2040.onBreak = (code) => {
      if (code === USB_BOOT_BREAK) this.state = 'USB drive';
      else this.fail(`breakpoint ${code}`);
    };
    rp2040.uart[0]!.onByte = onByte;
    showFlash(rp2040, hidden);
    if (!startSecondStage(flash, rp2040.sram, rp2040.core)) this.state = 'USB drive';
  }

  /** Bytes on the line to the board, one after the other. They are lost if it isn't running. */
  feed(bytes: Uint8Array): void {
    if (this.state === 'runs') this.incoming.push(bytes);
  }

  /** Bytes that are still on the line. */
  get backlog(): number {
    return this.incoming.reduce((sum, chunk) => sum + chunk.length, -this.taken);
  }

  /**
   * Runs until that much time has passed on the board's clock.
   * @returns whether the processor slept all the time
   */
  run(nanos: number): boolean {
    const before = this.instructions;
    const { rp2040, clock } = this;
    const { core } = rp2040;
    const started = clock.nanos;
    let cycleNanos = 1e9 / rp2040.clkSys;
    const until = started + nanos;
    while (this.state === 'runs' && clock.nanos < until) {
      if (this.incoming.length > 0 && clock.nanos >= this.nextByteAt) this.feedByte();
      if (core.waiting) {
        const alarm = clock.nanosToNextAlarm;
        const line = this.incoming.length > 0 ? this.nextByteAt - clock.nanos : until - clock.nanos;
        clock.tick(Math.max(1, Math.min(alarm > 0 ? alarm : line, line, until - clock.nanos)));
        continue;
      }
      const cycles = core.cycles;
      for (let i = 0; i < STRIDE && !core.waiting; i++) {
        core.executeInstruction();
        this.instructions++;
      }
      clock.tick((core.cycles - cycles) * cycleNanos);
      if (this.restart) {
        this.nanos += clock.nanos - started;
        this.reset();
        return false;
      }
      cycleNanos = 1e9 / rp2040.clkSys;
    }
    this.nanos += clock.nanos - started;
    return this.state !== 'runs' || this.instructions - before < nanos / 1000;
  }

  private feedByte(): void {
    const uart = this.rp2040.uart[0]!;
    const chunk = this.incoming[0]!;
    const byte = chunk[this.taken++]!;
    if (this.taken === chunk.length) {
      this.incoming.shift();
      this.taken = 0;
    }
    this.nextByteAt = Math.max(this.nextByteAt, this.clock.nanos - BYTE_NANOS) + BYTE_NANOS;
    // A program that runs its UART at another rate would see framing errors.
    const audible = uart.enabled && uart.rxEnabled && Math.abs(uart.baudRate / BAUD - 1) < 0.02;
    if (audible) uart.feedByte(byte);
  }

  private fail(why: string): void {
    if (this.state !== 'runs') return;
    this.state = 'faulty';
    this.fault = `${why} (pc 0x${this.rp2040.core.PC.toString(16)})`;
  }
}

const RAM = 0x20000000;

/**
 * Goes to RAM without the library's search for what lies at an address: most accesses are there. Stores to the flash's addresses,
 * which the library would carry out, are a fault on a real processor.
 */
function quickenMemory(rp2040: RP2040, onFlashStore: (address: number) => void): void {
  const { sram, sramView } = rp2040;
  const end = RAM + sram.length;
  const inRam = (address: number, count: number): boolean => address >= RAM && address + count <= end;
  const inFlash = (address: number): boolean => address >>> 26 === 4;
  const { readUint32, readUint16, readUint8, writeUint32, writeUint16, writeUint8 } = rp2040;
  // Words that are not aligned go the long way, which complains.
  rp2040.readUint32 = (at) =>
    inRam(at, 4) && (at & 3) === 0 ? sramView.getUint32(at - RAM, true) : readUint32.call(rp2040, at);
  rp2040.readUint16 = (at) => (inRam(at, 2) ? sramView.getUint16(at - RAM, true) : readUint16.call(rp2040, at));
  rp2040.readUint8 = (at) => (inRam(at, 1) ? sram[at - RAM]! : readUint8.call(rp2040, at));
  rp2040.writeUint32 = (at, value) => {
    if (inRam(at, 4)) sramView.setUint32(at - RAM, value, true);
    else if (inFlash(at)) onFlashStore(at);
    else writeUint32.call(rp2040, at, value);
  };
  rp2040.writeUint16 = (at, value) => {
    if (inRam(at, 2)) sramView.setUint16(at - RAM, value, true);
    else if (inFlash(at)) onFlashStore(at);
    else writeUint16.call(rp2040, at, value);
  };
  rp2040.writeUint8 = (at, value) => {
    if (inRam(at, 1)) sram[at - RAM] = value;
    else if (inFlash(at)) onFlashStore(at);
    else writeUint8.call(rp2040, at, value);
  };
}

/** What the processor reads at the flash's addresses. The library takes its flash for a constant; it is a plain field. */
function showFlash(rp2040: RP2040, bytes: Uint8Array): void {
  const fields = rp2040 as unknown as { flash: Uint8Array; flashView: DataView };
  if (fields.flash === bytes) return;
  fields.flash = bytes;
  fields.flashView = new DataView(bytes.buffer);
}
