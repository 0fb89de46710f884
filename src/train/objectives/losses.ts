import type { Phase } from '../schedule/phases.js';

/**
 * Losses of one layer as functions of its goodness, with their closed-form slopes. Everything a layer learns passes through
 * dL/dG of its own groups: no gradient crosses layers.
 */

/** Weights and temperatures of the losses. */
export interface LossConfig {
  /** Threshold of goodness (of a recipe: per neuron, > 0). */
  readonly theta: number;
  /** Objective `partitioned`: share, 0 to 1, of the softmax cross-entropy between groups; the rest is the Forward-Forward loss. */
  readonly contrast: number;
  /** Temperature of that softmax, in units of goodness (> 0). */
  readonly temperature: number;
  /** Temperature of the Forward-Forward loss: how soft the threshold is, in units of goodness (> 0). */
  readonly softness: number;
  /** Objective `partitioned`: weight of a negative group in the Forward-Forward loss; the positive one weighs 1. */
  readonly negativeWeight: number;
  /**
   * Objective `partitioned`: share, 0 to 1, of the other layers' goodness in the cross-entropy, as a constant: the layers
   * then divide the work, since it is the sum over layers that decides (Lorberbom et al. 2023, layer collaboration).
   */
  readonly collaboration: number;
}

/** Stands for no group at all: there are never so many. */
export const NO_GROUP = 255;

/** log(1 + e^x) without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** 1 / (1 + e^-x) without overflow. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/**
 * Loss of a class-partitioned layer: contrast * cross-entropy(softmax(G / temperature)) + (1 - contrast) * (softplus((theta -
 * G_true) / softness) + negativeWeight * sum over the other groups of softplus((G - theta) / softness)).
 * @param goodness (rows, groups) of this layer
 * @param total (rows, groups), summed over all layers, this one included
 * @param labels true group per positive row; rows beyond them are negative, and have no part in the cross-entropy
 * @param slopes (rows, groups), overwritten: slope of the mean loss over dL/dG
 * @param spared group per negative row that is left alone, or `NO_GROUP`
 * @returns the loss, mean over the rows
 */
export function partitionedLoss(
  config: LossConfig,
  goodness: Float32Array,
  total: Float32Array,
  labels: Uint8Array,
  rows: number,
  groups: number,
  slopes: Float32Array,
  spared?: Uint8Array,
): number {
  const { theta, contrast, collaboration } = config;
  const coldness = 1 / config.temperature;
  const sharpness = 1 / config.softness;
  const contrastSlope = (contrast * coldness) / rows;
  const positive = 1 - contrast;
  const negative = positive * config.negativeWeight;
  let loss = 0;
  for (let r = 0; r < rows; r++) {
    const at = r * groups;
    if (r >= labels.length) {
      const own = at + (spared?.[r - labels.length] ?? NO_GROUP);
      for (let c = at; c < at + groups; c++) {
        const excess = (goodness[c]! - theta) * sharpness;
        slopes[c] = c === own ? 0 : (negative * sharpness * sigmoid(excess)) / rows;
        if (c !== own) loss += negative * softplus(excess);
      }
      continue;
    }
    const truth = labels[r]!;
    let highest = Number.NEGATIVE_INFINITY;
    for (let c = at; c < at + groups; c++) {
      const logit = (goodness[c]! + collaboration * (total[c]! - goodness[c]!)) * coldness;
      slopes[c] = logit;
      if (logit > highest) highest = logit;
    }
    const trueLogit = slopes[at + truth]! - highest;
    let sum = 0;
    for (let c = at; c < at + groups; c++) {
      const e = Math.exp(slopes[c]! - highest);
      slopes[c] = e;
      sum += e;
    }
    loss += contrast * (Math.log(sum) - trueLogit);
    const share = contrastSlope / sum;
    for (let g = 0; g < groups; g++) {
      const c = at + g;
      const excess = (goodness[c]! - theta) * sharpness;
      if (g === truth) {
        slopes[c] = slopes[c]! * share - contrastSlope - (positive * sharpness * sigmoid(-excess)) / rows;
        loss += positive * softplus(-excess);
      } else {
        slopes[c] = slopes[c]! * share + (negative * sharpness * sigmoid(excess)) / rows;
        loss += negative * softplus(excess);
      }
    }
  }
  return loss / rows;
}

/**
 * Loss of a layer with one group whose rows are positive first, then negative: softplus((theta - G) / softness) for positive
 * rows, softplus((G - theta) / softness) for negative ones (Hinton 2022, equation 1).
 * @param goodness (rows)
 * @param positives how many rows are positive; the other ones are negative
 * @param slopes (rows), overwritten: slope of the mean loss
 * @returns the loss, mean over the rows
 */
export function thresholdLoss(
  config: LossConfig,
  goodness: Float32Array,
  positives: number,
  rows: number,
  slopes: Float32Array,
): number {
  const sharpness = 1 / config.softness;
  let loss = 0;
  for (let r = 0; r < rows; r++) {
    const excess = (goodness[r]! - config.theta) * sharpness;
    const sign = r < positives ? -1 : 1;
    slopes[r] = (sign * sharpness * sigmoid(sign * excess)) / rows;
    loss += softplus(sign * excess);
  }
  return loss / rows;
}

/**
 * Takes away slopes of samples that are on the right side of the threshold by a margin already.
 * @param goodness (rows, groups)
 * @param labels true group of each positive row; its other groups, and all of further rows, shall have little
 * @param positives with a single group: how many rows, the first ones, are positive
 * @param margin as goodness, >= 0
 */
export function dropSettled(
  slopes: Float32Array,
  goodness: Float32Array,
  labels: Uint8Array,
  positives: number,
  groups: number,
  theta: number,
  margin: number,
): void {
  for (let k = 0; k < slopes.length; k++) {
    const row = Math.floor(k / groups);
    const wanted = row < positives && (groups === 1 || labels[row] === k % groups);
    if (wanted ? goodness[k]! > theta + margin : goodness[k]! < theta - margin) slopes[k] = 0;
  }
}

/**
 * Leaves of the slopes of a class-partitioned layer what one phase learns: the true group's in the positive one, those of all other
 * groups in the negative one.
 */
export function keepPhase(phase: Phase, slopes: Float32Array, labels: Uint8Array, groups: number): void {
  if (phase === 'both') return;
  for (let r = 0, at = 0; at < slopes.length; r++, at += groups) {
    const truth = r < labels.length ? at + labels[r]! : -1;
    for (let c = at; c < at + groups; c++) if ((c === truth) !== (phase === 'positive')) slopes[c] = 0;
  }
}
