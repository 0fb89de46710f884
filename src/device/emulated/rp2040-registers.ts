/** What rp2040js asks of a peripheral: offsets are bytes from its base. */
export interface Peripheral {
  readUint32(offset: number): number;
  writeUint32(offset: number, value: number): void;
  writeUint32Atomic(offset: number, value: number, kind: number): void;
}

/** Kinds of the alias that a register is written at (RP2040 datasheet 2.1.2). */
const NORMAL = 0;
const XOR = 1;
const SET = 2;

/** A peripheral whose registers hold what was written, but where a subclass knows better. */
export class Registers implements Peripheral {
  protected readonly values = new Map<number, number>();

  readUint32(offset: number): number {
    return this.values.get(offset) ?? 0;
  }

  writeUint32(offset: number, value: number): void {
    this.values.set(offset, value >>> 0);
  }

  writeUint32Atomic(offset: number, value: number, kind: number): void {
    const now = kind === NORMAL ? 0 : this.readUint32(offset);
    const next = kind === NORMAL || kind === SET ? now | value : kind === XOR ? now ^ value : now & ~value;
    this.writeUint32(offset, next >>> 0);
  }
}

const RANDOMBIT = 0x1c;

/** The ring oscillator, as far as programs take random bits from it (RP2040 datasheet 2.17.7). */
export class RingOscillator extends Registers {
  private readonly random: () => number;

  /** @param random a number from 0 to 1, as Math.random gives it */
  constructor(random: () => number) {
    super();
    this.random = random;
  }

  override readUint32(offset: number): number {
    return offset === RANDOMBIT ? (this.random() < 0.5 ? 0 : 1) : super.readUint32(offset);
  }
}
