import type { InputBits, WeightBits } from './layout.js';

/** How labels meet the network: one group of neurons per class, or the label as part of the input. */
export type ModelObjective = 'partitioned' | 'label';

/** How a sample's bytes become inputs: as they are, or followed by 255 - x of each. */
export type ModelEncoding = 'plain' | 'complement';

/** Limits of the format (SPEC.md, "Limits"). */
export const LIMIT = {
  inputs: 65535,
  neurons: 4096,
  layers: 8,
  classes: 254,
  imageBytes: 16777216,
  metaBytes: 65535,
  scoreFactorSum: 65535,
  /** Answers to LEARN that a stage with layers above keeps, to give them again. */
  answersKept: 4,
} as const;

/** What a layer's own parameters of learning and scoring are. */
export interface LayerState {
  /** Goodness (sum of y^2) of a group at the threshold, 32 to 2^32 - 1. */
  readonly theta: number;
  /** Weight of the layer's goodness in the score, in 2^-16; those of all layers add up to at most 65,535. */
  readonly scoreFactor: number;
  /** Learning rate, 0 to 65,535. */
  readonly rate: number;
  /** Activity that a revived row takes for a learning step, 0 to 65,535. */
  readonly reviveActivity: number;
  /** Recent rate, Q16, of samples that this layer and those below took for another class before they were learned. */
  readonly recentErrors: number;
  /** Weight steps are scaled by 2^-learningShift, 1 to 24. */
  readonly learningShift: number;
  /** Error rate, Q8, that is usual: the layer learns nothing while its recent one is not above it. */
  readonly usualErrors: number;
}

/** Everything that learning and a sync may change beside the weights (SPEC.md, "State"). */
export interface ModelState {
  /** Names the weights that the host last gave, u32. */
  readonly baseId: number;
  /** Samples learned since then. */
  readonly t: number;
  /** State of the device's random numbers, not 0. */
  readonly random: number;
  /** Samples learned in all. */
  readonly samples: number;
  /** Layer updates in all. */
  readonly updates: number;
  /** Learned samples whose class was predicted wrongly before they were learned. */
  readonly errors: number;
  readonly falseRejects: number;
  readonly falseAccepts: number;
  /** A sample whose largest score lies below is novel. */
  readonly noveltyThreshold: number;
  /** The learning rate is multiplied by tau / (tau + t), >= 1. */
  readonly tau: number;
  /** Part of the running mean that is taken off an input, Q8, at most 512. */
  readonly centring: number;
  /** Lead over the other groups, in Q8 parts of theta, at which a sample is no longer learned. */
  readonly margin: number;
  /** Running means move by 2^-meanShift, 1 to 8. */
  readonly meanShift: number;
  /** Class thresholds move by 2^-thresholdShift, 1 to 15, or not at all: 0. */
  readonly thresholdShift: number;
  /** Chance of a row of a dead group to be revived is 2^-reviveShift, 0 to 8. */
  readonly reviveShift: number;
  /** A layer learns at its full rate from its usualErrors + errorSpan on (Q8), between them in proportion; 0 = always full. */
  readonly errorSpan: number;
  readonly layers: readonly LayerState[];
  /** (classes), in units of the score. */
  readonly thresholds: Uint32Array;
  /** Learned samples per class (classes). */
  readonly counts: Uint32Array;
  /** Running mean of each input, Q8, per layer: (inputs) of a layer that learns, empty for one that doesn't. */
  readonly means: readonly Uint16Array[];
}

/** One dense layer in integers (SPEC.md, "Layer record"). */
export interface ModelLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** (inputs, outputs), input-major: input i to neuron j is `weights[i * outputs + j]`; within +-(2^(weightBits - 1) - 1). */
  readonly weights: Int8Array;
  readonly weightBits: WeightBits;
  /** Rescaled inputs are at most 2^inputBits - 1. */
  readonly inputBits: InputBits;
  /** Tag of the layout that the weights have on the device (`LAYOUTS`); 0 works on every one. */
  readonly layout: number;
  /** k: the layer's input is rescaled to length 2^k, 4 to 12. */
  readonly lengthShift: number;
  /** s: accumulators are divided by 2^s, 0 to 24. */
  readonly outputShift: number;
  /** Largest activity, >= 1, with outputs * activityMax^2 < 2^32. */
  readonly activityMax: number;
  /** Declared bound on the sum of the layer's input bytes, 0 = none. */
  readonly inputSumBound: number;
  readonly learns: boolean;
  /** Weight of the trainer = scale * integer weight. */
  readonly scale: number;
  /** Integer activity that stands for 1.0 in the trainer's units. */
  readonly outputUnit: number;
}

/** What the layer above a stage's last one, on another board, wants as its input. */
export interface LayerAbove {
  /** As in ModelLayer. */
  readonly lengthShift: number;
  readonly inputBits: InputBits;
}

/** A model image as an object. Nothing in it changes; what learns keeps a copy of its own. */
export interface Model {
  /** Bytes of a sample: what the sensor delivers, or what the layers below hand on (4 * classes, and the first layer's input). */
  readonly rawInputs: number;
  readonly classes: number;
  readonly objective: ModelObjective;
  readonly encoding: ModelEncoding;
  /** Whether the sample's smallest byte is subtracted from all. */
  readonly subtractMin: boolean;
  /** Objective `label`: byte of the true label's input; else 0. */
  readonly labelValue: number;
  /** Layers of the network below the first one here, on other boards: 0 for a whole network. */
  readonly layersBelow: number;
  /** The layer above the last one here, on another board; missing where the last one is the network's own. */
  readonly above?: LayerAbove;
  /** A stage only: samples are learned though no layer here may learn, since layers on other boards do. */
  readonly counts?: boolean;
  readonly layers: readonly ModelLayer[];
  /**
   * The JSON as it stands in the image, '' if there is none: `metaOf(model)` reads it. Kept as text because offsets of a
   * patch depend on its length, and because unknown keys must survive.
   */
  readonly metaText: string;
  readonly state: ModelState;
}

/** Inputs of the first layer. */
export function encodedInputs(
  model: Pick<Model, 'rawInputs' | 'classes' | 'objective' | 'encoding'> & Partial<Pick<Model, 'layersBelow'>>,
): number {
  if ((model.layersBelow ?? 0) > 0) return model.rawInputs - 4 * model.classes;
  const sensor = model.encoding === 'complement' ? 2 * model.rawInputs : model.rawInputs;
  return model.objective === 'label' ? sensor + model.classes : sensor;
}

/** Groups that the neurons of a layer are split into. */
export function modelGroups(model: Pick<Model, 'classes' | 'objective'>): number {
  return model.objective === 'label' ? 1 : model.classes;
}

/** The largest activity that keeps the goodness of `neurons` neurons below 2^32. */
export function largestActivity(neurons: number): number {
  return Math.min(65535, Math.floor(Math.sqrt(4294967295 / neurons)));
}

/** Where the sections of an image lie, in bytes from its start. */
export interface ImageLayout {
  readonly metaOffset: number;
  /** Without padding. */
  readonly metaLength: number;
  readonly weightsOffsets: readonly number[];
  readonly stateOffset: number;
  readonly stateLength: number;
  readonly length: number;
}

/** Bytes up to the next multiple of 4. */
export function padded(length: number): number {
  return length + (-length & 3);
}

/** The model with only these layers learning; running means of the others are dropped, as the format wants. */
export function withLearning(model: Model, learns: ReadonlySet<number>): Model {
  return {
    ...model,
    layers: model.layers.map((layer, l) => ({ ...layer, learns: learns.has(l) })),
    state: {
      ...model.state,
      means: model.state.means.map((means, l) => (learns.has(l) ? means : new Uint16Array(0))),
    },
  };
}
