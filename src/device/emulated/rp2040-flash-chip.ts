/** What a chip is told of its surroundings. */
export interface FlashChipOptions {
  /** Nanoseconds since some moment, on the clock of the emulated board. */
  readonly now: () => number;
  /** Called whenever `count` bytes at `offset` have changed. */
  readonly onChange?: (offset: number, count: number) => void;
  /** Called when the n-th erase or program since the start (from 1) has changed half of what it is to change. */
  readonly onHalf?: (operation: number) => void;
}

/** How long it is busy, typically (W25Q16JV datasheet 9.6), in nanoseconds. */
const PROGRAM_NANOS = 400_000;
const ERASE_NANOS = 45_000_000;

export const PAGE_BYTES = 256;
export const SECTOR_BYTES = 4096;

const BUSY = 1;
const ENABLED = 2;
/** Winbond, SPI, 2^21 bytes. */
const JEDEC_ID = [0xef, 0x40, 0x15];

type Command = 'write-enable' | 'write-disable' | 'status' | 'read' | 'program' | 'erase' | 'id';

const COMMANDS: ReadonlyMap<number, Command> = new Map([
  [0x06, 'write-enable'],
  [0x04, 'write-disable'],
  [0x05, 'status'],
  [0x03, 'read'],
  [0x02, 'program'],
  [0x20, 'erase'],
  [0x9f, 'id'],
]);

/**
 * A W25Q16JV serial flash (its datasheet, chapter 8): commands come byte by byte while the chip is selected, and are carried out
 * when it is deselected. It refuses what a real one refuses: writing without write enable, any command but the status while it is
 * busy, an erase that isn't whole bytes long. Programming only clears bits, and wraps around within its page. What is under way is
 * half done until it ends: whoever takes the memory away in between gets that.
 */
export class FlashChip {
  readonly memory: Uint8Array;
  private readonly options: FlashChipOptions;
  private enabled = false;
  private busyUntil = Number.NEGATIVE_INFINITY;
  private finish: (() => void) | undefined;
  private operations = 0;
  private selected = false;
  /** Bytes since the chip was selected, the command first. */
  private received: number[] = [];

  /** @param memory all bytes of the chip, a power of two of them; it stays the caller's to look at */
  constructor(memory: Uint8Array, options: FlashChipOptions) {
    this.memory = memory;
    this.options = options;
  }

  get busy(): boolean {
    if (this.finish !== undefined && this.options.now() >= this.busyUntil) this.settle();
    return this.finish !== undefined;
  }

  /** Ends what is under way, as time does. */
  settle(): void {
    if (this.finish === undefined) return;
    this.finish();
    this.finish = undefined;
    this.enabled = false;
  }

  select(): void {
    if (this.selected) return;
    this.selected = true;
    this.received = [];
  }

  /** A byte goes in and one comes out. A chip that isn't selected leaves the line high. */
  exchange(byte: number): number {
    if (!this.selected) return 0xff;
    const count = this.received.push(byte);
    if (count === 1) return 0xff;
    const command = this.command();
    if (command === 'status') return (this.busy ? BUSY : 0) | (this.enabled ? ENABLED : 0);
    if (this.busy) return 0xff;
    if (command === 'id') return JEDEC_ID[count - 2] ?? 0xff;
    if (command === 'read' && count > 4) return this.memory[this.at(this.address() + count - 5)]!;
    return 0xff;
  }

  /** Carries out what was sent. */
  deselect(): void {
    if (!this.selected) return;
    this.selected = false;
    const command = this.command();
    const count = this.received.length;
    if (command === undefined || this.busy) return;
    if (command === 'write-enable' && count === 1) this.enabled = true;
    if (command === 'write-disable' && count === 1) this.enabled = false;
    if (!this.enabled) return;
    if (command === 'erase' && count === 4) this.erase();
    if (command === 'program' && count > 4) this.program();
  }

  private command(): Command | undefined {
    return COMMANDS.get(this.received[0] ?? 0);
  }

  private address(): number {
    const [, high = 0, middle = 0, low = 0] = this.received;
    return (high << 16) | (middle << 8) | low;
  }

  /** The chip has fewer address lines than the command: the rest is ignored. */
  private at(address: number): number {
    return address & (this.memory.length - 1);
  }

  private erase(): void {
    const start = this.at(this.address() & ~(SECTOR_BYTES - 1));
    this.work(ERASE_NANOS, start, SECTOR_BYTES, (offset) => {
      this.memory[start + offset] = 0xff;
    });
  }

  private program(): void {
    const address = this.at(this.address());
    const page = address & ~(PAGE_BYTES - 1);
    const first = address - page;
    // More than a page keeps its last bytes, each where wrapping around put it.
    const wanted = new Uint8Array(PAGE_BYTES).fill(0xff);
    this.received.slice(4).forEach((byte, i) => {
      wanted[(first + i) % PAGE_BYTES] = byte;
    });
    this.work(PROGRAM_NANOS, page, PAGE_BYTES, (offset) => {
      this.memory[page + offset]! &= wanted[offset]!;
    });
  }

  /** Changes half of the bytes now, and the others when the time is over. */
  private work(nanos: number, start: number, count: number, change: (offset: number) => void): void {
    const half = count / 2;
    for (let i = 0; i < half; i++) change(i);
    this.options.onChange?.(start, half);
    this.busyUntil = this.options.now() + nanos;
    this.finish = () => {
      for (let i = half; i < count; i++) change(i);
      this.options.onChange?.(start + half, count - half);
    };
    this.options.onHalf?.(++this.operations);
  }
}
