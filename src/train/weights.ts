import type { Random } from '../base/random.js';
import type { Values } from './forward.js';

/** How weights are rounded before inputs are multiplied with them: whole steps of `scale`, as many as fit so many bits. */
export interface Rounding {
  readonly scale: number;
  readonly bits: number;
}

/** A product of two vectors. */
export interface Outer {
  /** (inputs) */
  readonly left: Float32Array;
  /** (outputs) */
  readonly right: Float32Array;
}

/**
 * The weights of one layer in training, wherever a backend keeps them: it multiplies a batch with them, and moves them along
 * the gradient of that batch. All arrays are live views, in which the caller may write as well.
 */
export interface LayerWeights {
  readonly inputs: number;
  readonly outputs: number;
  /** (inputs, outputs) */
  readonly values: Float32Array;
  /** What the optimizer must keep to go on later, by name, each (inputs, outputs). */
  readonly moments: ReadonlyMap<string, Float32Array>;
  /** Steps of the optimizer so far; set it after the moments when going on from a checkpoint. */
  updates: number;

  /**
   * Takes a batch: drops inputs at random, then rescales each row to mean square 1.
   * @param source (rows, inputs)
   * @param dropout chance of an input to be dropped, 0 to below 1
   */
  take(source: Values, rows: number, dropout: number, random: Random): void;

  /**
   * The product of the batch taken last with the weights, with negative numbers replaced by 0.
   * @returns (rows, outputs), valid until the next call; the caller may write in it
   */
  activities(rounding?: Rounding): Float32Array;

  /**
   * One step of the optimizer along the gradient of the batch taken last.
   * @param delta slopes of the loss over the pre-activations, (rows, outputs)
   * @param outer added to the gradient
   */
  learn(delta: Float32Array, rate: number, outer?: Outer): void;

  /** Goodness that is a multiple of a sum of squares, where the backend is quicker at it than loops over `activities`. */
  readonly squares?: SquaresGoodness;
}

/** Goodness of groups of neurons that lie side by side: `factor` times the sum of the squares of their activities. */
export interface SquaresGoodness {
  /** @param goodness (rows, groups), overwritten: that of the activities as they came */
  measure(goodness: Float32Array, groups: number, factor: number): void;

  /**
   * `LayerWeights.learn` from the slopes over goodness.
   * @param slopes (rows, groups)
   */
  learn(slopes: Float32Array, groups: number, factor: number, rate: number): void;
}
