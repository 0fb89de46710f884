import { GoodnessError } from '../../base/errors.js';
import type { Random } from '../../base/random.js';
import type { Backend } from '../backend.js';
import type { LayerState } from '../checkpoint.js';
import type { Values } from '../forward.js';
import { goodnessBackward, meanSquares } from '../goodness/goodness.js';
import type { Layer } from '../network.js';
import type { LayerWeights, Rounding } from '../weights.js';
import { fittingScale } from './fake-quantization.js';
import type { OptimizerConfig } from './optimizer.js';

/** What one layer needs to know to train. */
export interface LayerTrainerConfig {
  readonly groups: number;
  readonly optimizer: OptimizerConfig;
  /** Weight of peer normalisation; 0 is off. */
  readonly peer: number;
  readonly quantization?: { readonly bits: number; readonly scale?: number };
}

/** Steps for which a scale found from the weights is kept. */
const SCALE_LIFE = 100;
/** Share of the old value that the running mean activity of a unit keeps per step (Hinton's code: 0.9). */
const PEER_MEMORY = 0.9;

/** One layer in training: weights, optimizer, and the closed-form update from the slope of the loss over goodness. */
export class LayerTrainer {
  /** Its weights are those in training. */
  readonly layer: Layer;
  readonly weights: LayerWeights;
  readonly config: LayerTrainerConfig;
  /** Running mean activity of each neuron, for peer normalisation, (outputs). */
  readonly meanActivity: Float32Array;
  /** relu(x W) of the last forward pass, (rows, outputs); spent by `update`. */
  activities: Float32Array = new Float32Array(0);
  /** Mean goodness of the last forward pass, (rows, groups). */
  goodness = new Float32Array(0);
  /** Value of one step of the fake-quantized weights; 0 before the first forward pass. */
  scale: number;
  private rows = 0;
  constructor({ inputs, outputs, weights }: Layer, config: LayerTrainerConfig, backend: Backend) {
    this.config = config;
    this.weights = backend.weights(weights, inputs, outputs, config.optimizer);
    this.layer = { inputs, outputs, weights: this.weights.values };
    this.meanActivity = new Float32Array(outputs);
    this.scale = config.quantization?.scale ?? 0;
  }

  /** What must be kept to go on later; copies. */
  state(): LayerState {
    const moments = new Map([...this.weights.moments].map(([name, values]) => [name, values.slice()]));
    return { updates: this.weights.updates, scale: this.scale, moments, meanActivity: this.meanActivity.slice() };
  }

  /** @throws GoodnessError `checkpoint.field` if the state belongs to another optimizer */
  setState({ updates, scale, moments, meanActivity }: LayerState): void {
    for (const [name, values] of this.weights.moments) {
      const from = moments.get(name);
      if (from === undefined) {
        throw new GoodnessError('checkpoint.field', 'the checkpoint belongs to another optimizer', {
          expected: `the moment ${name}`,
          got: [...moments.keys()].join(', '),
        });
      }
      values.set(from);
    }
    this.weights.updates = updates;
    this.scale = scale;
    this.meanActivity.set(meanActivity);
  }

  /**
   * Computes `activities` and `goodness` of a batch.
   * @param source (rows, inputs)
   * @param dropout chance of an input to be dropped
   */
  forward(source: Values, rows: number, dropout: number, random: Random): void {
    this.rows = rows;
    this.weights.take(source, rows, dropout, random);
    this.activities = this.weights.activities(this.rounding());
    if (this.goodness.length !== rows * this.config.groups) this.goodness = new Float32Array(rows * this.config.groups);
    meanSquares(this.activities, this.goodness, rows, this.layer.outputs, this.config.groups);
  }

  /**
   * One step of the optimizer on the batch of `forward`.
   * @param slopes dL/dG, (rows, groups)
   */
  update(slopes: Float32Array, rate: number): void {
    const { rows, activities: delta } = this;
    const { outputs } = this.layer;
    const pull = this.config.peer > 0 ? this.peerPull(rows) : undefined;
    goodnessBackward(delta, slopes, rows, outputs, this.config.groups);
    if (pull !== undefined) {
      for (let r = 0, at = 0; r < rows; r++) for (let j = 0; j < outputs; j++, at++) delta[at] = delta[at]! + pull[j]!;
    }
    this.weights.learn(delta, rate);
  }

  /** Slope per neuron that draws its mean activity towards the layer's; not gated by relu, so that it revives dead neurons. */
  private peerPull(rows: number): Float32Array {
    const { outputs } = this.layer;
    const sums = new Float64Array(outputs);
    for (let r = 0, at = 0; r < rows; r++)
      for (let j = 0; j < outputs; j++, at++) sums[j] = sums[j]! + this.activities[at]!;
    let layerMean = 0;
    for (let j = 0; j < outputs; j++) {
      const mean = PEER_MEMORY * this.meanActivity[j]! + (1 - PEER_MEMORY) * (sums[j]! / rows);
      this.meanActivity[j] = mean;
      layerMean += mean / outputs;
    }
    const pull = new Float32Array(outputs);
    for (let j = 0; j < outputs; j++) pull[j] = (this.config.peer * (this.meanActivity[j]! - layerMean)) / rows;
    return pull;
  }

  private rounding(): Rounding | undefined {
    const { quantization } = this.config;
    if (quantization === undefined) return undefined;
    const due = this.scale === 0 || this.weights.updates % SCALE_LIFE === 0;
    if (quantization.scale === undefined && due) this.scale = fittingScale(this.layer.weights, quantization.bits);
    return { scale: this.scale, bits: quantization.bits };
  }
}
