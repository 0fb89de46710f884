import type { Product } from './forward.js';
import { goodnessOf, MEAN_SQUARES } from './goodness/goodness.js';
import type { Layer, Network } from './network.js';
import { encode, lengthFactor } from './preprocess.js';

/**
 * Layers that also see the layer above (Hinton 2022, section 3.4). All move at once, several times: what a layer does next follows
 * from what its neighbours did before. A still image is a video in which nothing happens; the label stands above the top layer.
 */
export interface RecurrentConfig {
  /** Synchronous iterations after the first pass, which only goes upwards (>= 1). */
  readonly iterations: number;
  /** Part of its old activity that a neuron keeps in an iteration, 0 to below 1. */
  readonly damping: number;
  /** First and last iteration, from 1, whose goodness counts for the answer: its mean over them. */
  readonly scored: readonly [first: number, last: number];
  /** Frames of a sample, one after the other in its bytes; each is seen for an equal share of the iterations. */
  readonly frames: number;
}

/** A recurrent network. */
export type RecurrentNetwork = Network & { readonly recurrent: RecurrentConfig };

/** The frame that is seen in an iteration, both from 0. */
export function frameAt({ iterations, frames }: RecurrentConfig, iteration: number): number {
  return Math.min(frames - 1, Math.floor((iteration * frames) / iterations));
}

/**
 * One frame of encoded samples, each rescaled to mean square 1.
 * @param encoded (count, stride), the encoded sample from `column` on
 * @returns (count, encoded width / frames)
 */
export function frameInputs(
  { recurrent, preprocessing, width }: RecurrentNetwork,
  encoded: Uint8Array,
  count: number,
  stride: number,
  column: number,
  frame: number,
): Float32Array {
  const each = width / recurrent.frames;
  const parts = preprocessing.encoding === 'complement' ? 2 : 1;
  const x = new Float32Array(count * each * parts);
  for (let r = 0, to = 0; r < count; r++) {
    for (let part = 0; part < parts; part++, to += each) {
      const from = r * stride + column + part * width + frame * each;
      for (let i = 0; i < each; i++) x[to + i] = encoded[from + i]!;
    }
  }
  rescale(x, count);
  return x;
}

/** Brings each row to mean square 1, in place; silent rows stay as they are. */
export function rescale(x: Float32Array, rows: number): void {
  const size = x.length / rows;
  for (let r = 0; r < rows; r++) {
    let squares = 0;
    for (let i = r * size; i < (r + 1) * size; i++) squares += x[i]! * x[i]!;
    const factor = lengthFactor(squares, size);
    for (let i = r * size; i < (r + 1) * size; i++) x[i] = x[i]! * factor;
  }
}

/**
 * Activities of all layers after the first pass, in which nothing is seen from above.
 * @param samples (count, width) bytes
 * @returns (count, outputs) for each layer
 */
export function firstPass(
  network: RecurrentNetwork,
  samples: Uint8Array,
  count: number,
  product: Product,
): Float32Array[] {
  const pass = new Passes(network, samples, count, product);
  return pass.begin();
}

/**
 * Goodness of every class, mean over the iterations that are scored, summed over the layers that are.
 * @param samples (count, width) bytes
 * @returns (count, classes)
 */
export function recurrentGoodness(
  network: RecurrentNetwork,
  samples: Uint8Array,
  count: number,
  product: Product,
): Float32Array {
  const { recurrent, classes, layers, scoredFrom = 0 } = network;
  const [first, last] = recurrent.scored;
  const { measure } = goodnessOf(network.goodness ?? MEAN_SQUARES);
  const pass = new Passes(network, samples, count, product);
  const rows = count * classes;
  let states = pass.begin().map((y) => repeated(y, count, classes));
  const total = new Float32Array(rows);
  const goodness = new Float32Array(rows);
  for (let iteration = 0; iteration < last; iteration++) {
    states = pass.iterate(states, iteration);
    if (iteration + 1 < first) continue;
    for (let l = scoredFrom; l < layers.length; l++) {
      measure(states[l]!, goodness, rows, layers[l]!.outputs, 1);
      for (let r = 0; r < rows; r++) total[r] = total[r]! + goodness[r]! / (last - first + 1);
    }
  }
  return total;
}

/** The passes of a network over samples with each label; the sample's part of the lowest layer is the same for all labels. */
class Passes {
  private readonly network: RecurrentNetwork;
  private readonly count: number;
  private readonly product: Product;
  private readonly encoded: Uint8Array;
  private readonly parts: readonly { readonly below: Layer; readonly above: Layer }[];
  private frame = -1;
  /** What the lowest layer makes of the frame, (count, outputs), and which samples show it something. */
  private seen: { readonly z: Float32Array; readonly live: Uint8Array } = {
    z: new Float32Array(0),
    live: new Uint8Array(0),
  };

  constructor(network: RecurrentNetwork, samples: Uint8Array, count: number, product: Product) {
    const { width, preprocessing, layers, classes } = network;
    const stride = preprocessing.encoding === 'complement' ? 2 * width : width;
    this.network = network;
    this.count = count;
    this.product = product;
    this.encoded = new Uint8Array(count * stride);
    encode(preprocessing, samples, this.encoded, count, width, stride);
    this.parts = layers.map(({ inputs, outputs, weights }, l) => {
      const above = layers[l + 1]?.outputs ?? classes;
      const below = inputs - above;
      return {
        below: { inputs: below, outputs, weights: weights.subarray(0, below * outputs) },
        above: { inputs: above, outputs, weights: weights.subarray(below * outputs) },
      };
    });
  }

  begin(): Float32Array[] {
    this.look(0);
    let { z } = this.seen;
    return this.parts.map(({ below, above }, l) => {
      if (l > 0) z = this.product(below, z, this.count);
      const stretch = Math.sqrt((below.inputs + above.inputs) / below.inputs);
      const y = z.map((v) => (v > 0 ? v * stretch : 0));
      z = y.slice();
      rescale(z, this.count);
      return y;
    });
  }

  /** @param states (count * classes, outputs) each, all labels of a sample side by side */
  iterate(states: readonly Float32Array[], iteration: number): Float32Array[] {
    const { network, count, product, parts } = this;
    const { classes, recurrent } = network;
    const rows = count * classes;
    this.look(frameAt(recurrent, iteration));
    const inputs = states.map((y) => {
      const x = y.slice();
      rescale(x, rows);
      return x;
    });
    return states.map((before, l) => {
      const { below, above } = parts[l]!;
      const { outputs } = below;
      const z = l === 0 ? repeated(this.seen.z, count, classes) : product(below, inputs[l - 1]!, rows);
      const high = inputs[l + 1];
      if (high === undefined) addLabels(z, above, classes);
      else {
        const from = product(above, high, rows);
        for (let k = 0; k < z.length; k++) z[k] = z[k]! + from[k]!;
      }
      for (let r = 0, at = 0; r < rows; r++) {
        const low = l === 0 ? this.seen.live[Math.floor(r / classes)] === 1 : isLive(inputs[l - 1]!, r, below.inputs);
        const live =
          (low ? below.inputs : 0) + (high === undefined || isLive(high, r, above.inputs) ? above.inputs : 0);
        const factor = live > 0 ? (1 - recurrent.damping) * Math.sqrt((below.inputs + above.inputs) / live) : 0;
        for (let j = 0; j < outputs; j++, at++)
          z[at] = recurrent.damping * before[at]! + (z[at]! > 0 ? factor * z[at]! : 0);
      }
      return z;
    });
  }

  private look(frame: number): void {
    if (this.frame === frame) return;
    this.frame = frame;
    const { count, encoded } = this;
    const x = frameInputs(this.network, encoded, count, encoded.length / count, 0, frame);
    const size = x.length / count;
    const live = Uint8Array.from({ length: count }, (_, r) => (isLive(x, r, size) ? 1 : 0));
    this.seen = { z: this.product(this.parts[0]!.below, x, count), live };
  }
}

/** Adds what a label alone, at mean square 1, does to each of the rows: all labels of a sample lie side by side. */
function addLabels(z: Float32Array, { outputs, weights }: Layer, classes: number): void {
  const value = Math.sqrt(classes);
  for (let r = 0, at = 0; at < z.length; r++) {
    const from = (r % classes) * outputs;
    for (let j = 0; j < outputs; j++, at++) z[at] = z[at]! + value * weights[from + j]!;
  }
}

function isLive(x: Float32Array, row: number, size: number): boolean {
  for (let i = row * size; i < (row + 1) * size; i++) if (x[i] !== 0) return true;
  return false;
}

/** Each of the rows several times, side by side. */
function repeated(x: Float32Array, rows: number, times: number): Float32Array {
  const size = x.length / rows;
  const all = new Float32Array(x.length * times);
  for (let r = 0, to = 0; r < rows; r++) {
    for (let k = 0; k < times; k++, to += size) all.set(x.subarray(r * size, (r + 1) * size), to);
  }
  return all;
}
