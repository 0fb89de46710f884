import type { Random } from '../base/random.js';
import { type ClassStatistics, variance } from './statistics.js';

/** How light becomes bytes: clamp(offset + gain x + noise z), z normal with deviation 1, for each pixel on its own. */
export interface Response {
  /** Below 0: inverted. */
  readonly gain: number;
  /** Bytes, at x = 0. */
  readonly offset: number;
  /** Deviation in bytes, before clamping. */
  readonly noise: number;
}

export const FAITHFUL: Response = { gain: 1, offset: 0, noise: 0 };

/** Mean and variance of what a response makes of each byte, (256). */
export interface ResponseTable {
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

export function isFaithful(r: Response): boolean {
  return r.gain === 1 && r.offset === 0 && r.noise === 0;
}

export function tabulate(response: Response): ResponseTable {
  const mean = new Float32Array(256);
  const variances = new Float32Array(256);
  for (let x = 0; x < 256; x++) {
    const m = clampedMoments(response.offset + response.gain * x, response.noise);
    mean[x] = m.mean;
    variances[x] = m.variance;
  }
  return { mean, variance: variances };
}

/** What the response makes of one byte, drawn at random. */
export function respond(response: Response, x: number, random: Random): number {
  const z = response.noise > 0 ? response.noise * random.normal() : 0;
  return Math.max(0, Math.min(255, Math.floor(response.offset + response.gain * x + z + 0.5)));
}

/** Mean and variance of a normal variable after clamping to 0 and 255. */
export function clampedMoments(mean: number, deviation: number): { mean: number; variance: number } {
  if (!(deviation > 0)) return { mean: Math.max(0, Math.min(255, mean)), variance: 0 };
  const a = -mean / deviation;
  const b = (255 - mean) / deviation;
  const [pa, pb] = [cumulative(a), cumulative(b)];
  const [da, db] = [density(a), density(b)];
  const inside = pb - pa;
  const first = mean * inside + deviation * (da - db) + 255 * (1 - pb);
  const second =
    (mean * mean + deviation * deviation) * inside +
    deviation * ((mean + 0) * da - (mean + 255) * db) +
    255 * 255 * (1 - pb);
  return { mean: first, variance: Math.max(0, second - first * first) };
}

/**
 * Offset and noise of the background, from the quietest inputs (those whose means differ least between classes): there the
 * host's images are empty, so that what the device sees is its own. Undefined where even those are busy on the host.
 * @param host statistics of host data at the device's resolution
 * @param pooled side of the square of pixels whose mean the device sees: noise shrinks by as much
 */
export function backgroundOf(
  host: ClassStatistics,
  device: ClassStatistics,
  pooled: number,
): { readonly offset: number; readonly noise: number } | undefined {
  const there = quietest(device);
  const here = quietest(host);
  if (here.mean > 8 || here.deviation > 12) return undefined;
  if (!there.even) return { offset: 0, noise: 0 };
  const deviation = Math.sqrt(Math.max(0, there.deviation ** 2 - here.deviation ** 2));
  // The rounding of a mean and a deviation to bytes looks like this much.
  if (deviation < 1.5) return { offset: Math.abs(there.mean - here.mean) < 1.5 ? 0 : there.mean - here.mean, noise: 0 };
  let best = { offset: 0, noise: 0 };
  let least = Number.POSITIVE_INFINITY;
  for (let offset = -120; offset <= 255; offset += 3) {
    for (let noise = 0; noise <= 160; noise += 2) {
      const m = clampedMoments(offset, noise);
      // A background of exactly 0 is by far the most usual one.
      const miss =
        (m.mean - there.mean) ** 2 +
        (Math.sqrt(m.variance) / pooled - deviation) ** 2 +
        (offset === 0 ? 0 : 1 + 0.02 * Math.abs(offset));
      if (miss < least) {
        least = miss;
        best = { offset, noise };
      }
    }
  }
  return best;
}

/**
 * Mean and deviation of the inputs that tell the classes apart least and move least. Noise is everywhere, so a few inputs are
 * enough, and of a device that sees large things only a few are quiet.
 */
function quietest(s: ClassStatistics): { readonly mean: number; readonly deviation: number; readonly even: boolean } {
  const rows: { busy: number; mean: number; variance: number }[] = [];
  for (let p = 0; p < s.width; p++) {
    let [n, sum, squares, inner] = [0, 0, 0, 0];
    for (let c = 0; c < s.classes; c++) {
      const count = s.count[c]!;
      if (count < 2) continue;
      const m = s.mean[c * s.width + p]!;
      n += count;
      sum += count * m;
      squares += count * m * m;
      inner += count * variance(s, c, p);
    }
    if (n === 0) return { mean: 0, deviation: 0, even: true };
    rows.push({ busy: squares / n - (sum / n) ** 2 + inner / n, mean: sum / n, variance: inner / n });
  }
  rows.sort((a, b) => a.busy - b.busy);
  const quiet = rows[Math.floor(rows.length / 50)]!;
  const middle = rows[Math.floor(rows.length / 20)]!;
  const further = rows[Math.floor(rows.length / 10)]!;
  const [low, high] = [Math.sqrt(quiet.variance), Math.sqrt(further.variance)];
  // Noise is the same everywhere; a deviation that grows quickly is the edge of what the device looks at.
  const even = low <= 2 || high <= 1.4 * low;
  const there = even ? middle : quiet;
  return { mean: there.mean, deviation: Math.sqrt(there.variance), even };
}

function density(x: number): number {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

/** Normal distribution function, Abramowitz and Stegun 7.1.26 (error below 1.5e-7). */
function cumulative(x: number): number {
  const u = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * u);
  const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const erf = 1 - tail * Math.exp(-u * u);
  return x < 0 ? (1 - erf) / 2 : (1 + erf) / 2;
}
