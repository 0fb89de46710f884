import { GoodnessError } from '../base/errors.js';
import type { Dataset } from './dataset.js';

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
  const width = geometry.width / factor;
  const height = geometry.height / factor;
  const area = factor * factor;
  const half = Math.floor(area / 2);
  const inputs = new Uint8Array(data.count * width * height);
  let to = 0;
  for (let n = 0; n < data.count; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = half;
        let from = n * data.width + y * factor * geometry.width + x * factor;
        for (let dy = 0; dy < factor; dy++, from += geometry.width) {
          for (let dx = 0; dx < factor; dx++) sum += data.inputs[from + dx]!;
        }
        inputs[to++] = Math.floor(sum / area);
      }
    }
  }
  return { ...data, inputs, width: width * height, geometry: { width, height } };
}
