import type { Random } from '../base/random.js';
import type { Geometry } from './dataset.js';
import type { SamplingMap } from './raster.js';

/**
 * A smooth random distortion without any affine part: displacements come from a coarse grid of random arrows, interpolated
 * by smooth weights, from which the best affine fit is taken away, scaled to `amplitude` pixels (root mean square).
 */
export function smoothWarp(geometry: Geometry, amplitude: number, random: Random): SamplingMap {
  const { width, height } = geometry;
  const x = displacement(geometry, amplitude, random);
  const y = displacement(geometry, amplitude, random);
  for (let k = 0; k < width * height; k++) {
    x[k] = x[k]! + (k % width);
    y[k] = y[k]! + Math.floor(k / width);
  }
  return { x, y };
}

/** Knots of the coarse grid along each side: low enough to stay smooth, high enough to have more than an affine part. */
const KNOTS = 4;

function displacement({ width, height }: Geometry, amplitude: number, random: Random): Float32Array {
  const knots = Float32Array.from({ length: KNOTS * KNOTS }, () => random.normal());
  const n = width * height;
  const field = new Float32Array(n);
  for (let k = 0; k < n; k++) {
    const u = ((k % width) / Math.max(1, width - 1)) * (KNOTS - 1);
    const v = (Math.floor(k / width) / Math.max(1, height - 1)) * (KNOTS - 1);
    let sum = 0;
    let weights = 0;
    for (let j = 0; j < KNOTS * KNOTS; j++) {
      const du = u - (j % KNOTS);
      const dv = v - Math.floor(j / KNOTS);
      const w = Math.exp(-(du * du + dv * dv));
      sum += w * knots[j]!;
      weights += w;
    }
    field[k] = sum / weights;
  }
  removeAffine(field, width, height);
  let square = 0;
  for (let k = 0; k < n; k++) square += field[k]! ** 2;
  const scale = amplitude / Math.sqrt(square / n || 1);
  for (let k = 0; k < n; k++) field[k] = field[k]! * scale;
  return field;
}

/** Takes away the least-squares fit by 1, x and y, which are orthogonal on a centred grid. */
function removeAffine(field: Float32Array, width: number, height: number): void {
  const n = width * height;
  const sums = { one: 0, x: 0, y: 0, xx: 0, yy: 0 };
  for (let k = 0; k < n; k++) {
    const px = (k % width) - (width - 1) / 2;
    const py = Math.floor(k / width) - (height - 1) / 2;
    sums.one += field[k]!;
    sums.x += field[k]! * px;
    sums.y += field[k]! * py;
    sums.xx += px * px;
    sums.yy += py * py;
  }
  for (let k = 0; k < n; k++) {
    const px = (k % width) - (width - 1) / 2;
    const py = Math.floor(k / width) - (height - 1) / 2;
    field[k] = field[k]! - sums.one / n - (sums.x / (sums.xx || 1)) * px - (sums.y / (sums.yy || 1)) * py;
  }
}
