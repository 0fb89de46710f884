import { GoodnessError } from '../base/errors.js';
import type { Scaling } from './dataset.js';

/**
 * Scaling that maps the smallest value of each column to byte 0 and the largest to byte 255. A column that never changes
 * gets byte 0 and step 1, so that it neither divides by zero nor blows up its rounding noise.
 * @param values (rows, width), finite
 * @param headroom part of the range that is left free at each end (>= 0), for values that lie outside later
 */
export function fitScaling(values: Float64Array | Float32Array, width: number, headroom = 0): Scaling {
  const rows = values.length / width;
  const offset = new Float32Array(width);
  const step = new Float32Array(width);
  for (let j = 0; j < width; j++) {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < rows; i++) {
      const v = values[i * width + j]!;
      if (v < low) low = v;
      if (v > high) high = v;
    }
    const range = high - low;
    // Below this the float32 of the offset could not tell the two ends apart.
    const constant = !(range > Math.max(Math.abs(low), Math.abs(high)) * 1e-6);
    offset[j] = constant ? low : low - headroom * range;
    step[j] = constant ? 1 : (range * (1 + 2 * headroom)) / 255;
    if (!(step[j]! > 0)) step[j] = 1;
  }
  return { offset, step };
}

/** Values as bytes by an existing scaling: rounded to nearest (halves up), clamped to 0 and 255. Shape (rows, width) stays. */
export function encodeValues(values: Float64Array | Float32Array, width: number, scaling: Scaling): Uint8Array {
  checkScaling(scaling, width);
  const bytes = new Uint8Array(values.length);
  const one = scaling.offset.length === 1;
  for (let k = 0; k < values.length; k++) {
    const j = one ? 0 : k % width;
    const b = Math.floor((values[k]! - scaling.offset[j]!) / scaling.step[j]! + 0.5);
    bytes[k] = Math.max(0, Math.min(255, b));
  }
  return bytes;
}

/** @throws GoodnessError scaling.width, scaling.step */
export function checkScaling(scaling: Scaling, width: number): void {
  const n = scaling.offset.length;
  if (n !== scaling.step.length || (n !== 1 && n !== width)) {
    throw new GoodnessError('scaling.width', 'the scaling does not fit the inputs', {
      expected: `1 or ${width} offsets and steps`,
      got: `${n} and ${scaling.step.length}`,
    });
  }
  for (let j = 0; j < n; j++) {
    if (!(scaling.step[j]! > 0) || !Number.isFinite(scaling.step[j]! + scaling.offset[j]!)) {
      throw new GoodnessError('scaling.step', `the scaling of input ${j} is unusable`, {
        expected: 'a finite offset and a step above 0',
        got: `${scaling.offset[j]} and ${scaling.step[j]}`,
      });
    }
  }
}
