import type { Random } from '../../base/random.js';
import type { Geometry } from '../../data/dataset.js';

/**
 * Hybrid images (Hinton 2022, section 3.2): two images joined along a mask of large blobs. They look right from near and
 * wrong from afar, so what tells them from real images is the shapes that a network should learn.
 */

/**
 * A mask of blobs: random bits, blurred several times with [1/4, 1/2, 1/4] both ways, then cut at 0.5.
 * @param blurs times: the more, the larger the blobs
 * @param mask (height * width), overwritten: 1 or 0
 * @param scratch two arrays of the same length
 */
export function blobMask(
  geometry: Geometry,
  blurs: number,
  random: Random,
  mask: Uint8Array,
  scratch: readonly [Float32Array, Float32Array],
): void {
  const [a, b] = scratch;
  const { width, height } = geometry;
  const size = width * height;
  for (let i = 0, bits = 0; i < size; i++, bits >>>= 1) {
    if ((i & 31) === 0) bits = random.uint32();
    a[i] = bits & 1;
  }
  for (let k = 0; k < blurs; k++) {
    for (let y = 0; y < height; y++) blurLine(a, b, y * width, 1, width);
    for (let x = 0; x < width; x++) blurLine(b, a, x, width, height);
  }
  for (let i = 0; i < size; i++) mask[i] = a[i]! > 0.5 ? 1 : 0;
}

/** One line of an image, blurred; what lies beyond an edge is as the edge. */
function blurLine(from: Float32Array, to: Float32Array, start: number, stride: number, count: number): void {
  const last = start + (count - 1) * stride;
  for (let i = start; i <= last; i += stride) {
    const before = from[i === start ? i : i - stride]!;
    const after = from[i === last ? i : i + stride]!;
    to[i] = 0.25 * (before + after) + 0.5 * from[i]!;
  }
}

/** Joins images along fresh masks. */
export class HybridMasks {
  private readonly geometry: Geometry;
  private readonly blurs: number;
  private readonly mask: Uint8Array;
  private readonly scratch: readonly [Float32Array, Float32Array];

  constructor(geometry: Geometry, blurs: number) {
    const size = geometry.width * geometry.height;
    this.geometry = geometry;
    this.blurs = blurs;
    this.mask = new Uint8Array(size);
    this.scratch = [new Float32Array(size), new Float32Array(size)];
  }

  /** target = mask * one + (1 - mask) * other, for a mask of its own. */
  join(one: Uint8Array, other: Uint8Array, target: Uint8Array, random: Random): void {
    const { mask } = this;
    blobMask(this.geometry, this.blurs, random, mask, this.scratch);
    for (let i = 0; i < mask.length; i++) target[i] = mask[i] === 1 ? one[i]! : other[i]!;
  }
}
