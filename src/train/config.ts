import { GoodnessError } from '../base/errors.js';
import type { Dataset } from '../data/dataset.js';
import type { Augmentation } from './augmentation.js';
import type { FakeQuantization } from './layers/fake-quantization.js';
import { ADAM, type OptimizerConfig } from './layers/optimizer.js';
import type { NegativeKind } from './negatives/wrong-labels.js';
import type { NetworkShape, ObjectiveName, Preprocessing } from './network.js';
import type { LossConfig } from './objectives/losses.js';
import type { Schedule } from './schedule/schedule.js';

/** The recipe of a training: everything but the network's shape and the data. */
export interface TrainConfig {
  readonly loss: LossConfig;
  readonly negatives: NegativeKind;
  /** Deviation of the first pre-activations: initial weights are normal with deviation gain / sqrt(inputs) (> 0). */
  readonly gain: number;
  readonly optimizer: OptimizerConfig;
  readonly schedule: Schedule;
  /** Highest learning rate (> 0). */
  readonly learningRate: number;
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
  /** Weight of peer normalisation (Hinton 2022, section 4: 0.03 in his code); 0 is off. */
  readonly peer: number;
  /** Fake-quantized training; off where left out. */
  readonly quantization?: FakeQuantization;
}

/** A recipe of which only the parts that differ from the defaults are given. */
export type PartialTrainConfig = Omit<Partial<TrainConfig>, 'loss' | 'augmentation' | 'schedule'> & {
  readonly loss?: Partial<LossConfig>;
  readonly augmentation?: Partial<Augmentation>;
  readonly schedule?: Partial<Schedule>;
};

/** How long to train, and in which portions. */
export interface FitPlan {
  readonly epochs: number;
  /** Samples per step. */
  readonly batch: number;
}

/**
 * Learning rate that suits a network: Adam moves every weight by about the rate, which changes a pre-activation by about the
 * rate times sqrt(inputs) where inputs are independent. So small networks take larger rates: 784 inputs 1e-3, 84 inputs 3e-3.
 */
export function rateFor(inputs: number): number {
  return 0.028 / Math.sqrt(inputs);
}

/**
 * The recipe with everything filled in.
 * @param inputs of the first layer; decides the learning rate of a recipe that does not say
 * @param theta the network's, for a recipe that does not say
 * @throws GoodnessError `train.config`
 */
export function completeConfig(partial: PartialTrainConfig, inputs: number, theta = 2): TrainConfig {
  const { quantization } = partial;
  const config: TrainConfig = {
    loss: {
      theta,
      contrast: 0.5,
      temperature: 0.25,
      softness: 0.25,
      negativeWeight: 1,
      collaboration: 0,
      ...partial.loss,
    },
    negatives: partial.negatives ?? 'hard',
    gain: partial.gain ?? 0.5,
    optimizer: partial.optimizer ?? ADAM,
    schedule: { decay: 'linear', warmup: 0.1, ...partial.schedule },
    learningRate: partial.learningRate ?? rateFor(inputs),
    augmentation: { shift: 1, jitter: 0, ...partial.augmentation },
    pool: partial.pool ?? 1,
    inputDropout: partial.inputDropout ?? 0.05,
    dropout: partial.dropout ?? 0.1,
    peer: partial.peer ?? 0,
    ...(quantization === undefined ? {} : { quantization }),
  };
  validateConfig(config);
  return config;
}

/**
 * @throws GoodnessError `train.config`, naming the field
 */
export function validateConfig(config: TrainConfig): void {
  const within = (name: string, value: number, valid: boolean, expected: string): void => {
    if (!Number.isFinite(value) || !valid) {
      throw new GoodnessError('train.config', `invalid ${name}`, { expected, got: String(value) });
    }
  };
  const { loss, schedule, augmentation, optimizer, quantization } = config;
  within('theta', loss.theta, loss.theta > 0, 'a number above 0');
  within('contrast', loss.contrast, loss.contrast >= 0 && loss.contrast <= 1, 'a number from 0 to 1');
  within('temperature', loss.temperature, loss.temperature > 0, 'a number above 0');
  within('softness', loss.softness, loss.softness > 0, 'a number above 0');
  within('negativeWeight', loss.negativeWeight, loss.negativeWeight >= 0, 'a number from 0 on');
  within(
    'collaboration',
    loss.collaboration,
    loss.collaboration >= 0 && loss.collaboration <= 1,
    'a number from 0 to 1',
  );
  within('warmup', schedule.warmup, schedule.warmup >= 0 && schedule.warmup < 1, 'a number from 0 to below 1');
  within('gain', config.gain, config.gain > 0, 'a number above 0');
  within('learningRate', config.learningRate, config.learningRate > 0, 'a number above 0');
  within(
    'shift',
    augmentation.shift,
    Number.isInteger(augmentation.shift) && augmentation.shift >= 0,
    'whole pixels from 0 on',
  );
  within('pool', config.pool, Number.isInteger(config.pool) && config.pool >= 1, 'a whole number from 1 on');
  within('jitter', augmentation.jitter, augmentation.jitter >= 0, 'a number from 0 on');
  within(
    'inputDropout',
    config.inputDropout,
    config.inputDropout >= 0 && config.inputDropout < 1,
    'a number from 0 to below 1',
  );
  within('dropout', config.dropout, config.dropout >= 0 && config.dropout < 1, 'a number from 0 to below 1');
  within('peer', config.peer, config.peer >= 0, 'a number from 0 on');
  within('weightDecay', optimizer.weightDecay, optimizer.weightDecay >= 0, 'a number from 0 on');
  if (quantization !== undefined) {
    const { bits, scales } = quantization;
    within('bits', bits, Number.isInteger(bits) && bits >= 2 && bits <= 8, 'a whole number from 2 to 8');
    for (const scale of scales ?? []) within('scale', scale, scale > 0, 'a number above 0');
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
}

/** The shape of a network for a data set: images lose their smallest byte, vectors of sensor values gain their complement. */
export function shapeFor(
  dataset: Pick<Dataset, 'width' | 'classes' | 'geometry'>,
  { hidden, objective = 'partitioned', preprocessing, labelValue = 255, theta = 2 }: ShapeOptions,
): NetworkShape {
  const image = dataset.geometry !== undefined;
  return {
    width: dataset.width,
    classes: dataset.classes.length,
    objective,
    preprocessing: { subtractMin: image, encoding: image ? 'plain' : 'complement', ...preprocessing },
    labelValue,
    theta,
    hidden,
  };
}
