import { Random } from '../../src/base/random.js';
import { type InputBits, type WeightBits, weightLimit } from '../../src/format/layout.js';
import { formatMeta } from '../../src/format/meta.js';
import {
  encodedInputs,
  type LayerAbove,
  largestActivity,
  type Model,
  type ModelEncoding,
  type ModelLayer,
  type ModelObjective,
} from '../../src/format/model.js';

/** What a random model is like; everything else is drawn. */
export interface RandomModelOptions {
  readonly seed: number;
  readonly rawInputs: number;
  readonly classes: number;
  readonly hidden: readonly number[];
  readonly objective?: ModelObjective;
  readonly encoding?: ModelEncoding;
  readonly subtractMin?: boolean;
  readonly lengthShift?: number;
  readonly outputShift?: number;
  /** Largest activity, where it should be reached. */
  readonly activityMax?: number;
  /** All weights are as large as they may be, with either sign. */
  readonly extreme?: boolean;
  /** Bits of the weights and of the inputs, for all layers or for each. */
  readonly bits?: WeightBits | readonly WeightBits[];
  readonly inputBits?: InputBits | readonly InputBits[];
  /** A stage above others: its samples are 4 * classes bytes of scores longer than `rawInputs`, and come rescaled. */
  readonly layersBelow?: number;
  /** A stage below others. */
  readonly above?: LayerAbove;
  /** Of a stage: other boards learn. */
  readonly counts?: boolean;
  readonly learns?: readonly boolean[];
  readonly meta?: boolean;
  readonly meanShift?: number;
  readonly thresholdShift?: number;
  readonly reviveShift?: number;
  readonly recentErrors?: number;
  readonly usualErrors?: number;
  readonly errorSpan?: number;
  readonly margin?: number;
  readonly rate?: number;
  /** Theta as a multiple of what a layer typically reaches. */
  readonly thetaScale?: number;
}

/** A small valid model with random weights and parameters of a size at which everything happens. */
export function randomModel(options: RandomModelOptions): Model {
  const random = new Random(options.seed);
  const { classes, hidden } = options;
  const partitioned = options.objective !== 'label';
  const layersBelow = partitioned ? (options.layersBelow ?? 0) : 0;
  const above = partitioned ? options.above : undefined;
  const upper = layersBelow > 0;
  const shape = {
    rawInputs: options.rawInputs + (upper ? 4 * classes : 0),
    classes,
    objective: options.objective ?? 'partitioned',
    encoding: upper ? 'plain' : (options.encoding ?? 'plain'),
    layersBelow,
  } as const;
  let inputs = encodedInputs(shape);
  const layers = hidden.map((outputs, l): ModelLayer => {
    const weightBits = each(options.bits, l) ?? 8;
    const most = weightLimit(weightBits);
    const weights = Int8Array.from({ length: inputs * outputs }, () =>
      options.extreme
        ? random.integer(2) === 0
          ? -most
          : most
        : Math.max(-most, Math.min(most, Math.round((40 / 127) * most * random.normal()))),
    );
    const layer: ModelLayer = {
      inputs,
      outputs,
      weights,
      weightBits,
      inputBits: each(options.inputBits, l) ?? 8,
      layout: 0,
      lengthShift: options.lengthShift ?? 8,
      outputShift: options.outputShift ?? 6,
      activityMax: options.activityMax ?? largestActivity(outputs),
      inputSumBound: 0,
      learns: partitioned && (options.learns?.[l] ?? true),
      scale: 1 / 128,
      outputUnit: 256,
    };
    inputs = outputs;
    return layer;
  });
  const groups = partitioned ? classes : 1;
  const metaText =
    options.meta === false
      ? ''
      : formatMeta({ classes: Array.from({ length: classes }, (_, c) => `class ${c}`), created: 'golden vectors' });
  return {
    ...shape,
    subtractMin: !upper && (options.subtractMin ?? false),
    labelValue: partitioned ? 0 : 255,
    ...(above === undefined ? {} : { above }),
    ...(options.counts && (upper || above !== undefined) ? { counts: true } : {}),
    layers,
    metaText,
    state: {
      baseId: random.uint32(),
      t: random.integer(100),
      random: random.uint32() | 1 ? (random.uint32() | 1) >>> 0 : 1,
      samples: random.integer(1000),
      updates: random.integer(1000),
      errors: random.integer(100),
      falseRejects: random.integer(100),
      falseAccepts: random.integer(100),
      noveltyThreshold: random.integer(20000),
      tau: 1 + random.integer(4000),
      centring: 200 + random.integer(120),
      margin: options.margin ?? 51,
      meanShift: options.meanShift ?? 4,
      thresholdShift: options.thresholdShift ?? 6,
      reviveShift: options.reviveShift ?? 2,
      errorSpan: options.errorSpan ?? 33,
      layers: layers.map((layer) => ({
        theta: Math.max(32, Math.round((options.thetaScale ?? 1) * typicalGoodness(layer, groups))),
        scoreFactor: Math.floor(65535 / layers.length) - random.integer(100),
        rate: options.rate ?? 20000 + random.integer(40000),
        reviveActivity: 100 + random.integer(1000),
        recentErrors: options.recentErrors ?? 8192,
        usualErrors: options.usualErrors ?? 5,
        learningShift: Math.min(24, layer.lengthShift + 6),
      })),
      thresholds: Uint32Array.from({ length: classes }, () => random.integer(40000)),
      counts: Uint32Array.from({ length: classes }, () => random.integer(100)),
      means: layers.map((layer) =>
        Uint16Array.from({ length: layer.learns ? layer.inputs : 0 }, () => random.integer(20000)),
      ),
    },
  };
}

/** The number for a layer, where one was given. */
function each<T>(values: T | readonly T[] | undefined, layer: number): T | undefined {
  return Array.isArray(values) ? (values as readonly T[])[layer % values.length] : (values as T | undefined);
}

/** Goodness of a group whose accumulators have the deviation that random weights and a full-length input give. */
function typicalGoodness(layer: ModelLayer, groups: number): number {
  const weight = (40 / 127) * weightLimit(layer.weightBits);
  const deviation = (weight * 2 ** layer.lengthShift) / 2 ** layer.outputShift;
  return Math.min(1e9, ((layer.outputs / groups) * deviation * deviation) / 2);
}

/** `count` samples of random bytes, many of them zero, with a few all 0 and all 255. */
export function randomInputs(seed: number, count: number, width: number): Uint8Array[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, n) => {
    if (n === 1) return new Uint8Array(width);
    if (n === 2) return new Uint8Array(width).fill(255);
    const low = n % 3 === 0 ? random.integer(100) : 0;
    return Uint8Array.from({ length: width }, () => (random.integer(2) === 0 ? low : low + random.integer(256 - low)));
  });
}
