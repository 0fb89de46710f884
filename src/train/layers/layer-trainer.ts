import { GoodnessError } from '../../base/errors.js';
import type { Backend } from '../backend.js';
import type { LayerState } from '../checkpoint.js';
import { goodnessBackward, meanSquares } from '../goodness/goodness.js';
import { multiply } from '../matrix.js';
import type { Layer } from '../network.js';
import { fakeQuantize, fittingScale } from './fake-quantization.js';
import type { InputRows } from './input-rows.js';
import { createOptimizer, type Optimizer, type OptimizerConfig } from './optimizer.js';

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
  readonly layer: Layer;
  readonly optimizer: Optimizer;
  readonly config: LayerTrainerConfig;
  /** Running mean activity of each neuron, for peer normalisation, (outputs). */
  readonly meanActivity: Float32Array;
  /** relu(x W) of the last forward pass, (rows, outputs); spent by `update`. */
  activities: Float32Array = new Float32Array(0);
  /** Mean goodness of the last forward pass, (rows, groups). */
  goodness = new Float32Array(0);
  /** Value of one step of the fake-quantized weights; 0 before the first forward pass. */
  scale: number;
  private readonly backend: Backend;
  private readonly used: Float32Array;
  private readonly gathered: Float32Array;
  private readonly gradient: Float32Array;

  constructor(layer: Layer, config: LayerTrainerConfig, backend: Backend) {
    this.layer = layer;
    this.config = config;
    this.backend = backend;
    const size = layer.weights.length;
    this.optimizer = createOptimizer(config.optimizer, size);
    this.meanActivity = new Float32Array(layer.outputs);
    this.scale = config.quantization?.scale ?? 0;
    this.used = config.quantization === undefined ? layer.weights : new Float32Array(size);
    this.gathered = new Float32Array(size);
    this.gradient = new Float32Array(size);
  }

  /** What must be kept to go on later; copies. */
  state(): LayerState {
    const moments = new Map([...this.optimizer.moments].map(([name, values]) => [name, values.slice()]));
    return { updates: this.optimizer.updates, scale: this.scale, moments, meanActivity: this.meanActivity.slice() };
  }

  /** @throws GoodnessError `checkpoint.field` if the state belongs to another optimizer */
  setState({ updates, scale, moments, meanActivity }: LayerState): void {
    for (const [name, values] of this.optimizer.moments) {
      const from = moments.get(name);
      if (from === undefined) {
        throw new GoodnessError('checkpoint.field', 'the checkpoint belongs to another optimizer', {
          expected: `the moment ${name}`,
          got: [...moments.keys()].join(', '),
        });
      }
      values.set(from);
    }
    this.optimizer.updates = updates;
    this.scale = scale;
    this.meanActivity.set(meanActivity);
  }

  /** Computes `activities` and `goodness` of the rows in `input`. */
  forward(input: InputRows): void {
    const { outputs } = this.layer;
    this.refreshWeights();
    const weights = input.gatherRows(this.used, outputs, this.gathered);
    const z = multiply(this.backend.tf, input.rows, weights, input.count, input.active, outputs);
    for (let i = 0; i < z.length; i++) if (!(z[i]! > 0)) z[i] = 0;
    this.activities = z;
    if (this.goodness.length !== input.count * this.config.groups) {
      this.goodness = new Float32Array(input.count * this.config.groups);
    }
    meanSquares(z, this.goodness, input.count, outputs, this.config.groups);
  }

  /**
   * One step of the optimizer after `forward` on the same input.
   * @param slopes dL/dG, (rows, groups)
   */
  update(input: InputRows, slopes: Float32Array, rate: number): void {
    const { outputs, weights } = this.layer;
    const delta = this.activities;
    const pull = this.config.peer > 0 ? this.peerPull(input.count) : undefined;
    goodnessBackward(delta, slopes, input.count, outputs, this.config.groups);
    if (pull !== undefined) {
      for (let r = 0, at = 0; r < input.count; r++)
        for (let j = 0; j < outputs; j++, at++) delta[at] = delta[at]! + pull[j]!;
    }
    const product = multiply(this.backend.tf, input.columns, delta, input.active, input.count, outputs);
    const gradient = input.scatterRows(product, outputs, this.gradient);
    this.optimizer.update(weights, gradient, rate);
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

  private refreshWeights(): void {
    const quantization = this.config.quantization;
    if (quantization === undefined) return;
    const due = this.scale === 0 || this.optimizer.updates % SCALE_LIFE === 0;
    if (quantization.scale === undefined && due) this.scale = fittingScale(this.layer.weights, quantization.bits);
    fakeQuantize(this.layer.weights, this.used, this.scale, quantization.bits);
  }
}
