import type { SessionOptions, Transport, WasmCore } from 'goodness';

type Clock = NonNullable<SessionOptions['clock']>;

interface Event {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
  cancelled: boolean;
}

/** Time that passes only from one event to the next: what happens in it depends on no machine. Milliseconds. */
export class VirtualTime implements Clock {
  private time = 0;
  private made = 0;
  private readonly events: Event[] = [];

  now(): number {
    return this.time;
  }

  after(milliseconds: number, act: () => void): () => void {
    const event = { at: this.time + milliseconds, order: this.made++, act, cancelled: false };
    let i = this.events.length;
    while (i > 0 && this.events[i - 1]!.at > event.at) i--;
    this.events.splice(i, 0, event);
    return () => {
      event.cancelled = true;
    };
  }

  /** Lets time pass until a piece of work is done. */
  async during<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const end = (): void => {
      done = true;
    };
    work.then(end, end);
    for (;;) {
      // All that follows from the last event at once: promises and what they start.
      await new Promise((resolve) => setImmediate(resolve));
      if (done) return work;
      const event = this.events.shift();
      if (event === undefined) throw new Error('nothing happens any more, and the work is not done');
      if (event.cancelled) continue;
      this.time = event.at;
      event.act();
    }
  }
}

/** A board as far as time goes: its line, its receive ring, its processor. */
export interface TimedBoard {
  readonly baud: number;
  /** Time from the board to the host's program beside that on the line, in ms: USB adapters wait before they pass bytes on. */
  readonly latencyMs: number;
  /** Bytes that the receive ring holds. */
  readonly ringBytes: number;
  /** The processor's time for one byte: in the receiver's interrupt, and in taking it out of the ring and decoding it, in ms. */
  readonly keepMs: number;
  readonly decodeMs: number;
  /** Its time for a whole request of this type, beside that, in ms. */
  workMs(type: number): number;
}

/** What became of the line's time. */
export interface LineUse {
  /** When the first byte went down, and the last answer's last byte reached the host; and the time between. */
  readonly first: number;
  readonly last: number;
  readonly ms: number;
  /** Time in which a byte was on the line down, or up. */
  readonly downMs: number;
  readonly upMs: number;
  /** Time in which the processor worked. */
  readonly busyMs: number;
  /** Bytes that came when the ring was full. */
  readonly lost: number;
}

const BITS_PER_BYTE = 10;

/**
 * The line to a board that takes its time, with the firmware core behind it: what stands on the line, and what the core answers, is real;
 * how long the processor takes is what its instructions say. It works like firmware/ports/board.c: bytes come into the ring by
 * interrupt; a request is decoded, then worked on; the next one is worked on when its answer is sent, and decoded meanwhile.
 */
export class TimedLine implements Transport {
  readonly name = 'timed';
  readonly baud: number;
  readonly traffic: Transport['traffic'] = { up: 0, down: 0 };
  private readonly time: VirtualTime;
  private readonly core: WasmCore;
  private readonly board: TimedBoard;
  private readonly byteMs: number;
  private listener: (bytes: Uint8Array) => void = () => {};
  /** When the line down is free again; when the processor is; when the line up is. */
  private downFree = 0;
  private cpuFree = 0;
  private upFree = 0;
  /** When each of the last bytes was taken out of the ring: as many as it holds. */
  private readonly taken: Float64Array;
  private kept = 0;
  private frame: { type: number | undefined; bytes: number } = { type: undefined, bytes: 0 };
  private use = { first: Number.NaN, last: 0, downMs: 0, upMs: 0, busyMs: 0, lost: 0 };

  constructor(time: VirtualTime, core: WasmCore, board: TimedBoard) {
    this.time = time;
    this.core = core;
    this.board = board;
    this.baud = board.baud;
    this.byteMs = (1000 * BITS_PER_BYTE) / board.baud;
    this.taken = new Float64Array(board.ringBytes).fill(Number.NEGATIVE_INFINITY);
  }

  /** What the line was used for since this was last called. */
  lap(): LineUse {
    const { first, last, downMs, upMs, busyMs, lost } = this.use;
    this.use = { first: Number.NaN, last: 0, downMs: 0, upMs: 0, busyMs: 0, lost: 0 };
    return { first, last, ms: last - first, downMs, upMs, busyMs, lost };
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.traffic.down += bytes.length;
    const from = Math.max(this.time.now(), this.downFree);
    if (Number.isNaN(this.use.first)) this.use.first = from;
    this.downFree = from + bytes.length * this.byteMs;
    this.use.downMs += bytes.length * this.byteMs;
    const copy = bytes.slice();
    // Only this line brings the board bytes: what it does with them can be worked out once the last one is there.
    this.time.after(this.downFree - this.time.now(), () => {
      for (const [i, byte] of copy.entries()) this.arrive(byte, from + (i + 1) * this.byteMs);
    });
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.listener = listener;
  }

  onClose(): void {}

  async close(): Promise<void> {}

  private arrive(byte: number, at: number): void {
    // The byte that came as many bytes before as the ring holds must be out of it.
    const place = this.kept % this.taken.length;
    if (this.taken[place]! > at) {
      this.use.lost++;
      return;
    }
    this.kept++;
    // Interrupts break into whatever goes on; their time is taken here, from the same processor.
    const byteMs = this.board.keepMs + this.board.decodeMs;
    const out = Math.max(this.cpuFree, at) + byteMs;
    this.use.busyMs += byteMs;
    this.cpuFree = out;
    this.taken[place] = out;
    this.core.feed(0, Uint8Array.of(byte));
    this.frame.bytes++;
    // The type stands behind the first code of COBS.
    if (this.frame.bytes === 2) this.frame.type = byte;
    if (byte === 0) this.work();
  }

  private work(): void {
    const { type } = this.frame;
    this.frame = { type: undefined, bytes: 0 };
    while (this.core.step());
    const answer = this.core.take(0);
    if (answer.length === 0 || type === undefined) return;
    const workMs = this.board.workMs(type);
    const from = Math.max(this.cpuFree, this.upFree);
    this.cpuFree = from + workMs;
    this.use.busyMs += workMs;
    this.upFree = this.cpuFree + answer.length * this.byteMs;
    this.use.upMs += answer.length * this.byteMs;
    this.use.last = this.upFree + this.board.latencyMs;
    this.time.after(this.use.last - this.time.now(), () => {
      this.traffic.up += answer.length;
      this.listener(answer);
    });
  }
}
