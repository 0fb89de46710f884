import type { Dataset, Geometry } from '../data/dataset.js';
import { type Appearance, AppearanceFilter } from './appearance.js';
import { coverage, type Pose, poseAffine, type Stance } from './pose.js';
import { type Response, tabulate } from './response.js';
import { type ClassStatistics, variance } from './statistics.js';

/**
 * Mean and mean square of each class as images that can be moved about: the mean of turned images is the turned mean. For a
 * device that pools, they are moments of the pooled image at every position of the full resolution. Channels 2c and 2c + 1
 * hold mean and mean square / 255 of class c, pixel by pixel, framed by background.
 */
export interface MomentImages {
  readonly geometry: Geometry;
  readonly channels: number;
  /** Pixels of frame on each side. */
  readonly frame: number;
  /** Place of the centre of a pooled square relative to its pixel here: 0, or 0.5 for squares of even size. */
  readonly centre: number;
  /** (height + 2 frame, width + 2 frame, channels) */
  readonly values: Float32Array;
  /** What lies outside of the images, (channels). */
  readonly fill: Float32Array;
}

/** Pixels of a device at which moments are compared, with what the device saw there. */
export interface MomentTarget {
  /** Position of each pixel in the host's full resolution. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** (pixels, channels) */
  readonly values: Float32Array;
  readonly channels: number;
  /** Weight of each channel: with these, the weighted squared distance is 1 where only sampling differs. */
  readonly weights: Float32Array;
}

/** Part that mean squares have in the distance, beside 1 for the means. */
const SQUARE_WEIGHT = 0.5;

/** Moments of the classes in `classes` over the samples of `data`. */
export function momentImages(
  data: Dataset,
  classes: readonly number[],
  pool: number,
  appearance: Appearance,
  response: Response,
): MomentImages {
  const { width, height } = data.geometry!;
  const channels = 2 * classes.length;
  const frame = pool + 1;
  const [wide, high] = [width + 2 * frame, height + 2 * frame];
  const table = tabulate(response);
  const filter = new AppearanceFilter(appearance, data.geometry!);
  const channelOf = new Int32Array(256).fill(-1);
  classes.forEach((c, k) => {
    channelOf[c] = 2 * k;
  });
  const sums = new Float64Array(wide * high * channels);
  const counts = new Uint32Array(channels);
  const mean = new Float32Array(wide * high).fill(table.mean[0]!);
  const noise = new Float32Array(wide * high).fill(table.variance[0]!);
  const means = new Float32Array(wide * high);
  const noises = new Float32Array(wide * high);
  const noisy = response.noise > 0;
  for (let i = 0; i < data.count; i++) {
    const k = channelOf[data.labels[i]!]!;
    if (k < 0) continue;
    counts[k]!++;
    const image = filter.apply(data.inputs.subarray(i * data.width, (i + 1) * data.width));
    for (let y = 0, p = 0; y < height; y++) {
      for (let x = 0, q = (y + frame) * wide + frame; x < width; x++, p++, q++) {
        mean[q] = table.mean[image[p]!]!;
        if (noisy) noise[q] = table.variance[image[p]!]!;
      }
    }
    boxMean(mean, means, wide, high, pool);
    if (noisy) boxMean(noise, noises, wide, high, pool);
    const share = noisy ? 1 / (pool * pool) : 0;
    for (let q = 0, at = k; q < means.length; q++, at += channels) {
      const m = means[q]!;
      sums[at]! += m;
      sums[at + 1]! += m * m + share * noises[q]!;
    }
  }
  const values = new Float32Array(sums.length);
  for (let at = 0; at < sums.length; at++) {
    const k = at % channels;
    values[at] = k % 2 === 0 ? sums[at]! / Math.max(1, counts[k]!) : sums[at]! / (255 * Math.max(1, counts[k - 1]!));
  }
  return {
    geometry: { width, height },
    channels,
    frame,
    centre: ((pool - 1) / 2) % 1,
    values,
    fill: values.slice(0, channels),
  };
}

/** `images` plus the difference of two others, pixel by pixel: what a small sample says about a change, on top of many. */
export function addDifference(images: MomentImages, after: MomentImages, before: MomentImages): MomentImages {
  const values = images.values.map((v, at) => Math.max(0, v + after.values[at]! - before.values[at]!));
  const fill = images.fill.map((v, k) => Math.max(0, v + after.fill[k]! - before.fill[k]!));
  return { ...images, values, fill };
}

/**
 * What the device saw, at every `stride`-th pixel both ways.
 * @param geometry of the host's images; the device's are smaller by `pool`
 */
export function momentTarget(
  device: ClassStatistics,
  classes: readonly number[],
  geometry: Geometry,
  pool: number,
  stride: number,
): MomentTarget {
  const wide = geometry.width / pool;
  const high = geometry.height / pool;
  const channels = 2 * classes.length;
  const [xs, ys, values]: number[][] = [[], [], []];
  const start = Math.floor(stride / 2);
  let noise = 0;
  for (let y = start; y < high; y += stride) {
    for (let x = start; x < wide; x += stride) {
      xs!.push(x * pool + (pool - 1) / 2);
      ys!.push(y * pool + (pool - 1) / 2);
      for (const c of classes) {
        const k = c * device.width + y * wide + x;
        values!.push(device.mean[k]!, device.square[k]! / 255);
        noise += variance(device, c, y * wide + x);
      }
    }
  }
  const scale = 1 / Math.max(1e-6, noise * (1 + SQUARE_WEIGHT));
  const weights = new Float32Array(channels);
  classes.forEach((c, k) => {
    weights[2 * k] = device.count[c]! * scale;
    weights[2 * k + 1] = device.count[c]! * scale * SQUARE_WEIGHT;
  });
  return {
    x: Float32Array.from(xs!),
    y: Float32Array.from(ys!),
    values: Float32Array.from(values!),
    channels,
    weights,
  };
}

/**
 * Moments that a device in this pose would see at the given positions, averaged over the stances.
 * @param out (positions, channels), overwritten
 */
export function predict(
  images: MomentImages,
  pose: Pose,
  stances: readonly Stance[],
  xs: Float32Array,
  ys: Float32Array,
  out: Float32Array,
): void {
  const { geometry, channels, frame, values } = images;
  const origin = frame - images.centre;
  const wide = geometry.width + 2 * frame;
  const [maxX, maxY] = [wide - 1.001, geometry.height + 2 * frame - 1.001];
  const [cx, cy] = [(geometry.width - 1) / 2, (geometry.height - 1) / 2];
  out.fill(0);
  for (const stance of stances) {
    const m = poseAffine(pose, stance, geometry.width);
    const share = 1 / stances.length;
    for (let p = 0; p < xs.length; p++) {
      const dx = xs[p]! - cx;
      const dy = ys[p]! - cy;
      let sx = m.a * dx + m.b * dy + cx + m.e + origin;
      let sy = m.c * dx + m.d * dy + cy + m.f + origin;
      sx = Math.max(0, Math.min(maxX, sx));
      sy = Math.max(0, Math.min(maxY, sy));
      const x0 = sx | 0;
      const y0 = sy | 0;
      const fx = sx - x0;
      const fy = sy - y0;
      const w11 = fx * fy * share;
      const w10 = fy * share - w11;
      const w01 = fx * share - w11;
      const w00 = share - w01 - w10 - w11;
      let a = (y0 * wide + x0) * channels;
      let b = a + wide * channels;
      const to = p * channels;
      for (let k = to; k < to + channels; k++, a++, b++) {
        out[k]! += w00 * values[a]! + w01 * values[a + channels]! + w10 * values[b]! + w11 * values[b + channels]!;
      }
    }
  }
  if (pose.hidden > 0) hide(images, pose.hidden, xs, ys, out);
}

/** Mixes in background by the chance that a hidden square lies over a place. */
function hide(images: MomentImages, hidden: number, xs: Float32Array, ys: Float32Array, out: Float32Array): void {
  const { geometry, channels, fill } = images;
  const size = hidden * geometry.width;
  for (let p = 0; p < xs.length; p++) {
    const seen = 1 - coverage(size, geometry.width, xs[p]!) * coverage(size, geometry.height, ys[p]!);
    for (let k = 0; k < channels; k++) {
      const at = p * channels + k;
      out[at] = fill[k]! + seen * (out[at]! - fill[k]!);
    }
  }
}

/**
 * Weighted squared distance between predicted and seen moments, with contrast changed by `gain` about the background.
 * @param predicted (positions, channels)
 */
export function distance(target: MomentTarget, predicted: Float32Array, fill: Float32Array, gain: number): number {
  const { channels, values, weights } = target;
  let sum = 0;
  for (let at = 0; at < values.length; at += channels) {
    for (let k = 0; k < channels; k += 2) {
      const f = fill[k]!;
      const m = predicted[at + k]!;
      const s = predicted[at + k + 1]!;
      const dm = f + gain * (m - f) - values[at + k]!;
      // E (f + g (x - f))^2 / 255, with s = E x^2 / 255.
      const q = (f * f + 2 * f * gain * (m - f)) / 255 + gain * gain * (s + (f * f - 2 * f * m) / 255);
      const ds = q - values[at + k + 1]!;
      sum += weights[k]! * dm * dm + weights[k + 1]! * ds * ds;
    }
  }
  return sum;
}

/** Mean over the square of `pool` x `pool` pixels that is centred at each pixel (between pixels where `pool` is even). */
function boxMean(from: Float32Array, to: Float32Array, wide: number, high: number, pool: number): void {
  if (pool === 1) {
    to.set(from);
    return;
  }
  const low = -Math.floor((pool - 1) / 2);
  const area = 1 / (pool * pool);
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      let sum = 0;
      for (let dy = low; dy < low + pool; dy++) {
        const yy = Math.max(0, Math.min(high - 1, y + dy));
        for (let dx = low; dx < low + pool; dx++) sum += from[yy * wide + Math.max(0, Math.min(wide - 1, x + dx))]!;
      }
      to[y * wide + x] = sum * area;
    }
  }
}
