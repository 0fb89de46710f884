import type { Geometry } from './dataset.js';

/** Where each pixel of an output image is read from in the input image: positions in pixels, (height * width). */
export interface SamplingMap {
  readonly x: Float32Array;
  readonly y: Float32Array;
}

/** Rows of a 2 x 3 matrix: source = [a b; c d] (p - centre) + centre + (e, f). */
export interface Affine {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
  readonly f: number;
}

export const IDENTITY: Affine = { a: 1, b: 0, c: 0, d: 1, e: 0, f: 0 };

/** The sampling of an image turned by `degrees` about its centre, anticlockwise as seen on a screen. */
export function rotation(degrees: number): Affine {
  const r = (degrees * Math.PI) / 180;
  return { a: Math.cos(r), b: -Math.sin(r), c: Math.sin(r), d: Math.cos(r), e: 0, f: 0 };
}

/** Reads through `second`, then through `first`: the result of applying `first` to an image and then `second` to that. */
export function compose(first: Affine, second: Affine): Affine {
  return {
    a: first.a * second.a + first.b * second.c,
    b: first.a * second.b + first.b * second.d,
    c: first.c * second.a + first.d * second.c,
    d: first.c * second.b + first.d * second.d,
    e: first.a * second.e + first.b * second.f + first.e,
    f: first.c * second.e + first.d * second.f + first.f,
  };
}

/** The sampling positions of an affine map about the centre of the image. */
export function affineMap(m: Affine, { width, height }: Geometry, map?: SamplingMap): SamplingMap {
  const n = width * height;
  const out = map ?? { x: new Float32Array(n), y: new Float32Array(n) };
  const cx = (width - 1) / 2;
  const cy = (height - 1) / 2;
  for (let y = 0, k = 0; y < height; y++) {
    for (let x = 0; x < width; x++, k++) {
      out.x[k] = m.a * (x - cx) + m.b * (y - cy) + cx + m.e;
      out.y[k] = m.c * (x - cx) + m.d * (y - cy) + cy + m.f;
    }
  }
  return out;
}

/**
 * Bilinear resampling: `to[k]` is `from` at the position k of the map; 0 outside of the image. Rounding is left to the type
 * of `to` plus `bias` (0.5 for bytes, 0 for floats).
 */
export function resample(
  from: Uint8Array | Float32Array,
  { width, height }: Geometry,
  map: SamplingMap,
  to: Uint8Array | Float32Array,
  bias: number,
): void {
  const n = width * height;
  for (let k = 0; k < n; k++) {
    const sx = map.x[k]!;
    const sy = map.y[k]!;
    if (!(sx > -1 && sy > -1 && sx < width && sy < height)) {
      to[k] = 0;
      continue;
    }
    const x0 = Math.floor(sx);
    const y0 = Math.floor(sy);
    const fx = sx - x0;
    const fy = sy - y0;
    const at = y0 * width + x0;
    const left = x0 >= 0;
    const right = x0 + 1 < width;
    let v = 0;
    if (y0 >= 0) v += (1 - fy) * ((left ? (1 - fx) * from[at]! : 0) + (right ? fx * from[at + 1]! : 0));
    if (y0 + 1 < height) {
      v += fy * ((left ? (1 - fx) * from[at + width]! : 0) + (right ? fx * from[at + width + 1]! : 0));
    }
    to[k] = v + bias;
  }
}

/** Grey dilation (`grow`, the maximum) or erosion (the minimum) over 3 x 3 pixels; the border takes what lies inside. */
export function morph(from: Uint8Array, { width, height }: Geometry, grow: boolean, to: Uint8Array): void {
  for (let y = 0; y < height; y++) {
    const top = Math.max(0, y - 1);
    const bottom = Math.min(height - 1, y + 1);
    for (let x = 0; x < width; x++) {
      const left = Math.max(0, x - 1);
      const right = Math.min(width - 1, x + 1);
      let v = from[y * width + x]!;
      for (let yy = top; yy <= bottom; yy++) {
        for (let k = yy * width + left; k <= yy * width + right; k++) {
          const w = from[k]!;
          if (grow ? w > v : w < v) v = w;
        }
      }
      to[y * width + x] = v;
    }
  }
}

/** One pass of the binomial filter [1 2 1] / 4 both ways, 0 outside. `scratch` has the size of the image. */
export function blur(from: Uint8Array, { width, height }: Geometry, to: Uint8Array, scratch: Float32Array): void {
  const n = width * height;
  for (let k = 0; k < n; k++) {
    const x = k % width;
    scratch[k] = 2 * from[k]! + (x > 0 ? from[k - 1]! : 0) + (x < width - 1 ? from[k + 1]! : 0);
  }
  for (let k = 0; k < n; k++) {
    const above = k >= width ? scratch[k - width]! : 0;
    const below = k + width < n ? scratch[k + width]! : 0;
    to[k] = (2 * scratch[k]! + above + below + 8) / 16;
  }
}
