import type { Random } from '../base/random.js';
import type { Geometry } from '../data/dataset.js';

/** Random changes of training samples that leave their class alone. */
export interface Augmentation {
  /** Images: moved by up to this many pixels both ways; pixels of the edge are repeated. 0 is off. */
  readonly shift: number;
  /** Vectors: deviation, in byte steps, of normal noise on every input. 0 is off. */
  readonly jitter: number;
}

/**
 * Copies samples with random changes.
 * @param source (count, width)
 * @param target (count, width), overwritten
 * @param geometry needed for shifts; without it they are left out
 */
export function augment(
  augmentation: Augmentation,
  geometry: Geometry | undefined,
  source: Uint8Array,
  target: Uint8Array,
  count: number,
  width: number,
  random: Random,
): void {
  const reach = augmentation.shift;
  if (geometry !== undefined && reach > 0) {
    for (let s = 0; s < count; s++) {
      const dx = random.integer(2 * reach + 1) - reach;
      const dy = random.integer(2 * reach + 1) - reach;
      shiftImage(source, s * width, target, s * width, geometry, dx, dy);
    }
  } else {
    target.set(source.subarray(0, count * width));
  }
  if (augmentation.jitter > 0) {
    for (let i = 0; i < count * width; i++) {
      target[i] = Math.max(0, Math.min(255, Math.round(target[i]! + augmentation.jitter * random.normal())));
    }
  }
}

/** Copies one image, moved right by `dx` and down by `dy` pixels; what comes in repeats the edge. */
export function shiftImage(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  to: number,
  geometry: Geometry,
  dx: number,
  dy: number,
): void {
  const { width, height } = geometry;
  const size = width * height;
  const x = Math.max(-width, Math.min(width, dx));
  const y = Math.max(-height, Math.min(height, dy));
  // The whole image moves at once; then the edges are put right, columns first, so that repeated rows repeat them too.
  const offset = Math.max(-size, Math.min(size, y * width + x));
  if (offset >= 0) target.set(source.subarray(from, from + size - offset), to + offset);
  else target.set(source.subarray(from - offset, from + size), to);
  const top = Math.max(0, y);
  const bottom = Math.min(height, height + y);
  if (x !== 0) {
    for (let row = top; row < bottom; row++) {
      const out = to + row * width;
      const line = from + (row - y) * width;
      const edge = x > 0 ? source[line]! : source[line + width - 1]!;
      const begin = x > 0 ? out : out + width + x;
      // A call of `fill` takes longer than the pixel or two that it usually has to do.
      for (let k = begin; k < begin + Math.abs(x); k++) target[k] = edge;
    }
  }
  if (bottom <= top) {
    const row = from + (y > 0 ? 0 : size - width);
    const edge = new Uint8Array(width);
    for (let k = 0; k < width; k++) edge[k] = source[row + Math.max(0, Math.min(width - 1, k - x))]!;
    for (let line = 0; line < height; line++) target.set(edge, to + line * width);
    return;
  }
  for (let row = 0; row < top; row++) target.copyWithin(to + row * width, to + top * width, to + (top + 1) * width);
  for (let row = bottom; row < height; row++) {
    target.copyWithin(to + row * width, to + (bottom - 1) * width, to + bottom * width);
  }
}
