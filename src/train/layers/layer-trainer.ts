import { GoodnessError } from '../../base/errors.js';
import type { Random } from '../../base/random.js';
import type { Backend } from '../backend.js';
import type { LayerState } from '../checkpoint.js';
import type { Values } from '../forward.js';
import { type Goodness, type GoodnessConfig, goodnessOf } from '../goodness/goodness.js';
import { Threshold, type ThresholdConfig } from '../goodness/threshold.js';
import type { Layer } from '../network.js';
import { lengthFactor } from '../preprocess.js';
import type { LayerWeights, Outer, Rounding } from '../weights.js';
import { fittingScale } from './fake-quantization.js';
import type { Damping, TrainLayer } from './layer.js';
import { NeuronNorms, type NormRule } from './norms.js';
import type { OptimizerConfig } from './optimizer.js';

/** What one layer needs to know to train. */
export interface LayerTrainerConfig {
  readonly groups: number;
  readonly goodness: GoodnessConfig;
  readonly optimizer: OptimizerConfig;
  readonly threshold: ThresholdConfig;
  /** Threshold of the goodness per neuron, where it starts. */
  readonly theta: number;
  /** Weight of peer normalisation beside the slope of a neuron of activity 1; 0 is off. */
  readonly peer: number;
  readonly norm: NormRule;
  /** Part of the inputs' running mean that is taken off the inputs that weights learn from; 0 is off. */
  readonly centring: number;
  readonly quantization?: {
    readonly bits: number;
    readonly scale?: number;
    /** Rounded from the first step on. */
    readonly always: boolean;
  };
}

/** Steps for which a scale found from the weights is kept, where they are rounded from the first step on. */
const SCALE_LIFE = 100;
/** What a fixed scale is larger by than fits the weights best: they still grow. */
const ROOM = 1.2;
/** Share of the old value that the running mean activity of a unit keeps per step (Hinton's code: 0.9). */
const PEER_MEMORY = 0.9;
/** Samples that the running mean of the inputs remembers. */
const CENTRE_SAMPLES = 1000;

/** One layer in training: weights, optimizer, and the closed-form update from the slope of the loss over goodness. */
export class LayerTrainer implements TrainLayer {
  /** Its weights are those in training. */
  readonly layer: Layer;
  readonly weights: LayerWeights;
  readonly config: LayerTrainerConfig;
  /** Running mean activity of each neuron, for peer normalisation, (outputs). */
  readonly meanActivity: Float32Array;
  /** Running mean of the normalised inputs, for centring, (inputs); empty where it is off. */
  readonly meanInput: Float32Array;
  readonly threshold: Threshold;
  /** relu(x W) of the last forward pass, (rows, outputs); spent by `update`. */
  activities: Float32Array = new Float32Array(0);
  /** Goodness of the last forward pass, (rows, groups). */
  goodness = new Float32Array(0);
  /** Value of one step of the rounded weights; 0 as long as there is none. */
  scale: number;
  private readonly measure: Goodness;
  private readonly norms: NeuronNorms;
  private source: Values = new Float32Array(0);
  /** How much each activity of the last forward pass owes to its pre-activation, where it is damped, (rows, outputs). */
  private gates: Float32Array | undefined;
  private rows = 0;

  constructor({ inputs, outputs, weights, mask }: Layer, config: LayerTrainerConfig, backend: Backend) {
    this.config = config;
    this.weights = backend.weights(weights, inputs, outputs, config.optimizer);
    this.layer = { inputs, outputs, weights: this.weights.values, ...(mask === undefined ? {} : { mask }) };
    this.meanActivity = new Float32Array(config.peer > 0 ? outputs : 0);
    this.meanInput = new Float32Array(config.centring > 0 ? inputs : 0);
    this.measure = goodnessOf(config.goodness);
    this.norms = new NeuronNorms(config.norm, this.layer);
    this.threshold = new Threshold(config.threshold, config.theta, this.measure.unit(outputs / config.groups));
    this.scale = config.quantization?.always === true ? (config.quantization.scale ?? 0) : 0;
  }

  get rounds(): boolean {
    return this.config.quantization?.always === true || this.scale > 0;
  }

  round(on: boolean): void {
    const { quantization } = this.config;
    if (quantization === undefined || quantization.always) return;
    const { scale, bits } = quantization;
    this.scale = on ? (scale ?? ROOM * fittingScale(this.layer.weights, bits)) : 0;
    if (!on) return;
    // What the optimizer knows of gradients is from other weights.
    for (const moment of this.weights.moments.values()) moment.fill(0);
    this.weights.updates = 0;
  }

  /** What must be kept to go on later; copies. */
  state(): LayerState {
    const { value, positive, negative } = this.threshold;
    return {
      updates: this.weights.updates,
      scale: this.scale,
      threshold: [value, positive, negative],
      moments: new Map([...this.kept()].map(([name, values]) => [name, values.slice()])),
    };
  }

  /** @throws GoodnessError `checkpoint.field` if the state belongs to another recipe */
  setState({ updates, scale, threshold, moments }: LayerState): void {
    for (const [name, values] of this.kept()) {
      const from = moments.get(name);
      if (from?.length !== values.length) {
        throw new GoodnessError('checkpoint.field', 'the checkpoint belongs to another recipe', {
          expected: `${values.length} values of ${name}`,
          got: from === undefined ? [...moments.keys()].join(', ') : String(from.length),
        });
      }
      values.set(from);
    }
    this.weights.updates = updates;
    this.scale = scale;
    [this.threshold.value, this.threshold.positive, this.threshold.negative] = threshold;
  }

  /** Everything beside the weights that steps depend on, by name; live. */
  private kept(): Map<string, Float32Array> {
    const kept = new Map(this.weights.moments);
    if (this.config.peer > 0) kept.set('mean_activity', this.meanActivity);
    if (this.config.centring > 0) kept.set('mean_input', this.meanInput);
    if (this.norms.lengths.length > 0) kept.set('length', this.norms.lengths);
    return kept;
  }

  /**
   * Computes `activities` and `goodness` of a batch.
   * @param source (rows, inputs)
   * @param dropout chance of an input to be dropped
   */
  forward(source: Values, rows: number, dropout: number, random: Random, damping?: Damping): void {
    const { groups } = this.config;
    this.source = source;
    this.rows = rows;
    this.weights.take(source, rows, dropout, random);
    this.activities = this.weights.activities(this.rounding());
    this.gates = damping && damp(this.activities, damping);
    if (this.goodness.length !== rows * groups) this.goodness = new Float32Array(rows * groups);
    const factor = this.measure.squares?.(this.layer.outputs / groups);
    if (factor !== undefined && this.weights.squares !== undefined && damping === undefined) {
      this.weights.squares.measure(this.goodness, groups, factor);
    } else {
      this.measure.measure(this.activities, this.goodness, rows, this.layer.outputs, groups);
    }
  }

  /**
   * One step of the optimizer on the batch of `forward`.
   * @param slopes dL/dG, (rows, groups)
   * @param positives how many of the rows, the first ones, are positive data: peers are compared on them
   */
  update(slopes: Float32Array, rate: number, positives = this.rows): void {
    const { outputs, weights, mask } = this.layer;
    const { groups, peer, centring } = this.config;
    const factor = this.measure.squares?.(outputs / groups);
    const plain = peer === 0 && centring === 0 && this.gates === undefined;
    if (factor !== undefined && this.weights.squares !== undefined && plain) {
      this.weights.squares.learn(slopes, groups, factor, rate);
    } else {
      this.learnDelta(slopes, rate, positives);
    }
    if (mask !== undefined) for (let i = 0; i < weights.length; i++) if (mask[i] === 0) weights[i] = 0;
    this.norms.restore();
  }

  /** The step by way of the slopes over pre-activations, which peers and centring need. */
  private learnDelta(slopes: Float32Array, rate: number, positives: number): void {
    const { rows, activities: delta } = this;
    const { outputs } = this.layer;
    const pull = this.config.peer > 0 && positives > 0 ? this.peerPull(positives, rows) : undefined;
    this.measure.backward(delta, slopes, rows, outputs, this.config.groups);
    if (this.gates !== undefined) for (let k = 0; k < delta.length; k++) delta[k] = delta[k]! * this.gates[k]!;
    if (pull !== undefined) {
      for (let r = 0, at = 0; r < positives; r++)
        for (let j = 0; j < outputs; j++, at++) delta[at] = delta[at]! + pull[j]!;
    }
    this.weights.learn(delta, rate, this.config.centring > 0 ? this.centre(delta) : undefined);
  }

  /** What turns a gradient into that of inputs whose running mean was taken off: what all inputs share is not learned. */
  private centre(delta: Float32Array): Outer {
    const { rows, source, meanInput } = this;
    const { outputs, inputs } = this.layer;
    const now = new Float32Array(inputs);
    for (let r = 0; r < rows; r++) {
      const at = r * inputs;
      let squares = 0;
      for (let i = at; i < at + inputs; i++) squares += source[i]! * source[i]!;
      const share = lengthFactor(squares, inputs) / rows;
      for (let i = 0; i < inputs; i++) now[i] = now[i]! + share * source[at + i]!;
    }
    const rise = this.weights.updates === 0 ? 1 : 1 - Math.exp(-rows / CENTRE_SAMPLES);
    for (let i = 0; i < inputs; i++) meanInput[i] = meanInput[i]! + rise * (now[i]! - meanInput[i]!);
    const right = new Float32Array(outputs);
    for (let r = 0, at = 0; r < rows; r++)
      for (let j = 0; j < outputs; j++, at++) right[j] = right[j]! - this.config.centring * delta[at]!;
    return { left: meanInput, right };
  }

  /** Slope per neuron that draws its mean activity towards the layer's; not gated by relu, so that it revives dead neurons. */
  private peerPull(positives: number, rows: number): Float32Array {
    const { outputs } = this.layer;
    const sums = new Float64Array(outputs);
    for (let r = 0, at = 0; r < positives; r++)
      for (let j = 0; j < outputs; j++, at++) sums[j] = sums[j]! + this.activities[at]!;
    let layerMean = 0;
    for (let j = 0; j < outputs; j++) {
      const mean = PEER_MEMORY * this.meanActivity[j]! + (1 - PEER_MEMORY) * (sums[j]! / positives);
      this.meanActivity[j] = mean;
      layerMean += mean / outputs;
    }
    const weight = (this.config.peer * this.measure.steepness(outputs / this.config.groups)) / rows;
    const pull = new Float32Array(outputs);
    for (let j = 0; j < outputs; j++) pull[j] = weight * (this.meanActivity[j]! - layerMean);
    return pull;
  }

  private rounding(): Rounding | undefined {
    const { quantization } = this.config;
    if (quantization === undefined || !this.rounds) return undefined;
    const due = quantization.always && (this.scale === 0 || this.weights.updates % SCALE_LIFE === 0);
    if (quantization.scale === undefined && due) this.scale = fittingScale(this.layer.weights, quantization.bits);
    return { scale: this.scale, bits: quantization.bits };
  }
}

/** Damps activities in place. Returns the slope of each over its pre-activation. */
function damp(activities: Float32Array, { before, share }: Damping): Float32Array {
  const gates = new Float32Array(activities.length);
  for (let k = 0; k < gates.length; k++) {
    const y = activities[k]!;
    if (y > 0) gates[k] = 1 - share;
    activities[k] = share * before[k]! + (1 - share) * y;
  }
  return gates;
}
