import { GoodnessError } from '../../base/errors.js';
import { Random } from '../../base/random.js';
import { type Clock, pause, systemClock } from '../clock.js';
import type { SampleSource } from './source.js';

/** What a made-up sensor delivers: a 10-bit reading around 512, as of an Arduino's analog input. */
export const SIGNALS = ['rest', 'normal', 'fault'] as const;
export type SignalKind = (typeof SIGNALS)[number];

/** Oscillations of a machine: cycles per second and amplitude of each, and the noise's deviation, in readings. */
const MOTION: Record<SignalKind, { readonly waves: readonly (readonly [number, number])[]; readonly noise: number }> = {
  rest: { waves: [], noise: 2 },
  normal: {
    waves: [
      [5, 120],
      [10, 25],
    ],
    noise: 6,
  },
  fault: {
    waves: [
      [5, 120],
      [7.5, 110],
      [16, 70],
    ],
    noise: 12,
  },
};

export interface SignalOptions {
  readonly kind: SignalKind;
  readonly channels?: readonly string[];
  /** Samples per second. */
  readonly rate: number;
  readonly seed?: number;
  readonly clock?: Clock;
  /** Samples come as fast as they are taken, instead of at their rate. */
  readonly unpaced?: boolean;
}

/** Reading of one channel at time `seconds`: 0 to 1023. Channels differ in phase. */
export function signalAt(kind: SignalKind, seconds: number, channel: number, random: Random): number {
  const { waves, noise } = MOTION[kind];
  let value = 512 + noise * random.normal();
  for (const [hertz, amplitude] of waves) value += amplitude * Math.sin(2 * Math.PI * (hertz * seconds + channel / 4));
  return Math.max(0, Math.min(1023, Math.round(value)));
}

/**
 * A sensor on a machine that rests, runs, or runs with a fault, for trying things out without a board.
 * @throws GoodnessError `sensor.rate`
 */
export function signalSource(options: SignalOptions): SampleSource {
  const { kind, channels = ['a0'], rate, seed = 1, clock = systemClock, unpaced = false } = options;
  if (!(rate > 0 && rate <= 10_000)) {
    throw new GoodnessError('sensor.rate', 'a sensor can not be read at this rate', {
      expected: 'above 0, at most 10000 per second',
      got: String(rate),
    });
  }
  const random = new Random(seed);
  let closed = false;
  const sample = (n: number): Float64Array =>
    Float64Array.from(channels, (_, c) => signalAt(kind, n / rate, c, random));
  async function* samples(): AsyncGenerator<Float64Array> {
    const start = clock.now();
    for (let n = 0; !closed; n++) {
      const early = unpaced ? 0 : start + (1000 * n) / rate - clock.now();
      if (early > 0) await pause(clock, early);
      if (!closed) yield sample(n);
    }
  }
  return {
    channels,
    rate,
    lost: 0,
    samples,
    close: async () => {
      closed = true;
    },
  };
}
