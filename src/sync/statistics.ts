import { GoodnessError } from '../base/errors.js';
import type { Dataset } from '../data/dataset.js';

/**
 * What a device tells about its inputs: sums over samples, never a sample. Values are bytes as the sensor delivered them,
 * before any preprocessing.
 */
export interface ClassStatistics {
  readonly classes: number;
  /** Inputs per sample, at the device's resolution. */
  readonly width: number;
  /** Samples seen of each class, (classes). */
  readonly count: Uint32Array;
  /** Mean byte, (classes, width); anything where the count is 0. */
  readonly mean: Float32Array;
  /** Mean squared byte, (classes, width). */
  readonly square: Float32Array;
}

/** The statistics of labelled samples, as a device that saw them all would send them (without its rounding). */
export function gatherStatistics(data: Dataset): ClassStatistics {
  const { width } = data;
  const classes = data.classes.length;
  const count = new Uint32Array(classes);
  const mean = new Float64Array(classes * width);
  const square = new Float64Array(classes * width);
  for (let i = 0; i < data.count; i++) {
    const c = data.labels[i]!;
    count[c]!++;
    const from = i * width;
    const to = c * width;
    for (let p = 0; p < width; p++) {
      const v = data.inputs[from + p]!;
      mean[to + p]! += v;
      square[to + p]! += v * v;
    }
  }
  for (let k = 0; k < mean.length; k++) {
    const n = Math.max(1, count[Math.floor(k / width)]!);
    mean[k]! /= n;
    square[k]! /= n;
  }
  return { classes, width, count, mean: Float32Array.from(mean), square: Float32Array.from(square) };
}

/** Statistics from what travels on the wire: means and deviations in bytes, (classes, width). */
export function statisticsOf(
  count: Uint32Array,
  mean: ArrayLike<number>,
  deviation: ArrayLike<number>,
): ClassStatistics {
  const classes = count.length;
  const statistics: ClassStatistics = {
    classes,
    width: Math.floor(mean.length / Math.max(1, classes)),
    count,
    mean: Float32Array.from(mean),
    square: Float32Array.from({ length: mean.length }, (_, k) => mean[k]! ** 2 + (deviation[k] ?? Number.NaN) ** 2),
  };
  checkStatistics(statistics);
  return statistics;
}

/**
 * Checks statistics that came from outside.
 * @throws GoodnessError statistics.shape, statistics.range, statistics.empty
 */
export function checkStatistics(s: ClassStatistics): void {
  const size = s.classes * s.width;
  if (s.count.length !== s.classes || size === 0 || s.mean.length !== size || s.square.length !== size) {
    throw new GoodnessError('statistics.shape', 'the statistics of the device have the wrong shape', {
      expected: `${s.classes} counts and ${s.classes} x ${s.width} means and squares`,
      got: `${s.count.length}, ${s.mean.length} and ${s.square.length}`,
    });
  }
  for (let c = 0; c < s.classes; c++) {
    if (s.count[c] === 0) continue;
    for (let k = c * s.width; k < (c + 1) * s.width; k++) {
      const m = s.mean[k]!;
      const q = s.square[k]!;
      if (m >= 0 && m <= 255 && q >= m * m - 1 && q <= 256 * 256) continue;
      throw new GoodnessError(
        'statistics.range',
        `the statistics of class ${c} are impossible at input ${k - c * s.width}`,
        {
          expected: 'a mean from 0 to 255, and a mean square not below its square',
          got: `${m} and ${q}`,
          fix: 'Reset the statistics of the device, and check that it and the host use the same format version.',
        },
      );
    }
  }
  if (s.count.every((n) => n === 0)) {
    throw new GoodnessError('statistics.empty', 'the device has not seen any sample yet', {
      expected: 'at least one labelled sample',
      fix: 'Let the device learn before it syncs.',
    });
  }
}

/** Variance of input `p` in class `c`, >= 0, in squared bytes. */
export function variance(s: ClassStatistics, c: number, p: number): number {
  const k = c * s.width + p;
  return Math.max(0, s.square[k]! - s.mean[k]! ** 2);
}

/** Squared error that sampling leaves in the means of class `c`, summed over the inputs: sum of variance / count. */
export function samplingNoise(s: ClassStatistics, c: number): number {
  const n = s.count[c]!;
  if (n === 0) return Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let p = 0; p < s.width; p++) sum += variance(s, c, p);
  return sum / n;
}

/**
 * Distance of two sets of class means in units of what sampling explains: 1 is as good as it gets, 4 is twice as far in every
 * input. Classes count by their number of samples; those that one side has not seen are left out.
 * @param model statistics of a data set that is meant to look like the device's
 */
export function misfit(model: ClassStatistics, device: ClassStatistics): number {
  let distance = 0;
  let noise = 0;
  for (let c = 0; c < device.classes; c++) {
    const n = device.count[c]!;
    const m = model.count[c] ?? 0;
    if (n === 0 || m === 0) continue;
    for (let p = 0, k = c * device.width; p < device.width; p++, k++) {
      distance += n * (device.mean[k]! - model.mean[k]!) ** 2;
      // The model's own means are known only as well as its samples allow.
      noise += variance(device, c, p) * (1 + n / m);
    }
  }
  return noise > 0 ? distance / noise : distance > 0 ? Number.POSITIVE_INFINITY : 0;
}
