import type { Dataset } from '../data/dataset.js';
import { labelGoodness, type Product, plainProduct } from './forward.js';
import { argmax } from './goodness/goodness.js';
import type { Network } from './network.js';

/** How well a network does on labelled samples, all in percent of the samples. */
export interface Evaluation {
  readonly count: number;
  /** Samples whose highest goodness is not that of their class. */
  readonly error: number;
  /** Samples whose own class lies below the summed threshold. */
  readonly falseReject: number;
  /** Samples of which any other class lies above the summed threshold. */
  readonly falseAccept: number;
}

/** Samples that go through the network at once. */
const PORTION = 250;

/**
 * Evaluates in floating point. The summed threshold is theta times the number of layers.
 * @param product how to multiply; in plain loops where left out
 */
export function evaluate(network: Network, dataset: Dataset, product: Product = plainProduct): Evaluation {
  const { classes } = network;
  const threshold = network.theta * network.layers.length;
  let wrong = 0;
  let rejected = 0;
  let accepted = 0;
  for (let from = 0; from < dataset.count; from += PORTION) {
    const count = Math.min(PORTION, dataset.count - from);
    const samples = dataset.inputs.subarray(from * dataset.width, (from + count) * dataset.width);
    const goodness = labelGoodness(network, samples, count, product);
    for (let s = 0; s < count; s++) {
      const truth = dataset.labels[from + s]!;
      if (argmax(goodness, s * classes, classes) !== truth) wrong++;
      if (goodness[s * classes + truth]! < threshold) rejected++;
      let rival = Number.NEGATIVE_INFINITY;
      for (let c = 0; c < classes; c++) if (c !== truth) rival = Math.max(rival, goodness[s * classes + c]!);
      if (rival >= threshold) accepted++;
    }
  }
  const percent = 100 / Math.max(1, dataset.count);
  return {
    count: dataset.count,
    error: wrong * percent,
    falseReject: rejected * percent,
    falseAccept: accepted * percent,
  };
}
