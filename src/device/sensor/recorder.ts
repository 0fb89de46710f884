import { type Clock, systemClock } from '../clock.js';
import type { SampleSource } from './source.js';
import { Windower } from './window.js';

export interface RecordOptions {
  /** Samples per window. */
  readonly length: number;
  /** Samples from one window's start to the next; `length` if left out. */
  readonly hop?: number;
  /** Ends after so many windows. */
  readonly windows?: number;
  /** Ends after so many seconds of samples. */
  readonly seconds?: number;
  /** Ends when it is aborted: windows so far count. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

export interface RecordReport {
  readonly samples: number;
  readonly windows: number;
  /** Samples per second as they came; 0 for fewer than two. */
  readonly rate: number;
  /** Standard deviation of the time between samples, in ms, as this machine saw them. */
  readonly jitter: number;
  /** Samples that came faster than they were taken, and were thrown away. */
  readonly lost: number;
}

/**
 * Cuts what a sensor delivers into windows, and hands each to `onWindow` (length * channels values, sample by sample). The
 * source is closed in the end, whatever happens.
 */
export async function record(
  source: SampleSource,
  options: RecordOptions,
  onWindow: (window: Float64Array, index: number) => void | Promise<void>,
): Promise<RecordReport> {
  const {
    length,
    windows = Number.POSITIVE_INFINITY,
    seconds = Number.POSITIVE_INFINITY,
    signal,
    clock = systemClock,
  } = options;
  const most = seconds * source.rate;
  const stop = (): void => {
    source.close().catch(() => {});
  };
  const aborted = (): boolean => signal?.aborted === true;
  const times = new Intervals();
  let count = 0;
  let samples = 0;
  signal?.addEventListener('abort', stop);
  try {
    const hop = options.hop === undefined ? {} : { hop: options.hop };
    const windower = new Windower({ channels: source.channels.length, length, ...hop });
    if (!aborted()) {
      for await (const sample of source.samples()) {
        samples++;
        times.add(clock.now());
        const window = windower.push(sample);
        if (window !== undefined) await onWindow(window, count++);
        if (count >= windows || samples >= most || aborted()) break;
      }
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    await source.close();
  }
  return { samples, windows: count, rate: times.rate, jitter: times.deviation, lost: source.lost };
}

/** Mean and deviation of the time between events, without keeping the times (Welford 1962). */
class Intervals {
  private first: number | undefined;
  private last = 0;
  private count = 0;
  private mean = 0;
  private squares = 0;

  add(time: number): void {
    if (this.first === undefined) this.first = time;
    else {
      const gap = time - this.last;
      this.count++;
      const delta = gap - this.mean;
      this.mean += delta / this.count;
      this.squares += delta * (gap - this.mean);
    }
    this.last = time;
  }

  get rate(): number {
    const span = this.last - (this.first ?? this.last);
    return span > 0 ? (1000 * this.count) / span : 0;
  }

  get deviation(): number {
    return this.count > 1 ? Math.sqrt(this.squares / (this.count - 1)) : 0;
  }
}
