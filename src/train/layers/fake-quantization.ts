/** One number for all layers, or one per layer; the last one also holds for layers above. */
export type PerLayer = number | readonly number[];

/** The number for a layer. */
export function ofLayer(values: PerLayer, layer: number): number {
  return typeof values === 'number' ? values : values[Math.min(layer, values.length - 1)]!;
}

/** How trained weights are rounded while training goes on. */
export interface FakeQuantization {
  /** Bits per weight, 2 to 8: whole numbers within +-(2^(bits - 1) - 1). */
  readonly bits: PerLayer;
  /** Value of one step, one per layer; found from the weights where it is left out. */
  readonly scales?: readonly number[];
}

/** Largest whole number that a weight of so many bits takes. */
export function quantizedLimit(bits: number): number {
  return 2 ** (bits - 1) - 1;
}

/**
 * The scale, among 40 from the largest weight downwards, whose rounding leaves the smallest squared error: few bits are
 * better spent on the many small weights than on the largest one.
 */
export function fittingScale(weights: Float32Array, bits: number): number {
  const limit = quantizedLimit(bits);
  let largest = 0;
  for (const w of weights) largest = Math.max(largest, Math.abs(w));
  if (largest === 0) return 1;
  let best = largest / limit;
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k < 40; k++) {
    const scale = ((largest / limit) * (40 - k)) / 40;
    let error = 0;
    for (const w of weights) {
      const q = Math.max(-limit, Math.min(limit, Math.round(w / scale)));
      error += (w - q * scale) ** 2;
    }
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

/** Weights as a device would hold them: rounded to whole steps, clamped, and multiplied by the scale again. */
export function fakeQuantize(weights: Float32Array, target: Float32Array, scale: number, bits: number): void {
  const limit = quantizedLimit(bits);
  const inverse = 1 / scale;
  for (let i = 0; i < weights.length; i++) {
    const q = Math.round(weights[i]! * inverse);
    target[i] = Math.max(-limit, Math.min(limit, q)) * scale;
  }
}
