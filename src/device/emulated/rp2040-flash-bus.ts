import type { FlashChip } from './rp2040-flash-chip.js';
import { Registers } from './rp2040-registers.js';

/** What the bus needs of the machine around it. */
export interface FlashBusOptions {
  readonly chip: FlashChip;
  /** What the processor reads at the addresses of the flash: the chip's contents as the cache has them. */
  readonly view: Uint8Array;
  /** Lets the processor see the flash, or nothing sensible while the interface does something else. */
  readonly show: (visible: boolean) => void;
  /** Lets time pass, in nanoseconds. */
  readonly pass: (nanos: number) => void;
}

const CTRLR0 = 0x00;
const SSIENR = 0x08;
const SER = 0x10;
const TXFLR = 0x20;
const RXFLR = 0x24;
const SR = 0x28;
const IDR = 0x58;
const DR0 = 0x60;
const SPI_CTRLR0 = 0xf4;

const TRANSFER_MODE = 3 << 8;
const EEPROM_READ = 3 << 8;
const FRAME_BITS = 31 << 16;
/** 03h, 8 bits of command, 24 of address, both one bit at a time: all that programs of ours read in place by. */
const READ_IN_PLACE = 0x03000218;
/** Bytes both ways. */
const BYTES = 7 << 16;

const SS_CTRL = 0x0c;
const OUTPUT_OVERRIDE = 3 << 8;
const LOW = 2 << 8;
const HIGH = 3 << 8;

/**
 * Time that a look at the status of a busy chip lets pass in nanoseconds: erasing takes millions of instructions of a program that
 * only waits. Less than a byte on the line takes, so that no interrupt is late.
 */
const WAIT_NANOS = 80_000;

/**
 * What lies between processor and flash chip: the serial interface (RP2040 datasheet 4.10), the pin of its chip select (2.19), and
 * the cache (2.6.3), which holds everything until it is flushed, so that a program that forgets to flush reads old bytes.
 */
export class FlashBus {
  readonly ssi: Registers;
  readonly pins: Registers;
  readonly cache: Registers;
  private readonly options: FlashBusOptions;
  private readonly stale = new Map<number, number>();
  /** Read from the chip, and not yet by the program. */
  private readonly received: number[] = [];
  private inPlace = false;
  private override = 0;

  constructor(options: FlashBusOptions) {
    this.options = options;
    this.ssi = new Ssi(this);
    this.pins = new QspiPins(this);
    this.cache = new XipControl(this);
  }

  /** Notes that the chip's bytes are not those of the cache. */
  changed(offset: number, count: number): void {
    this.stale.set(offset, Math.max(count, this.stale.get(offset) ?? 0));
  }

  flush(): void {
    for (const [offset, count] of this.stale)
      this.options.view.set(this.options.chip.memory.subarray(offset, offset + count), offset);
    this.stale.clear();
  }

  /** Registers of the interface were written: can the processor read the flash now? */
  configure(enabled: boolean, control: number, spi: number): void {
    if (!enabled) this.received.length = 0;
    const reads = (control & TRANSFER_MODE) === EEPROM_READ && (control & FRAME_BITS) === FRAME_BITS;
    this.inPlace = enabled && reads && spi === READ_IN_PLACE;
    this.show();
  }

  selectBy(override: number): void {
    this.override = override;
    if (override === LOW) this.options.chip.select();
    else this.options.chip.deselect();
    this.show();
  }

  private show(): void {
    this.options.show(this.inPlace && this.override !== LOW && this.override !== HIGH && !this.options.chip.busy);
  }

  send(byte: number): void {
    const { chip, pass } = this.options;
    if (chip.busy) pass(WAIT_NANOS);
    // Without the override the chip is selected for as long as there is something to send: here, one byte.
    if (this.override === 0) chip.select();
    this.received.push(chip.exchange(byte & 0xff));
    if (this.override === 0) chip.deselect();
  }

  receive(): number {
    return this.received.shift() ?? 0;
  }

  get waiting(): number {
    return this.received.length;
  }
}

class Ssi extends Registers {
  private readonly bus: FlashBus;

  constructor(bus: FlashBus) {
    super();
    this.bus = bus;
  }

  private get enabled(): boolean {
    return (this.values.get(SSIENR) ?? 0) === 1;
  }

  override readUint32(offset: number): number {
    switch (offset) {
      case SR:
        // Nothing under way, room to send, and perhaps something to read.
        return 0b110 | (this.bus.waiting > 0 ? 0b1000 : 0);
      case TXFLR:
        return 0;
      case RXFLR:
        return this.bus.waiting;
      case IDR:
        return 0x51535049;
      case DR0:
        return this.bus.receive();
      default:
        return super.readUint32(offset);
    }
  }

  override writeUint32(offset: number, value: number): void {
    if (offset === DR0) {
      const control = (this.values.get(CTRLR0) ?? 0) & (TRANSFER_MODE | FRAME_BITS);
      if (this.enabled && this.values.get(SER) === 1 && control === BYTES) this.bus.send(value);
      return;
    }
    // Settings hold only while the interface is off (datasheet 4.10.13).
    if (offset !== SSIENR && offset !== SER && this.enabled) return;
    super.writeUint32(offset, value);
    this.bus.configure(this.enabled, this.values.get(CTRLR0) ?? 0, this.values.get(SPI_CTRLR0) ?? 0);
  }
}

class QspiPins extends Registers {
  private readonly bus: FlashBus;

  constructor(bus: FlashBus) {
    super();
    this.bus = bus;
  }

  override writeUint32(offset: number, value: number): void {
    super.writeUint32(offset, value);
    if (offset === SS_CTRL) this.bus.selectBy(value & OUTPUT_OVERRIDE);
  }
}

const FLUSH = 0x04;

class XipControl extends Registers {
  private readonly bus: FlashBus;

  constructor(bus: FlashBus) {
    super();
    this.bus = bus;
  }

  override readUint32(offset: number): number {
    return offset === FLUSH ? 0 : super.readUint32(offset);
  }

  override writeUint32(offset: number, value: number): void {
    super.writeUint32(offset, value);
    if (offset === FLUSH && value === 1) this.bus.flush();
  }
}
