import { GoodnessError } from '../../base/errors.js';

/** What becomes of a window before a network sees it: its samples as they are, or their spectrum. */
export const FEATURES = ['raw', 'spectrum'] as const;
export type FeatureKind = (typeof FEATURES)[number];

/** How windows of a sensor become rows of numbers. */
export interface FeaturePlan {
  readonly kind: FeatureKind;
  readonly channels: readonly string[];
  /** Samples per window. */
  readonly length: number;
}

/** Names of the numbers of a row: channel and moment (`a0_0`, `a1_0`, `a0_1`, ...), or channel and frequency bin (`a0_bin1`, ...). */
export function featureNames({ kind, channels, length }: FeaturePlan): string[] {
  if (kind === 'raw') return Array.from({ length }, (_, t) => channels.map((name) => `${name}_${t}`)).flat();
  return channels.flatMap((name) => Array.from({ length: length >> 1 }, (_, k) => `${name}_bin${k + 1}`));
}

/**
 * A row from a window (length, channels). Spectrum: per channel the amplitudes of the frequencies k * rate / length for k = 1 to
 * length / 2, after the mean is taken off and a Hann window laid on (discrete Fourier transform; Harris 1978). So a row says how a
 * machine vibrates, wherever in the swing its window began.
 */
export function featuresOf(plan: FeaturePlan, window: Float64Array): Float64Array {
  const { kind, channels, length } = plan;
  if (kind === 'raw') return window;
  const bins = length >> 1;
  const row = new Float64Array(channels.length * bins);
  for (let c = 0; c < channels.length; c++) {
    let mean = 0;
    for (let t = 0; t < length; t++) mean += window[t * channels.length + c]! / length;
    for (let k = 1; k <= bins; k++) {
      let [re, im] = [0, 0];
      for (let t = 0; t < length; t++) {
        const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * (t + 0.5)) / length);
        const v = (window[t * channels.length + c]! - mean) * hann;
        const angle = (2 * Math.PI * k * t) / length;
        re += v * Math.cos(angle);
        im -= v * Math.sin(angle);
      }
      row[c * bins + k - 1] = (4 * Math.hypot(re, im)) / length;
    }
  }
  return row;
}

/**
 * The plan that rows with these names were made by, for a sensor of `channels` values per sample; names other than those of
 * `featureNames` (or none) are taken as raw samples.
 *
 * @param inputs numbers per row
 * @throws GoodnessError `features.channels` if the sensor does not fit
 */
export function planOf(names: readonly string[] | undefined, inputs: number, channels: number): FeaturePlan {
  const spectrum = names !== undefined && names.length === inputs && names.every((name) => /_bin\d+$/.test(name));
  const perChannel = inputs / channels;
  if (channels < 1 || !Number.isInteger(perChannel)) {
    throw new GoodnessError('features.channels', 'the sensor does not fit the model', {
      expected: `a number of values per sample that divides ${inputs}, the inputs of the model`,
      got: String(channels),
      fix: 'Use the sensor, the channels and the window that the model was trained with.',
    });
  }
  const unnamed = Array.from({ length: channels }, (_, c) => `c${c}`);
  return spectrum
    ? { kind: 'spectrum', channels: unnamed, length: 2 * perChannel }
    : { kind: 'raw', channels: unnamed, length: perChannel };
}
