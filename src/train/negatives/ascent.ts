import type { Random } from '../../base/random.js';
import { type Product, plainProduct } from '../forward.js';
import { goodnessOf, MEAN_SQUARES } from '../goodness/goodness.js';
import { goodnessUnit, groupCount, type Layer, type Network } from '../network.js';
import { lengthFactor } from '../preprocess.js';

/**
 * Samples that the network itself finds good: inputs moved up the slope of its goodness, with noise, from where real samples
 * are. What it then is to find bad is where it had too high an opinion (as in contrastive divergence: Hinton 2002). This is the
 * only place where a slope crosses layers, and nothing is learned from it.
 */
export interface AscentConfig {
  readonly steps: number;
  /** Length of a step as a part of the sample's own length (> 0). */
  readonly size: number;
  /** Length of the noise of a step, likewise; 0 is none. */
  readonly noise: number;
}

/**
 * Moves inputs up the slope of the goodness per neuron, summed over groups and layers.
 * @param inputs (rows, inputs of the first layer) bytes, changed in place
 * @param from first input that may move: labels before it stay
 */
export function ascend(
  network: Network,
  config: AscentConfig,
  inputs: Uint8Array,
  rows: number,
  random: Random,
  product: Product = plainProduct,
  from = 0,
): void {
  const width = network.layers[0]!.inputs;
  // A value and its complement move as one.
  const half = network.preprocessing.encoding === 'complement' ? (width - from) / 2 : 0;
  const end = half > 0 ? from + half : width;
  const x = Float32Array.from(inputs.subarray(0, rows * width));
  const slopes = new GoodnessSlopes(network, product);
  for (let step = 0; step < config.steps; step++) {
    const slope = slopes.over(x, rows);
    for (let r = 0; r < rows; r++) {
      const at = r * width;
      if (half > 0) for (let i = at + from; i < at + end; i++) slope[i] = slope[i]! - slope[i + half]!;
      const length = Math.sqrt(squares(x, at + from, at + width));
      const steepness = Math.sqrt(squares(slope, at + from, at + end));
      const stride = steepness > 0 ? (config.size * length) / steepness : 0;
      const noise = (config.noise * length) / Math.sqrt(end - from);
      for (let i = at + from; i < at + end; i++) {
        const moved = x[i]! + stride * slope[i]! + (noise > 0 ? noise * random.normal() : 0);
        x[i] = Math.max(0, Math.min(255, moved));
        if (half > 0) x[i + half] = 255 - x[i]!;
      }
    }
  }
  for (let k = 0; k < rows * width; k++) inputs[k] = Math.round(x[k]!);
}

/** Slopes of a network's goodness per neuron, summed over groups and layers, over its inputs before normalisation. */
export class GoodnessSlopes {
  private readonly network: Network;
  private readonly product: Product;
  /** Each layer the other way round: from its outputs to its inputs. */
  private readonly back: readonly Layer[];

  constructor(network: Network, product: Product = plainProduct) {
    this.network = network;
    this.product = product;
    this.back = network.layers.map(transposed);
  }

  /**
   * @param x (rows, inputs of the first layer)
   * @returns the same shape
   */
  over(x: Float32Array, rows: number): Float32Array {
    const { network, product } = this;
    const goodness = goodnessOf(network.goodness ?? MEAN_SQUARES);
    const groups = groupCount(network);
    const passes: { readonly input: Float32Array; readonly factors: Float32Array; readonly y: Float32Array }[] = [];
    let below = x;
    for (const layer of network.layers) {
      const { input, factors } = normalised(below, rows, layer.inputs);
      const y = product(layer, input, rows);
      for (let k = 0; k < y.length; k++) if (!(y[k]! > 0)) y[k] = 0;
      passes.push({ input, factors, y });
      below = y;
    }
    let above: Float32Array | undefined;
    for (let l = passes.length - 1; l >= 0; l--) {
      const { input, factors, y } = passes[l]!;
      const { inputs, outputs } = network.layers[l]!;
      const own = y.slice();
      const slopes = new Float32Array(rows * groups).fill(1 / goodnessUnit(network, l));
      goodness.backward(own, slopes, rows, outputs, groups);
      if (above !== undefined) for (let k = 0; k < own.length; k++) if (y[k]! > 0) own[k] = own[k]! + above[k]!;
      above = product(this.back[l]!, own, rows);
      // What only changes the length of an input does nothing.
      for (let r = 0; r < rows; r++) {
        const at = r * inputs;
        let along = 0;
        for (let i = at; i < at + inputs; i++) along += above[i]! * input[i]!;
        const share = along / inputs;
        for (let i = at; i < at + inputs; i++) above[i] = factors[r]! * (above[i]! - share * input[i]!);
      }
    }
    return above!;
  }
}

function normalised(x: Float32Array, rows: number, inputs: number): { input: Float32Array; factors: Float32Array } {
  const input = new Float32Array(rows * inputs);
  const factors = new Float32Array(rows);
  for (let r = 0; r < rows; r++) {
    const factor = lengthFactor(squares(x, r * inputs, (r + 1) * inputs), inputs);
    factors[r] = factor;
    for (let i = r * inputs; i < (r + 1) * inputs; i++) input[i] = x[i]! * factor;
  }
  return { input, factors };
}

function transposed({ inputs, outputs, weights }: Layer): Layer {
  const turned = new Float32Array(weights.length);
  for (let i = 0; i < inputs; i++) for (let j = 0; j < outputs; j++) turned[j * inputs + i] = weights[i * outputs + j]!;
  return { inputs: outputs, outputs: inputs, weights: turned };
}

function squares(x: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += x[i]! * x[i]!;
  return sum;
}
