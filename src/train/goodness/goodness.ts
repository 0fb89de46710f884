import { absoluteBackward, meanAbsolute } from './absolute.js';
import { meanSquares, squaresBackward } from './squares.js';
import { countOf, topBackward, topSquares } from './top-k.js';

/**
 * What a layer's goodness is.
 * - `mean-squares`, `sum-squares`: mean or sum of the squared activities; positive data shall have much of it.
 * - `minus-sum-squares`: the sum, negated: positive data shall have little activity (Hinton 2022, section 2).
 * - `mean-absolute`: mean of the absolute activities.
 * - `top-k`: mean of the k largest squared activities; k below 1 is a share of the neurons, else their number.
 *
 * Each is taken per group: a class-partitioned layer has one group of neurons for every class, others a single one.
 */
export type GoodnessConfig =
  | { readonly kind: 'mean-squares' | 'sum-squares' | 'minus-sum-squares' | 'mean-absolute' }
  | { readonly kind: 'top-k'; readonly k: number };

export type GoodnessKind = GoodnessConfig['kind'];

export const GOODNESS_KINDS: readonly GoodnessKind[] = [
  'mean-squares',
  'sum-squares',
  'minus-sum-squares',
  'mean-absolute',
  'top-k',
];

/** A goodness of which only the kind need be said. */
export type PartialGoodness = GoodnessKind | { readonly kind: GoodnessKind; readonly k?: number };

export const MEAN_SQUARES: GoodnessConfig = { kind: 'mean-squares' };

/** A goodness with its slope in closed form. */
export interface Goodness {
  /**
   * Goodness of a group of `size` neurons whose activities are all 1: thresholds by width are theta times this, and
   * goodness divided by its magnitude compares between layers of different sizes.
   */
  unit(size: number): number;
  /**
   * @param activities (rows, outputs), the outputs of relu
   * @param goodness (rows, groups), overwritten
   */
  measure(activities: Float32Array, goodness: Float32Array, rows: number, outputs: number, groups: number): void;
  /**
   * Slope of the loss over the pre-activations, from that over the goodness.
   * @param activities (rows, outputs), replaced by the slopes
   * @param slopes dL/dG, (rows, groups)
   */
  backward(activities: Float32Array, slopes: Float32Array, rows: number, outputs: number, groups: number): void;
  /** The factor, if goodness is one times the sum of the squares of a group of `size` neurons: backends are quick at that. */
  squares?(size: number): number;
  /** dG/dz of a neuron of activity 1 among `size`, if it counts: terms that join the slope are weighed by it. */
  steepness(size: number): number;
}

/** @param config complete and valid */
export function goodnessOf(config: GoodnessConfig): Goodness {
  switch (config.kind) {
    case 'mean-squares':
      return {
        unit: () => 1,
        measure: meanSquares,
        backward: squaresBackward,
        squares: (size) => 1 / size,
        steepness: (size) => 2 / size,
      };
    case 'sum-squares':
      return sumOfSquares(1);
    case 'minus-sum-squares':
      return sumOfSquares(-1);
    case 'mean-absolute':
      return {
        unit: () => 1,
        measure: meanAbsolute,
        backward: absoluteBackward,
        steepness: (size) => 1 / size,
      };
    case 'top-k': {
      const { k } = config;
      return {
        unit: () => 1,
        measure: (y, goodness, rows, outputs, groups) => topSquares(k, y, goodness, rows, outputs, groups),
        backward: (y, slopes, rows, outputs, groups) => topBackward(k, y, slopes, rows, outputs, groups),
        steepness: (size) => 2 / countOf(k, size),
      };
    }
  }
}

function sumOfSquares(sign: 1 | -1): Goodness {
  return {
    unit: (size) => sign * size,
    measure: (y, goodness, rows, outputs, groups) =>
      meanSquares(y, goodness, rows, outputs, groups, (sign * outputs) / groups),
    backward: (y, slopes, rows, outputs, groups) =>
      squaresBackward(y, slopes, rows, outputs, groups, (sign * outputs) / groups),
    squares: () => sign,
    steepness: () => 2,
  };
}
