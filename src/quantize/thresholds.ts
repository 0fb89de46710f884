import { GoodnessError } from '../base/errors.js';

/**
 * How class thresholds are found.
 * - `balanced`: as many samples of the class below its threshold as samples of other classes above it.
 * - `theta`: the sum of the layers' thetas for every class, as training aimed at.
 * - `falseReject`: this part (0 to below 1) of a class's own samples lies below its threshold.
 */
export type ThresholdRule = 'balanced' | 'theta' | { readonly falseReject: number };

/** Samples of a class, its own or others, below which a threshold of its own would rest on chance. */
const FEW = 5;

/**
 * Thresholds per class from the scores of labelled samples, as integers that the device will see. A class of which there
 * are hardly any samples gets the threshold of all classes together, and without any samples that of training.
 * @param scores (count, classes)
 * @param labels (count)
 * @param theta score at the threshold of training
 * @throws GoodnessError `quantize.thresholds`
 */
export function calibrateThresholds(
  scores: Uint32Array,
  labels: Uint8Array,
  classes: number,
  rule: ThresholdRule,
  theta: number,
): Uint32Array {
  if (rule === 'theta') return new Uint32Array(classes).fill(theta);
  if (rule !== 'balanced') checkRate('falseReject', rule.falseReject);
  const own: number[][] = Array.from({ length: classes }, () => []);
  const others: number[][] = Array.from({ length: classes }, () => []);
  for (let s = 0; s < labels.length; s++) {
    for (let c = 0; c < classes; c++) (labels[s] === c ? own : others)[c]!.push(scores[s * classes + c]!);
  }
  const find = (below: Uint32Array, above: Uint32Array): number | undefined =>
    rule === 'balanced' ? balancePoint(below, above) : quantile(below, rule.falseReject);
  const all = find(sorted(own.flat()), sorted(others.flat())) ?? theta;
  return Uint32Array.from({ length: classes }, (_, c) => {
    if (own[c]!.length < FEW) return own[c]!.length === 0 ? theta : all;
    return find(sorted(own[c]!), sorted(others[c]!)) ?? all;
  });
}

/**
 * The threshold at which as many own samples lie below as others lie at or above; in the middle where there is a choice.
 * @param own ascending
 * @param others ascending
 * @returns undefined without samples on both sides, or where all own samples would be rejected
 */
export function balancePoint(own: Uint32Array, others: Uint32Array): number | undefined {
  const last = others.length - 1;
  let k = 0;
  while (k < own.length && k <= last && own[k]! <= others[last - k]!) k++;
  if (last < 0 || k >= own.length || k > last) return undefined;
  // With k own samples below and k others at or above, the threshold lies in (low, high].
  const low = Math.max(others[last - k]!, k > 0 ? own[k - 1]! : 0);
  const high = Math.min(own[k]!, k > 0 ? others[last - k + 1]! : Number.POSITIVE_INFINITY);
  return Math.ceil((low + high) / 2);
}

/** The largest threshold below which at most this part of the values (ascending) lies; undefined without values. */
export function quantile(values: Uint32Array, rate: number): number | undefined {
  return values[Math.min(values.length - 1, Math.floor(rate * values.length))];
}

/**
 * Novelty threshold: this part of the samples has a largest score below it.
 * @param scores (count, classes)
 * @param rate 0 to below 1
 * @returns 0 (nothing is novel) without samples
 */
export function noveltyThreshold(scores: Uint32Array, classes: number, rate: number): number {
  checkRate('novelty', rate);
  const largest = new Uint32Array(scores.length / classes);
  for (let at = 0; at < scores.length; at++) {
    const s = Math.floor(at / classes);
    largest[s] = Math.max(largest[s]!, scores[at]!);
  }
  return quantile(largest.sort(), rate) ?? 0;
}

function sorted(values: readonly number[]): Uint32Array {
  return Uint32Array.from(values).sort();
}

function checkRate(name: string, rate: number): void {
  if (rate >= 0 && rate < 1) return;
  throw new GoodnessError('quantize.thresholds', `invalid rate of ${name}`, {
    expected: 'a number from 0 to below 1',
    got: String(rate),
  });
}
