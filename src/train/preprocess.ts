import type { Preprocessing } from './network.js';

/**
 * Bytes of samples to the bytes that the first layer sees (before length normalisation).
 * @param source (count, width)
 * @param target (count, stride): each sample's encoded bytes are written from column `column` on
 * @param count samples
 * @param width bytes per sample in `source`
 */
export function encode(
  preprocessing: Preprocessing,
  source: Uint8Array,
  target: Uint8Array,
  count: number,
  width: number,
  stride: number,
  column = 0,
): void {
  const complement = preprocessing.encoding === 'complement';
  for (let s = 0; s < count; s++) {
    const from = s * width;
    const to = s * stride + column;
    let low = 0;
    if (preprocessing.subtractMin) {
      low = 255;
      for (let i = 0; i < width && low > 0; i++) if (source[from + i]! < low) low = source[from + i]!;
    }
    if (low === 0) target.set(source.subarray(from, from + width), to);
    else for (let i = 0; i < width; i++) target[to + i] = source[from + i]! - low;
    if (complement) for (let i = 0; i < width; i++) target[to + width + i] = 255 - target[to + i]!;
  }
}

/** Factor that brings a vector of `inputs` values with the given sum of squares to mean square 1; 0 for all zeros. */
export function lengthFactor(sumOfSquares: number, inputs: number): number {
  return sumOfSquares > 0 ? Math.sqrt(inputs / sumOfSquares) : 0;
}
