import type { Transport } from 'goodness';

/** What may happen to a byte on its way. */
export const FAULTS = ['drop', 'flip', 'double', 'delay'] as const;
export type Fault = (typeof FAULTS)[number];

/** How long a delayed byte, and all behind it, stays on the line, in ms. */
const DELAY_MS = { least: 5, most: 60 };
/** Delays are to be rare: each holds up all that comes behind it. */
const DELAY_SHARE = 0.05;

/** Uniform numbers in [0, 1) from a seed: mulberry32. */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** One direction of a line: bytes in their order, some of them hurt. */
class Direction {
  private readonly draw: () => number;
  private readonly owner: FaultyTransport;
  private tail: Promise<void> = Promise.resolve();
  private held = 0;

  constructor(owner: FaultyTransport, seed: number) {
    this.owner = owner;
    this.draw = uniform(seed);
  }

  /** Hands on what is left of the bytes; resolves when that is done. */
  async carry(bytes: Uint8Array, pass: (bytes: Uint8Array) => Promise<void> | void): Promise<void> {
    const { out, delay } = this.hurt(bytes);
    if (delay === 0 && this.held === 0) return pass(out);
    this.held++;
    const mine = this.tail.then(async () => {
      if (delay > 0) await this.owner.pause(delay);
      this.held--;
      await pass(out);
    });
    this.tail = mine.catch(() => {});
    return mine;
  }

  private hurt(bytes: Uint8Array): { out: Uint8Array; delay: number } {
    const { owner, draw } = this;
    const out: number[] = [];
    let delay = 0;
    for (const byte of bytes) {
      if (draw() >= owner.rate) {
        out.push(byte);
        continue;
      }
      const fault = owner.kinds[Math.floor(draw() * owner.kinds.length)]!;
      owner.faults++;
      if (fault === 'flip') out.push(byte ^ (1 << Math.floor(draw() * 8)));
      else if (fault === 'double') out.push(byte, byte);
      else if (fault === 'delay') {
        out.push(byte);
        if (draw() < DELAY_SHARE) delay += DELAY_MS.least + draw() * (DELAY_MS.most - DELAY_MS.least);
      }
    }
    return { out: Uint8Array.from(out), delay };
  }
}

/**
 * A line that loses, flips, doubles and holds up bytes, both ways, and that can be cut after so many bytes. Which bytes are hit depends on
 * the seed and on their place in the stream of their direction alone.
 */
export class FaultyTransport implements Transport {
  readonly name: string;
  readonly baud: number | undefined;
  /** Bytes that the host sent, hurt or not, and bytes that reached it. */
  readonly traffic: Transport['traffic'] = { up: 0, down: 0 };
  readonly seed: number;
  /** Bytes hit so far. */
  faults = 0;
  /** Chance of a fault per byte. */
  rate: number;
  readonly kinds: readonly Fault[];
  /** Bytes down after which the cable falls out. */
  cutAfter = Number.POSITIVE_INFINITY;
  private readonly inner: Transport;
  private readonly down: Direction;
  private readonly up: Direction;

  /** Resolves after so many ms. */
  readonly pause: (milliseconds: number) => Promise<void>;

  /** @param kinds one of them happens to each byte that is hit; all but delays if left out */
  constructor(
    inner: Transport,
    seed: number,
    rate: number,
    kinds: readonly Fault[] = ['drop', 'flip', 'double'],
    pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  ) {
    this.pause = pause;
    this.inner = inner;
    this.name = inner.name;
    this.baud = inner.baud;
    this.seed = seed;
    this.rate = rate;
    this.kinds = kinds;
    this.down = new Direction(this, seed);
    this.up = new Direction(this, seed ^ 0x5bd1e995);
  }

  async write(bytes: Uint8Array): Promise<void> {
    const left = this.cutAfter - this.traffic.down;
    this.traffic.down += bytes.length;
    if (bytes.length >= left) {
      await this.inner.write(bytes.subarray(0, Math.max(0, left)));
      // As on a real port, the cut shows up in reads and writes, and not as somebody's wish to close.
      await this.inner.close();
      throw new Error('cable cut');
    }
    await this.down.carry(bytes, (rest) => this.inner.write(rest));
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.inner.onData((bytes) => {
      void this.up.carry(bytes, (rest) => {
        this.traffic.up += rest.length;
        listener(rest);
      });
    });
  }

  onClose(listener: (reason?: Error) => void): void {
    this.inner.onClose(listener);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
