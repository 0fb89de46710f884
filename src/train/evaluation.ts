import type { Dataset } from '../data/dataset.js';
import { argmax } from './argmax.js';
import { labelGoodness, type Product, plainProduct } from './forward.js';
import { NORMAL } from './negatives/others.js';
import { type Network, type Readout, thresholdOf } from './network.js';
import { auroc } from './objectives/novelty.js';
import { readoutScores } from './objectives/readout.js';

/** How well a network does on labelled samples; rates are in percent of the samples. */
export interface Evaluation {
  readonly count: number;
  /**
   * Samples whose highest goodness (objective `unsupervised`: read-out) is not that of their class; of one-class networks normal samples
   * below the summed threshold and novel ones above it.
   */
  readonly error: number;
  /** Samples whose own class lies below the summed threshold; of one-class networks in percent of the normal samples. */
  readonly falseReject: number;
  /**
   * Samples of which any other class lies above the summed threshold; of one-class networks in percent of the novel samples. NaN
   * where goodness doesn't tell classes apart.
   */
  readonly falseAccept: number;
  /** Label in the input, with a read-out: samples whose read-out, in one pass with a neutral label, is not that of their class. */
  readonly readoutError?: number;
  /** One-class networks: chance in percent that a normal sample has more goodness than a novel one. */
  readonly auroc?: number;
}

export interface EvaluationOptions {
  /** How to multiply; in plain loops where left out. */
  readonly product?: Product;
  /** Summed threshold; that of training where left out. */
  readonly threshold?: number;
}

/** Samples that go through the network at once. */
const PORTION = 250;

/** Evaluates in floating point. The summed threshold is that of all layers that are scored. */
export function evaluate(network: Network, dataset: Dataset, options: EvaluationOptions = {}): Evaluation {
  const { product = plainProduct, threshold = summedThreshold(network) } = options;
  const { readout, objective } = network;
  const goodness = scores(network, dataset, (n, samples, count) => labelGoodness(n, samples, count, product));
  if (objective === 'one-class') return judgeNovelty(goodness, dataset.labels, threshold);
  if (readout === undefined) return judgeGoodness(network, goodness, dataset.labels, threshold);
  const read: Network & { readonly readout: Readout } = { ...network, readout };
  const logits = scores(read, dataset, (n, samples, count) => readoutScores(n, samples, count, product));
  const error = errorOf(logits, dataset.labels, network.classes);
  if (objective === 'label')
    return { ...judgeGoodness(network, goodness, dataset.labels, threshold), readoutError: error };
  const rejected = goodness.reduce((n, g) => n + (g < threshold ? 1 : 0), 0);
  return { count: dataset.count, error, falseReject: percent(rejected, dataset.count), falseAccept: Number.NaN };
}

/** The threshold of goodness summed over the layers that are scored. */
export function summedThreshold(network: Network): number {
  let sum = 0;
  for (let l = network.scoredFrom ?? 0; l < network.layers.length; l++) sum += thresholdOf(network, l);
  return sum;
}

/** Goodness of every sample of a data set, (count, classes), or (count) where it doesn't tell classes apart. */
export function goodnessOfAll(network: Network, dataset: Dataset, product: Product = plainProduct): Float32Array {
  return scores(network, dataset, (n, samples, count) => labelGoodness(n, samples, count, product));
}

function scores<N extends Network>(
  network: N,
  dataset: Dataset,
  pass: (network: N, samples: Uint8Array, count: number) => Float32Array,
): Float32Array {
  let all = new Float32Array(0);
  for (let from = 0; from < dataset.count; from += PORTION) {
    const count = Math.min(PORTION, dataset.count - from);
    const part = pass(network, dataset.inputs.subarray(from * dataset.width, (from + count) * dataset.width), count);
    const each = part.length / count;
    if (all.length === 0) all = new Float32Array(dataset.count * each);
    all.set(part, from * each);
  }
  return all;
}

function errorOf(values: Float32Array, labels: Uint8Array, classes: number): number {
  let wrong = 0;
  labels.forEach((truth, s) => {
    if (argmax(values, s * classes, classes) !== truth) wrong++;
  });
  return percent(wrong, labels.length);
}

function judgeGoodness(network: Network, goodness: Float32Array, labels: Uint8Array, threshold: number): Evaluation {
  const { classes } = network;
  let rejected = 0;
  let accepted = 0;
  labels.forEach((truth, s) => {
    if (goodness[s * classes + truth]! < threshold) rejected++;
    let rival = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) if (c !== truth) rival = Math.max(rival, goodness[s * classes + c]!);
    if (rival >= threshold) accepted++;
  });
  const count = labels.length;
  return {
    count,
    error: errorOf(goodness, labels, classes),
    falseReject: percent(rejected, count),
    falseAccept: percent(accepted, count),
  };
}

function judgeNovelty(goodness: Float32Array, labels: Uint8Array, threshold: number): Evaluation {
  const normal = goodness.filter((_, s) => labels[s] === NORMAL);
  const novel = goodness.filter((_, s) => labels[s] !== NORMAL);
  const rejected = normal.reduce((n, g) => n + (g < threshold ? 1 : 0), 0);
  const accepted = novel.reduce((n, g) => n + (g >= threshold ? 1 : 0), 0);
  return {
    count: labels.length,
    error: percent(rejected + accepted, labels.length),
    falseReject: percent(rejected, normal.length),
    falseAccept: percent(accepted, novel.length),
    auroc: 100 * auroc(normal, novel),
  };
}

function percent(n: number, of: number): number {
  return (100 * n) / Math.max(1, of);
}
