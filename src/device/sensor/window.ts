import { GoodnessError } from '../../base/errors.js';

export interface WindowOptions {
  /** Values per sample. */
  readonly channels: number;
  /** Samples per window, 1 or more. */
  readonly length: number;
  /** Samples from the start of one window to that of the next, 1 or more; `length` if left out: windows don't overlap. */
  readonly hop?: number;
}

/** Cuts a stream of samples into windows: what a network sees at once. */
export class Windower {
  private readonly channels: number;
  private readonly length: number;
  private readonly hop: number;
  private readonly ring: Float64Array;
  private seen = 0;

  /** @throws GoodnessError `window.size` */
  constructor({ channels, length, hop = length }: WindowOptions) {
    for (const [name, value] of Object.entries({ channels, length, hop })) {
      if (!(Number.isInteger(value) && value >= 1 && value <= 65535)) {
        throw new GoodnessError('window.size', `a window needs a whole number of ${name}`, {
          expected: '1 to 65535',
          got: String(value),
        });
      }
    }
    this.channels = channels;
    this.length = length;
    this.hop = hop;
    this.ring = new Float64Array(channels * length);
  }

  /**
   * Takes a sample (channels).
   * @returns the window (length, channels), sample by sample, if this sample completes one
   */
  push(sample: ArrayLike<number>): Float64Array | undefined {
    if (sample.length !== this.channels) {
      throw new GoodnessError('window.sample', 'a sample has another number of values than the window has channels', {
        expected: String(this.channels),
        got: String(sample.length),
      });
    }
    const row = this.seen % this.length;
    for (let c = 0; c < this.channels; c++) this.ring[row * this.channels + c] = sample[c]!;
    this.seen++;
    if (this.seen < this.length || (this.seen - this.length) % this.hop !== 0) return undefined;
    const window = new Float64Array(this.ring.length);
    const oldest = (this.seen % this.length) * this.channels;
    window.set(this.ring.subarray(oldest));
    window.set(this.ring.subarray(0, oldest), this.ring.length - oldest);
    return window;
  }

  /** Forgets the samples so far: the next window starts with the next sample. */
  restart(): void {
    this.seen = 0;
  }
}
