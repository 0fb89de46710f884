import { GoodnessError } from '../base/errors.js';
import { type WeightBits, weightLimit } from '../format/layout.js';
import { fittingScale } from '../train/layers/fake-quantization.js';

/**
 * How the value of one step is found: `fit` leaves the smallest squared error, `largest` clips no weight.
 */
export type ScaleRule = 'fit' | 'largest';

/** With 8 bits there are steps enough for the largest weight; with fewer, it would leave hardly any to all others. */
export function usualRule(bits: WeightBits): ScaleRule {
  return bits === 8 ? 'largest' : 'fit';
}

/** Float weights as whole numbers of steps. */
export interface QuantizedWeights {
  readonly weights: Int8Array;
  /** Weights beyond the largest step. */
  readonly clipped: number;
  /** Root mean square of what rounding and clipping changed, as a part of the weights' own root mean square. */
  readonly relativeError: number;
}

/** Value of one step, > 0. */
export function chooseScale(weights: Float32Array, rule: ScaleRule, bits: WeightBits = 8): number {
  if (rule === 'fit') return fittingScale(weights, bits);
  let largest = 0;
  for (const w of weights) largest = Math.max(largest, Math.abs(w));
  return largest === 0 ? 1 : largest / weightLimit(bits);
}

/** @throws GoodnessError `quantize.scale` */
export function quantizeWeights(weights: Float32Array, scale: number, bits: WeightBits = 8): QuantizedWeights {
  if (!(scale > 0) || !Number.isFinite(scale)) {
    throw new GoodnessError('quantize.scale', 'invalid weight scale', {
      expected: 'a number above 0',
      got: String(scale),
    });
  }
  const quantized = new Int8Array(weights.length);
  const limit = weightLimit(bits);
  let clipped = 0;
  let changed = 0;
  let whole = 0;
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i]!;
    const q = Math.round(w / scale);
    const held = Math.max(-limit, Math.min(limit, q));
    if (held !== q) clipped++;
    quantized[i] = held;
    changed += (w - held * scale) ** 2;
    whole += w * w;
  }
  return { weights: quantized, clipped, relativeError: whole === 0 ? 0 : Math.sqrt(changed / whole) };
}
