import { GoodnessError } from '../base/errors.js';
import type { Dataset, Geometry } from './dataset.js';

/**
 * Images made smaller by the mean over squares of `factor` x `factor` pixels, rounded to nearest (halves up):
 * floor((sum + factor^2 / 2) / factor^2). Factor 1 returns the data as they are.
 * @throws GoodnessError pool.geometry where there is no image or its sides are no multiples of the factor
 */
export function pool(data: Dataset, factor: number): Dataset {
  if (factor === 1) return data;
  const geometry = data.geometry;
  if (geometry === undefined) {
    throw new GoodnessError('pool.geometry', `${data.name} has no image geometry, so it can't be pooled`);
  }
  if (!Number.isInteger(factor) || factor < 1 || geometry.width % factor !== 0 || geometry.height % factor !== 0) {
    throw new GoodnessError('pool.geometry', 'the image can not be divided into squares', {
      expected: `a factor that divides ${geometry.width} x ${geometry.height}`,
      got: String(factor),
    });
  }
  const inputs = new Uint8Array(data.inputs.length / factor ** 2);
  poolRows(data.inputs, data.count, geometry, factor, inputs);
  const [width, height] = [geometry.width / factor, geometry.height / factor];
  return { ...data, inputs, width: width * height, geometry: { width, height } };
}

/**
 * The same for bare rows.
 * @param from (count, geometry's width * height)
 * @param to (count, as many / factor^2); may be `from` itself: no byte is overwritten before it is read
 */
export function poolRows(from: Uint8Array, count: number, geometry: Geometry, factor: number, to: Uint8Array): void {
  const width = geometry.width / factor;
  const height = geometry.height / factor;
  const area = factor * factor;
  const half = Math.floor(area / 2);
  let next = 0;
  for (let n = 0; n < count; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = half;
        let at = (n * height + y) * factor * geometry.width + x * factor;
        for (let dy = 0; dy < factor; dy++, at += geometry.width) {
          for (let dx = 0; dx < factor; dx++) sum += from[at + dx]!;
        }
        to[next++] = Math.floor(sum / area);
      }
    }
  }
}
