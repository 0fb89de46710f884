import { GoodnessError } from '../base/errors.js';
import { Random } from '../base/random.js';
import { type Dataset, select } from '../data/dataset.js';
import { crc32 } from '../format/crc32.js';
import { encodeImage } from '../format/image.js';
import type { InputBits, WeightBits } from '../format/layout.js';
import { formatMeta, type Meta } from '../format/meta.js';
import { LIMIT, type Model, type ModelLayer, type ModelState, modelGroups } from '../format/model.js';
import { ofLayer, type PerLayer } from '../train/layers/fake-quantization.js';
import { type Network, validateNetwork } from '../train/network.js';
import { type DeviceNetwork, deviceData, deviceNetwork } from './device-network.js';
import { judgeScores, type ModelEvaluation } from './evaluation.js';
import { LEARNING, type LearningParameters, layerLearning, suitedTo } from './learning.js';
import { checkBits, checkDeviceLimits } from './limits.js';
import { chooseRanges, type LayerRanges } from './ranges.js';
import { checkFit, LayerErrors, scoreDataset } from './scores.js';
import { inputSpread } from './spread.js';
import { calibrateThresholds, noveltyThreshold, type ThresholdRule } from './thresholds.js';
import { chooseScale, quantizeWeights, type ScaleRule, usualRule } from './weights.js';

export interface QuantizeOptions {
  /** Labelled samples as the device will see them: ranges, thresholds and running means come from them. */
  readonly calibration: Dataset;
  /** Bits of a weight, 8, 4, 3 or 2: of all layers, or one per layer. 8 if left out. */
  readonly bits?: PerLayer;
  /** Bits of a layer's rescaled inputs, 8 or 4, likewise. */
  readonly inputBits?: PerLayer;
  /** Decides the device's first random state, and which samples the ranges are taken from. */
  readonly seed?: number;
  /** Value of one step of each layer, for instance those of quantization-aware training; or how to find them, by bits if left out. */
  readonly scales?: readonly number[] | ScaleRule;
  readonly thresholds?: ThresholdRule;
  /** Part of the calibration samples that counts as novel, 0.05 by default. */
  readonly novelty?: number;
  /** Whether the layers learn on the device; default: all of a class-partitioned network. */
  readonly learns?: boolean;
  readonly learning?: Partial<LearningParameters>;
  /** Added to what the data set says about itself. */
  readonly meta?: Partial<Meta>;
}

/** What quantization did to one layer. */
export interface LayerReport extends LayerRanges {
  readonly bits: number;
  readonly inputBits: number;
  readonly scale: number;
  readonly clippedWeights: number;
  /** Root mean square error of the weights as a part of their own root mean square. */
  readonly weightError: number;
}

export interface QuantizeReport {
  readonly layers: readonly LayerReport[];
  readonly imageBytes: number;
  /** Score of a mean goodness of 1.0 in one layer: scores and thresholds divided by it are summed mean goodness. */
  readonly scoreUnit: number;
  /** Score at the threshold that training aimed at. */
  readonly thetaScore: number;
  /** On the calibration data, with the calibrated thresholds. */
  readonly calibration: ModelEvaluation;
}

export interface Quantized {
  readonly model: Model;
  readonly report: QuantizeReport;
}

/** Samples that the ranges are taken from: they need far fewer than thresholds do. */
const RANGE_SAMPLES = 500;
const SPREAD_SAMPLES = 3000;
/** Samples that thresholds are taken from where each costs a pass per label. */
const LABELLED_SAMPLES = 5000;
/** Inputs of the first layer may be as long as this; a hidden layer's few strong activities would be clipped beyond 8. */
const LONGEST_INPUT = 10;
const LONGEST_HIDDEN = 8;

/**
 * A float network as an integer model: weights in int8 with one scale per layer, shifts from calibration data, thresholds
 * calibrated on the very integers that the device will compute.
 * @throws GoodnessError `quantize.host` if only a host can run it; `quantize.bits`, `quantize.data`, `quantize.scale`, `quantize.limit`, `quantize.thresholds`,
 * `network.shape`, `network.weights`
 */
export function quantize(given: Network, options: QuantizeOptions): Quantized {
  const calibration = deviceData(given, options.calibration);
  const { bits = 8, inputBits = 8 } = options;
  checkBits(bits, inputBits);
  validateNetwork(given);
  const network = deviceNetwork(given);
  checkDeviceLimits({
    inputs: network.layers[0]!.inputs,
    hidden: network.layers.map((l) => l.outputs),
    classes: network.classes,
  });
  checkFit({ rawInputs: network.width, classes: network.classes }, calibration);
  if (calibration.count === 0) {
    throw new GoodnessError('quantize.data', 'no samples to calibrate on', { expected: '1 sample or more', got: '0' });
  }
  const { scales, seed = 1 } = options;
  if (typeof scales === 'object' && scales.length !== network.layers.length) {
    throw new GoodnessError('quantize.scale', 'one scale per layer is needed', {
      expected: String(network.layers.length),
      got: String(scales.length),
    });
  }
  const shape = shapeOf(network);
  const learns = given.objective === 'partitioned' && (options.learns ?? true);
  const quantized = network.layers.map(({ inputs, outputs, weights }, l) => {
    const kind = { weightBits: ofLayer(bits, l) as WeightBits, inputBits: ofLayer(inputBits, l) as InputBits };
    const scale = Math.fround(
      typeof scales === 'object'
        ? scales[l]!
        : chooseScale(weights, scales ?? usualRule(kind.weightBits), kind.weightBits),
    );
    return { inputs, outputs, ...kind, scale, ...quantizeWeights(weights, scale, kind.weightBits) };
  });
  const order = new Random(seed).permutation(calibration.count);
  const ranges = chooseRanges(shape, quantized, select(calibration, order.subarray(0, RANGE_SAMPLES)), (l) =>
    l === 0 ? LONGEST_INPUT : LONGEST_HIDDEN,
  );
  const layers = quantized.map(({ inputs, outputs, weightBits, inputBits, scale, weights }, l): ModelLayer => {
    const { lengthShift, outputShift, activityMax } = ranges[l]!;
    const unit = Math.fround(ranges[l]!.outputUnit);
    return {
      inputs,
      outputs,
      weights,
      weightBits,
      inputBits,
      layout: 0,
      scale,
      lengthShift,
      outputShift,
      activityMax,
      outputUnit: unit,
      inputSumBound: 0,
      learns,
    };
  });
  const groups = modelGroups(shape);
  const thetas = layers.map((layer, l) => integerTheta(network.thetas[l]!, layer, groups));
  const factors = scoreFactors(layers, groups, network.shares);
  const state: ModelState = {
    baseId: weightsId(layers),
    t: 0,
    random: (new Random(seed).uint32() | 1) >>> 0,
    samples: 0,
    updates: 0,
    errors: 0,
    falseRejects: 0,
    falseAccepts: 0,
    noveltyThreshold: 0,
    ...shared(LEARNING),
    centring: 256,
    layers: layers.map((_, l) => ({
      theta: thetas[l]!,
      scoreFactor: factors[l]!,
      rate: 0,
      learningShift: 1,
      reviveActivity: 0,
      recentErrors: 0,
      usualErrors: 0,
    })),
    thresholds: new Uint32Array(shape.classes),
    counts: new Uint32Array(shape.classes),
    means: layers.map((layer) => new Uint16Array(layer.learns ? layer.inputs : 0)),
  };
  const metaText = formatMeta({ ...describe(calibration), ...options.meta });
  const raw: Model = { ...shape, layers, metaText, state };
  const {
    model: calibrated,
    evaluation,
    layerErrors,
  } = calibrate(
    raw,
    shape.objective === 'label' ? select(calibration, order.subarray(0, LABELLED_SAMPLES)) : calibration,
    options,
  );
  const spread = inputSpread(calibrated, select(calibration, order.subarray(0, SPREAD_SAMPLES)));
  const learning = { ...LEARNING, ...suitedTo(spread), ...options.learning };
  const { rates, recentErrors } = learning;
  const model: Model = {
    ...calibrated,
    state: {
      ...calibrated.state,
      ...shared(learning),
      layers: calibrated.state.layers.map((layer, l) => ({
        ...layer,
        recentErrors,
        usualErrors: Math.min(255, Math.ceil(256 * layerErrors[l]!)),
        ...layerLearning(
          layers[l]!,
          layer.theta,
          layers[l]!.outputs / groups,
          rates[Math.min(l, rates.length - 1)] ?? 0,
        ),
      })),
    },
  };
  const reports = quantized.map(({ weightBits, inputBits, scale, clipped, relativeError }, l) => ({
    ...ranges[l]!,
    bits: weightBits,
    inputBits,
    scale,
    clippedWeights: clipped,
    weightError: relativeError,
  }));
  return { model, report: report(model, reports, evaluation) };
}

/** What of the learning parameters holds for the whole network. */
function shared<P extends { readonly recentErrors: number }>(parameters: P): Omit<P, 'recentErrors' | 'rates'> {
  const { recentErrors, rates, ...rest } = { rates: undefined, ...parameters };
  return rest;
}

/** What `calibrate` found. */
export interface Calibrated {
  readonly model: Model;
  readonly evaluation: ModelEvaluation;
  /** Part of the samples that each layer and those below took for another class. */
  readonly layerErrors: readonly number[];
}

/**
 * Sets class thresholds, novelty threshold and running means of a model from labelled samples; weights and everything else
 * stay.
 */
export function calibrate(
  model: Model,
  data: Dataset,
  options: Pick<QuantizeOptions, 'thresholds' | 'novelty'> = {},
): Calibrated {
  const sums = model.layers.map((layer) => new Float64Array(layer.learns ? layer.inputs : 0));
  const errors = new LayerErrors(model);
  let at = 0;
  const scores = scoreDataset(model, data, (pass) => {
    if (model.objective === 'partitioned') errors.add(pass, data.labels[at++]!);
    sums.forEach((sum, l) => {
      const { input } = pass.layers[l]!;
      for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + input[i]!;
    });
  });
  const theta = thetaScore(model);
  const thresholds = calibrateThresholds(scores, data.labels, model.classes, options.thresholds ?? 'balanced', theta);
  const novelty = noveltyThreshold(scores, model.classes, options.novelty ?? 0.05);
  const means = sums.map((sum) => Uint16Array.from(sum, (s) => Math.round((256 * s) / Math.max(1, data.count))));
  const state = { ...model.state, thresholds, noveltyThreshold: novelty, means };
  return {
    model: { ...model, state },
    evaluation: judgeScores(scores, data.labels, thresholds, novelty),
    layerErrors: errors.rates(),
  };
}

/** The score of a class whose goodness is at theta in every layer. */
export function thetaScore(model: Model): number {
  const sum = model.state.layers.reduce((total, layer) => total + (layer.theta * layer.scoreFactor) / 65536, 0);
  return Math.min(0xffffffff, Math.round(sum));
}

/** The score of a mean goodness of 1.0 in one layer; it is the same for all layers but for rounding. */
export function scoreUnit(model: Model): number {
  const groups = modelGroups(model);
  const sum = model.layers.reduce((total, layer, l) => {
    const goodness = (layer.outputUnit ** 2 * layer.outputs) / groups;
    return total + (goodness * model.state.layers[l]!.scoreFactor) / 65536;
  }, 0);
  return sum / model.layers.length;
}

/** Names weights: equal weights have the same id. */
export function weightsId(layers: readonly Pick<ModelLayer, 'weights'>[]): number {
  return layers.reduce(
    (crc, { weights }) => crc32(new Uint8Array(weights.buffer, weights.byteOffset, weights.length), crc),
    0,
  );
}

function report(model: Model, layers: readonly LayerReport[], calibration: ModelEvaluation): QuantizeReport {
  return {
    layers,
    imageBytes: encodeImage(model).length,
    scoreUnit: scoreUnit(model),
    thetaScore: thetaScore(model),
    calibration,
  };
}

type Shape = Omit<Model, 'layers' | 'metaText' | 'state'>;

function shapeOf(network: DeviceNetwork): Shape {
  const { width, classes, objective, preprocessing, labelValue } = network;
  const { encoding, subtractMin } = preprocessing;
  return {
    rawInputs: width,
    classes,
    objective,
    encoding,
    subtractMin,
    labelValue: objective === 'label' ? labelValue : 0,
    layersBelow: 0,
  };
}

/** Goodness (sum of squares) of a group whose mean goodness is theta in the trainer's units. */
function integerTheta(theta: number, layer: ModelLayer, groups: number): number {
  const sum = (theta * layer.outputUnit ** 2 * layer.outputs) / groups;
  return Math.max(32, Math.min(0xffffffff, Math.round(sum)));
}

/** Factors by which the mean goodness of every layer counts as much as its weight says, as large as they may be. */
function scoreFactors(layers: readonly ModelLayer[], groups: number, weights: readonly number[]): number[] {
  const shares = layers.map((layer, l) => (weights[l]! * groups) / (layer.outputUnit ** 2 * layer.outputs));
  const sum = shares.reduce((a, b) => a + b, 0);
  // Rounding down keeps the sum within the limit; 1 at least, or a layer that shall count would not.
  return shares.map((share) =>
    Math.max(Math.sign(share), Math.floor(((LIMIT.scoreFactorSum - layers.length) * share) / sum)),
  );
}

function describe(data: Dataset): Meta {
  return {
    classes: data.classes,
    ...(data.features === undefined ? {} : { features: data.features }),
    ...(data.others === undefined ? {} : { others: data.others }),
    ...(data.oneClass === undefined ? {} : { oneClass: data.oneClass }),
    dataset: data.name,
    ...(data.geometry === undefined ? {} : { geometry: data.geometry }),
    scaling: { offset: [...data.scaling.offset], step: [...data.scaling.step] },
    ...(data.extractor === undefined ? {} : { extractor: data.extractor }),
  };
}
