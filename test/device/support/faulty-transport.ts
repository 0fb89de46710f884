import type { Random } from '../../../src/base/random.js';
import type { Traffic, Transport } from '../../../src/device/transport.js';

/** A line that loses, flips and repeats bytes, both ways, and that can be cut after so many bytes. */
export class FaultyTransport implements Transport {
  readonly name: string;
  readonly baud = undefined;
  readonly traffic: Traffic;
  /** Bytes hit so far. */
  faults = 0;
  /** Chance of a fault per byte. */
  rate: number;
  /** Bytes down after which the cable falls out. */
  cutAfter = Number.POSITIVE_INFINITY;
  private readonly inner: Transport;
  private readonly random: Random;

  constructor(inner: Transport, random: Random, rate: number) {
    this.inner = inner;
    this.name = inner.name;
    this.traffic = inner.traffic;
    this.random = random;
    this.rate = rate;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const left = this.cutAfter - this.traffic.down;
    if (bytes.length >= left) {
      await this.inner.write(bytes.subarray(0, Math.max(0, left)));
      // As on a real port, the cut shows up in reads and writes, and not as somebody's wish to close.
      await this.inner.close();
      throw new Error('cable cut');
    }
    await this.inner.write(this.hurt(bytes));
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.inner.onData((bytes) => listener(this.hurt(bytes)));
  }

  onClose(listener: (reason?: Error) => void): void {
    this.inner.onClose(listener);
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  private hurt(bytes: Uint8Array): Uint8Array {
    const out: number[] = [];
    for (const byte of bytes) {
      if (this.random.uniform() >= this.rate) {
        out.push(byte);
        continue;
      }
      this.faults++;
      const kind = this.random.integer(3);
      if (kind === 1) out.push(byte ^ (1 << this.random.integer(8)));
      else if (kind === 2) out.push(byte, byte);
    }
    return Uint8Array.from(out);
  }
}
