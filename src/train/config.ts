import { GoodnessError } from '../base/errors.js';
import { checked } from '../base/schema.js';
import type { Dataset, Geometry } from '../data/dataset.js';
import type { Augmentation } from './augmentation.js';
import { completeGoodness, TRAIN_CONFIG } from './config-schema.js';
import { type GoodnessConfig, MEAN_SQUARES, type PartialGoodness } from './goodness/goodness.js';
import { completeThreshold, type PartialThreshold, type ThresholdConfig } from './goodness/threshold.js';
import type { FakeQuantization, PartialFakeQuantization } from './layers/fake-quantization.js';
import type { FieldConfig } from './layers/local-fields.js';
import { completeOptimizer, type OptimizerConfig, type PartialOptimizer } from './layers/optimizer.js';
import { completeNegatives, type NegativesConfig, type PartialNegatives } from './negatives/negatives.js';
import { inputCount, type Network, type NetworkShape, type ObjectiveName, type Preprocessing } from './network.js';
import type { LossConfig } from './objectives/losses.js';
import type { ReadoutConfig } from './objectives/readout.js';
import type { RecurrentConfig } from './recurrent.js';
import type { StopConfig } from './schedule/early-stop.js';
import type { OnlineConfig } from './schedule/online.js';
import { completePhases, type PartialPhases, type PhasesConfig } from './schedule/phases.js';
import type { Schedule } from './schedule/schedule.js';

/** The recipe of a training: everything but the network's shape and the data. */
export interface TrainConfig {
  readonly loss: LossConfig;
  readonly threshold: ThresholdConfig;
  readonly negatives: NegativesConfig;
  /** Deviation of the first pre-activations: initial weights are normal with deviation gain / sqrt(inputs) (> 0). */
  readonly gain: number;
  readonly optimizer: OptimizerConfig;
  readonly schedule: Schedule;
  /** Highest learning rate (> 0). */
  readonly learningRate: number;
  readonly phases: PhasesConfig;
  readonly stabilisers: Stabilisers;
  /** Closed-form steps on one sample at a time instead of the slope of a loss; off where left out. */
  readonly online?: OnlineConfig;
  /** The softmax read-out; none where left out. */
  readonly readout?: ReadoutConfig;
  readonly augmentation: Augmentation;
  /**
   * Samples come at full resolution, are augmented there, and are then mean-pooled over squares of this many pixels; 1: they
   * come as the network takes them.
   */
  readonly pool: number;
  /** Chance of an input of the first layer to be dropped, 0 to below 1. */
  readonly inputDropout: number;
  /** Chance of an input of a further layer to be dropped, 0 to below 1. */
  readonly dropout: number;
  /** Layers, by index, that stay as they are: they only pass their inputs on. */
  readonly frozen?: readonly number[];
  /** Weight of peer normalisation (Hinton 2022, section 4: 0.03 in his code); 0 is off. */
  readonly peer: number;
  /** Fake-quantized training; off where left out. */
  readonly quantization?: FakeQuantization;
}

/** What keeps weights in place where phases lie far apart. */
export interface Stabilisers {
  /** `neuron`: every neuron's weights keep the length that they begin with; `layer`: those of a layer together. */
  readonly norm: 'free' | 'neuron' | 'layer';
  /** Part of the inputs' running mean that is taken off the inputs that weights learn from; 0 is off, 1.1 what devices do. */
  readonly centring: number;
  /**
   * Samples whose goodness lies on the right side of the threshold by this part of it are not learned any more; off where left out. A
   * long phase then ends by itself: Adam would go on at its full pace, however faint the slopes get.
   */
  readonly margin?: number;
}

/** A recipe of which only the parts that differ from the defaults are given; a part of several kinds may be the kind alone. */
export interface PartialTrainConfig
  extends Partial<
    Pick<TrainConfig, 'gain' | 'learningRate' | 'pool' | 'inputDropout' | 'dropout' | 'peer' | 'frozen'>
  > {
  readonly quantization?: PartialFakeQuantization;
  readonly loss?: Partial<LossConfig>;
  readonly threshold?: PartialThreshold;
  readonly negatives?: PartialNegatives;
  readonly optimizer?: PartialOptimizer;
  readonly schedule?: Partial<Schedule>;
  readonly phases?: PartialPhases | { readonly kind: 'interleaved' };
  readonly stabilisers?: Partial<Stabilisers>;
  readonly online?: Partial<OnlineConfig>;
  readonly readout?: Partial<ReadoutConfig>;
  readonly augmentation?: Partial<Augmentation>;
}

/** How long to train, and in which portions. */
export interface FitPlan {
  readonly epochs: number;
  /** Samples per step. */
  readonly batch: number;
  /** Holds a part of the data out and stops early; neither where left out. */
  readonly stop?: StopConfig;
}

/**
 * Learning rate that suits a network: Adam moves every weight by about the rate, which changes a pre-activation by about the
 * rate times sqrt(inputs) where inputs are independent. So small networks take larger rates: 784 inputs 1e-3, 84 inputs 3e-3.
 */
export function rateFor(inputs: number): number {
  return 0.028 / Math.sqrt(inputs);
}

/** Learning rate of plain gradient descent (Hinton's code: 0.01). */
const PLAIN_RATE = 0.01;

/** What a recipe's defaults depend on. */
export interface Surroundings {
  /** Inputs of the first layer: they decide the learning rate. */
  readonly inputs: number;
  /** Neurons per layer. */
  readonly hidden: readonly number[];
  readonly theta: number;
  readonly objective: ObjectiveName;
  readonly goodness: GoodnessConfig;
  readonly recurrent?: RecurrentConfig;
  /** Present for images. */
  readonly geometry: Geometry | undefined;
}

/** The surroundings of a recipe that trains a network, or one of a shape. */
export function surroundingsOf(network: Network | NetworkShape, geometry: Geometry | undefined): Surroundings {
  const { theta, objective, goodness = MEAN_SQUARES, recurrent } = network;
  const hidden = 'hidden' in network ? network.hidden : network.layers.map((layer) => layer.outputs);
  const common = { inputs: inputCount(network), hidden, theta, objective, goodness, geometry };
  return recurrent === undefined ? common : { ...common, recurrent };
}

/**
 * The recipe with everything filled in.
 * @throws GoodnessError `train.config`, naming the field
 */
export function completeConfig(partial: PartialTrainConfig, surroundings: Surroundings): TrainConfig {
  checked(TRAIN_CONFIG, partial, 'train.config', 'the recipe');
  const { inputs, hidden, theta, objective, goodness, geometry, recurrent } = surroundings;
  const { quantization, online, readout } = partial;
  // A sum over neurons is that much larger than a mean: the losses must not be as sharp.
  const softness = goodness.kind === 'sum-squares' || goodness.kind === 'minus-sum-squares' ? 1 : 0.25;
  // All labels in all iterations would be a high price for a negative: recurrent networks draw theirs from a first pass.
  const drawn = recurrent === undefined ? undefined : ({ kind: 'hard', from: 'readout' } as const);
  const negatives = completeNegatives(partial.negatives ?? drawn, objective, geometry);
  // Adam takes steps of one size for all weights. Where all gradients point one way (positive data only, inputs >= 0) it learns that
  // there are inputs, and not which.
  const optimizer = completeOptimizer(partial.optimizer ?? (negatives.kind === 'none' ? 'sgd' : 'adam'));
  const learningRate = partial.learningRate ?? (optimizer.kind === 'adam' ? rateFor(inputs) : PLAIN_RATE);
  const { inputDropout = 0.05, dropout = 0.1 } = partial;
  const config: TrainConfig = {
    loss: {
      theta,
      contrast: 0.5,
      temperature: softness,
      softness,
      negativeWeight: 1,
      collaboration: 0,
      ...partial.loss,
    },
    threshold: completeThreshold(partial.threshold),
    negatives,
    gain: partial.gain ?? 0.5,
    optimizer,
    schedule: { decay: 'linear', warmup: 0.1, ...partial.schedule },
    learningRate,
    phases: completePhases(partial.phases),
    stabilisers: { norm: 'free', centring: 0, ...partial.stabilisers },
    ...(online === undefined ? {} : { online: { positive: 1.5, negative: 0.5, strength: 0.05, ...online } }),
    ...(readout === undefined && objective !== 'unsupervised' && recurrent === undefined
      ? {}
      : { readout: completeReadout(readout, hidden) }),
    // Frames lie one below the other: a shift would move one into the next.
    augmentation: { shift: (recurrent?.frames ?? 1) > 1 ? 0 : 1, jitter: 0, ...partial.augmentation },
    pool: partial.pool ?? 1,
    inputDropout,
    dropout,
    ...(partial.frozen === undefined ? {} : { frozen: partial.frozen }),
    peer: partial.peer ?? 0,
    ...(quantization === undefined ? {} : { quantization: { learningRate, inputDropout, dropout, ...quantization } }),
  };
  checkTogether(config, hidden.length, surroundings);
  return config;
}

function completeReadout(partial: Partial<ReadoutConfig> | undefined, hidden: readonly number[]): ReadoutConfig {
  const from = partial?.from ?? Math.min(1, hidden.length - 1);
  const inputs = hidden.slice(from).reduce((sum, outputs) => sum + outputs, 0);
  return { learningRate: rateFor(Math.max(1, inputs)), weightDecay: 0, epochs: 0, ...partial, from };
}

/** What no field can be asked alone. */
function checkTogether(config: TrainConfig, layers: number, { objective, goodness }: Surroundings): void {
  const { readout, negatives, quantization, phases, online } = config;
  const refuse = (what: string, expected: string, got: string): never => {
    throw new GoodnessError('train.config', what, { expected, got });
  };
  if (readout !== undefined && readout.from >= layers) {
    refuse('the read-out begins above the last layer', `readout.from below ${layers}`, String(readout.from));
  }
  if (readout !== undefined && objective !== 'unsupervised' && objective !== 'label') {
    refuse('this objective has no read-out', 'the objective unsupervised or label', objective);
  }
  if (negatives.kind === 'hard' && negatives.from === 'readout' && readout === undefined) {
    refuse('hard negatives need a read-out to be drawn from', 'a readout', 'none');
  }
  if (phases.kind === 'separated' && negatives.kind === 'none') {
    refuse('phases can not be separated without negative data', 'negatives of another kind than none', 'none');
  }
  if (online !== undefined && goodness.kind !== 'mean-squares' && goodness.kind !== 'sum-squares') {
    refuse('closed-form steps are for squares', 'the goodness mean-squares or sum-squares', goodness.kind);
  }
  const scales = quantization?.scales;
  if (scales !== undefined && scales.length !== layers) {
    refuse('invalid quantization.scales', `${layers}, one per layer`, String(scales.length));
  }
}

/** Steps that a small data set gets at least, whatever its size. */
const LEAST_STEPS = 6000;

/** Epochs and batch that suit the size of the data: small sets get small batches and enough epochs to take some 6,000 steps. */
export function planFor(count: number): FitPlan {
  const batch = Math.max(1, Math.min(100, Math.floor(count / 10)));
  const epochs = Math.max(20, Math.ceil(LEAST_STEPS / Math.ceil(count / batch)));
  return { epochs, batch };
}

/** Choices about a network's shape that may be left to defaults. */
export interface ShapeOptions {
  /** Neurons per layer. */
  readonly hidden: readonly number[];
  readonly objective?: ObjectiveName;
  readonly preprocessing?: Partial<Preprocessing>;
  readonly labelValue?: number;
  readonly theta?: number;
  readonly goodness?: PartialGoodness;
  /** First layer, from 0, whose goodness counts for the answer. */
  readonly scoredFrom?: number;
  /** Images: local receptive fields of the lowest layers. */
  readonly fields?: readonly FieldConfig[];
  /** Objective `label`: layers that see the one above as well. */
  readonly recurrent?: Partial<RecurrentConfig>;
}

/**
 * The shape of a network for a data set: images lose their smallest byte, vectors of sensor values gain their complement.
 * @throws GoodnessError `network.fields` if there are fields, and no images
 */
export function shapeFor(
  dataset: Pick<Dataset, 'width' | 'classes' | 'geometry'>,
  { hidden, objective = 'partitioned', preprocessing, labelValue = 255, theta = 2, ...options }: ShapeOptions,
): NetworkShape {
  const { geometry } = dataset;
  const image = geometry !== undefined;
  const { goodness, scoredFrom, fields, recurrent } = options;
  if (fields !== undefined && !image) {
    throw new GoodnessError('network.fields', 'local fields are for images', {
      expected: 'a geometry',
      got: 'vectors',
    });
  }
  return {
    width: dataset.width,
    classes: objective === 'one-class' ? 1 : dataset.classes.length,
    objective,
    preprocessing: { subtractMin: image, encoding: image ? 'plain' : 'complement', ...preprocessing },
    labelValue,
    theta,
    ...(goodness === undefined ? {} : { goodness: completeGoodness(goodness) }),
    ...(scoredFrom === undefined ? {} : { scoredFrom }),
    ...(fields === undefined ? {} : { fields: { geometry: geometry!, layers: fields } }),
    ...(recurrent === undefined ? {} : { recurrent: completeRecurrent(recurrent) }),
    hidden,
  };
}

/** Hinton 2022, section 3.4: 8 iterations, of which 3 to 5 are scored, and 0.3 of the old activity stays. */
function completeRecurrent(partial: Partial<RecurrentConfig>): RecurrentConfig {
  const { iterations = 8, damping = 0.3, frames = 1 } = partial;
  const { scored = frames > 1 ? [1, iterations] : [Math.min(3, iterations), Math.min(5, iterations)] } = partial;
  return { iterations, damping, scored, frames };
}
