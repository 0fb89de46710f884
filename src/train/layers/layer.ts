import type { Random } from '../../base/random.js';
import type { LayerState } from '../checkpoint.js';
import type { Values } from '../forward.js';
import type { Threshold } from '../goodness/threshold.js';
import type { Layer } from '../network.js';

/** What neurons keep of what they did before: y = share * before + (1 - share) * relu(x W). */
export interface Damping {
  /** (rows, outputs); to learning they are constants. */
  readonly before: Float32Array;
  /** 0 to below 1. */
  readonly share: number;
}

/**
 * A layer in training: what the trainer needs of it, however its neurons are connected. `forward` and `update` alternate: an update
 * belongs to the batch of the forward pass before it.
 */
export interface TrainLayer {
  /** What the network keeps of it; its weights are those in training. */
  readonly layer: Layer;
  readonly threshold: Threshold;
  /** Value of one step of the rounded weights; 0 as long as there is none. */
  readonly scale: number;
  /** Whether its weights are rounded on the way to its outputs. */
  readonly rounds: boolean;
  /** Outputs of the last forward pass, (rows, outputs): what the layer above gets. `update` may spend them. */
  readonly activities: Float32Array;
  /** Goodness of the last forward pass, (rows, groups). */
  readonly goodness: Float32Array;
  /**
   * Computes `activities` and `goodness` of a batch.
   * @param source (rows, inputs), >= 0
   * @param dropout chance of an input to be dropped, 0 to below 1
   * @param damping activities that live on; none where left out
   */
  forward(source: Values, rows: number, dropout: number, random: Random, damping?: Damping): void;
  /**
   * Moves the weights down the slope of the layer's own loss.
   * @param slopes dL/dG, (rows, groups)
   * @param positives how many of the rows, the first ones, are positive data
   */
  update(slopes: Float32Array, rate: number, positives: number): void;
  /**
   * Begins to round the weights, on a grid that is found from what they are now, or ends it. Layers whose recipe says nothing of
   * rounding, or rounds from the first step on, stay as they are.
   */
  round(on: boolean): void;
  /** What must be kept, beside the weights, to go on later; copies. */
  state(): LayerState;
  /** @throws GoodnessError `checkpoint.field` if the state belongs to another recipe */
  setState(state: LayerState): void;
}
