import type { Network } from '../network.js';

/** One number for all layers, or one per layer; the last one also holds for layers above. */
export type PerLayer = number | readonly number[];

/** The number for a layer. */
export function ofLayer(values: PerLayer, layer: number): number {
  return typeof values === 'number' ? values : values[Math.min(layer, values.length - 1)]!;
}

/**
 * How weights are rounded while they are trained: after epochs in floating point the scales are fixed, and the weights find places
 * on their grid. (From the first step on, scales have to follow the weights, and weights lose their places with every new scale.)
 */
export interface FakeQuantization {
  /** Bits per weight, 2 to 8: whole numbers within +-(2^(bits - 1) - 1). */
  readonly bits: PerLayer;
  /** Value of one step, one per layer; found from the weights where it is left out. */
  readonly scales?: readonly number[];
  /** Epochs with rounded weights, after those in floating point: as many as these where left out; 0: rounded from the first step on. */
  readonly epochs?: number;
  /** Highest learning rate with rounded weights (> 0). */
  readonly learningRate: number;
  /** Chances of inputs to be dropped with rounded weights, 0 to below 1. */
  readonly inputDropout: number;
  readonly dropout: number;
}

/** Rounded training of which only the parts that differ from the defaults are given: rate and dropout are those in floating point. */
export type PartialFakeQuantization = Pick<FakeQuantization, 'bits'> & Partial<FakeQuantization>;

/**
 * The scales that weights were trained with.
 * @param layers those of the trainer, or their kept states
 * @param bits that are wanted now
 * @returns undefined if they were not rounded in training, or to other bits
 */
export function trainedScales(
  quantization: FakeQuantization | undefined,
  layers: readonly { readonly scale: number }[],
  bits: PerLayer,
): readonly number[] | undefined {
  if (quantization === undefined || layers.length === 0) return undefined;
  const fits = layers.every(({ scale }, l) => scale > 0 && ofLayer(quantization.bits, l) === ofLayer(bits, l));
  return fits ? layers.map(({ scale }) => scale) : undefined;
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

/** A network with weights as a device would hold them. */
export function roundedNetwork(network: Network, scales: readonly number[], bits: PerLayer): Network {
  return {
    ...network,
    layers: network.layers.map((layer, index) => {
      const weights = new Float32Array(layer.weights.length);
      fakeQuantize(layer.weights, weights, scales[index]!, ofLayer(bits, index));
      return { ...layer, weights };
    }),
  };
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
