import { GoodnessError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { type GoodnessConfig, goodnessOf, MEAN_SQUARES } from './goodness/goodness.js';
import { fieldMasks, type LocalFields } from './layers/local-fields.js';
import type { RecurrentConfig } from './recurrent.js';

/**
 * How labels meet the network.
 * - `partitioned`: every layer is split into one group of neurons per class; one pass, the class of the highest goodness wins.
 * - `label`: the label is part of the input (Hinton 2022, section 3.3); one pass per label, the label of the highest goodness
 *   wins, or, with a read-out, one pass with a neutral label.
 * - `unsupervised`: labels don't meet the layers at all (section 3.2); a softmax read-out learns to name what the upper ones see.
 * - `one-class`: everything that the layers learn from is normal; what has little goodness is novel.
 */
export type ObjectiveName = 'partitioned' | 'label' | 'unsupervised' | 'one-class';

export const OBJECTIVES: readonly ObjectiveName[] = ['partitioned', 'label', 'unsupervised', 'one-class'];

/**
 * How bytes become inputs.
 * - `plain`: as they are.
 * - `complement`: n bytes x become 2n, x followed by 255 - x, so that length normalisation does not lose magnitudes.
 */
export type Encoding = 'plain' | 'complement';

/** What happens to a sample's bytes before the first layer; travels in the model. */
export interface Preprocessing {
  /** Whether the sample's smallest byte is subtracted from all its bytes first (cures constant backgrounds of images). */
  readonly subtractMin: boolean;
  readonly encoding: Encoding;
}

/** A dense layer without bias. */
export interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  /** (inputs, outputs), input-major: weight of input i to neuron j is `weights[i * outputs + j]`. */
  readonly weights: Float32Array;
  /**
   * Which weights there are, as long as `weights`: 1, or 0 for a weight that is and stays 0. All where left out. So a layer
   * of local receptive fields is a dense one with a fixed mask.
   */
  readonly mask?: Uint8Array;
}

/** A linear layer on the activities of the upper layers: the class of its highest output wins. */
export interface Readout {
  /** First layer that it reads, by index: its inputs are the activities from there on, each layer's at mean square 1. */
  readonly from: number;
  readonly layer: Layer;
}

/**
 * A Forward-Forward network. A layer rescales its input to mean square 1 (all zeros stay zeros), then y = relu(x W). The
 * goodness of a group is the mean of y^2 over it, unless the network says otherwise. The next layer's input is y. No biases,
 * no gradient across layers.
 */
export interface Network {
  /** Bytes per sample, before encoding and without the label. */
  readonly width: number;
  readonly classes: number;
  readonly objective: ObjectiveName;
  readonly preprocessing: Preprocessing;
  /** Objective `label` only: the value, 1 to 255, of the hot one of the `classes` label inputs before the sample's own. */
  readonly labelValue: number;
  /** Threshold of goodness per neuron that training aims at or started from (> 0). */
  readonly theta: number;
  /** What goodness is; the mean of squares where left out. */
  readonly goodness?: GoodnessConfig;
  /** Threshold of each layer, in units of its goodness; theta for every neuron where left out. */
  readonly thresholds?: readonly number[];
  /** First layer, by index, whose goodness counts for the answer; 0 where left out. */
  readonly scoredFrom?: number;
  readonly readout?: Readout;
  /**
   * Objective `label` only: every layer also sees the one above, and the top layer the label; its inputs are those from below, then
   * those from above. Where left out, layers see what lies below, once.
   */
  readonly recurrent?: RecurrentConfig;
  readonly layers: readonly Layer[];
}

/** What a network looks like, without its weights. */
export interface NetworkShape extends Omit<Network, 'layers' | 'readout' | 'thresholds'> {
  /** Neurons per layer, first layer first. */
  readonly hidden: readonly number[];
  /** Local receptive fields; where left out everybody sees everything. They become the masks of the layers. */
  readonly fields?: LocalFields;
}

/** Groups that a layer's neurons are split into: one per class, or a single one where goodness doesn't tell classes apart. */
export function groupCount(shape: Pick<Network, 'objective' | 'classes'>): number {
  return shape.objective === 'partitioned' ? shape.classes : 1;
}

/** Inputs of a sample with its label: the label's (objective `label`), then those of the encoded sample; the first layer sees them. */
export function inputCount(shape: Omit<Network, 'layers' | 'theta'>): number {
  const encoded = shape.preprocessing.encoding === 'complement' ? 2 * shape.width : shape.width;
  return shape.objective === 'label' ? encoded + shape.classes : encoded;
}

/** Inputs of each layer. */
export function layerInputs(shape: NetworkShape): number[] {
  const { hidden, recurrent, classes } = shape;
  if (recurrent === undefined) return [inputCount(shape), ...hidden.slice(0, -1)];
  const frame = (inputCount(shape) - classes) / recurrent.frames;
  return hidden.map((_, l) => (hidden[l - 1] ?? frame) + (hidden[l + 1] ?? classes));
}

/** Classes that the labels of its data may have: what is normal and what is novel (objective `one-class`), else the network's. */
export function labelCount(shape: Pick<Network, 'objective' | 'classes'>): number {
  return shape.objective === 'one-class' ? 2 : shape.classes;
}

/** Threshold of a layer, in units of its goodness. */
export function thresholdOf(network: Network, layer: number): number {
  const own = network.thresholds?.[layer];
  if (own !== undefined) return own;
  const size = network.layers[layer]!.outputs / groupCount(network);
  return network.theta * goodnessOf(network.goodness ?? MEAN_SQUARES).unit(size);
}

/** Goodness of a layer's group whose activities are all 1, as a magnitude: what scores divide goodness by. */
export function goodnessUnit(network: Network, layer: number): number {
  const size = network.layers[layer]!.outputs / groupCount(network);
  return Math.abs(goodnessOf(network.goodness ?? MEAN_SQUARES).unit(size));
}

/** A network with arrays of its own. */
export function copyNetwork(network: Network): Network {
  const copy = (layer: Layer): Layer => ({ ...layer, weights: layer.weights.slice() });
  const { readout } = network;
  return {
    ...network,
    layers: network.layers.map(copy),
    ...(readout === undefined ? {} : { readout: { ...readout, layer: copy(readout.layer) } }),
  };
}

/** The shape of an existing network. */
export function shapeOf(network: Network): NetworkShape {
  const { layers, readout, thresholds, ...rest } = network;
  return { ...rest, hidden: layers.map((layer) => layer.outputs) };
}

/**
 * Checks a shape.
 * @throws GoodnessError `network.shape`, naming the field and, for layer sizes, the nearest valid size
 */
export function validateShape(shape: NetworkShape): void {
  const whole = (name: string, value: number, min: number, max: number): void => {
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new GoodnessError('network.shape', `invalid ${name}`, {
        expected: `a whole number from ${min} to ${max}`,
        got: String(value),
      });
    }
  };
  whole('width', shape.width, 1, 65535);
  whole(
    'number of classes',
    shape.classes,
    shape.objective === 'one-class' ? 1 : 2,
    shape.objective === 'one-class' ? 1 : 255,
  );
  whole('labelValue', shape.labelValue, 1, 255);
  if (!(shape.theta > 0) || !Number.isFinite(shape.theta)) {
    throw new GoodnessError('network.shape', 'invalid theta', {
      expected: 'a number above 0',
      got: String(shape.theta),
    });
  }
  if (shape.hidden.length === 0) {
    throw new GoodnessError('network.shape', 'a network needs at least one layer', {
      expected: 'one size per layer',
      got: 'none',
      fix: 'Give the sizes as inputs-neurons-neurons, for example 784-120-120.',
    });
  }
  whole('first layer that is scored', shape.scoredFrom ?? 0, 0, shape.hidden.length - 1);
  if (shape.recurrent !== undefined) validateRecurrent(shape, shape.recurrent);
  const groups = groupCount(shape);
  shape.hidden.forEach((outputs, index) => {
    whole(`size of layer ${index + 1}`, outputs, 1, 65535);
    if (outputs % groups !== 0) {
      const nearest = Math.max(groups, Math.round(outputs / groups) * groups);
      throw new GoodnessError('network.shape', `layer ${index + 1} cannot be split evenly among the classes`, {
        expected: `a multiple of ${groups}, one group of neurons per class`,
        got: String(outputs),
        fix: `The nearest valid size is ${nearest}.`,
      });
    }
  });
}

function validateRecurrent({ objective, width, fields }: NetworkShape, recurrent: RecurrentConfig): void {
  const { iterations, damping, scored, frames } = recurrent;
  const refuse = (what: string, expected: string, got: unknown): never => {
    throw new GoodnessError('network.shape', what, { expected, got: String(got) });
  };
  if (objective !== 'label') refuse('recurrent layers have the label above them', 'the objective label', objective);
  if (fields !== undefined) refuse('recurrent layers see everything', 'no local fields', 'some');
  if (!Number.isInteger(iterations) || iterations < 1) {
    refuse('invalid number of iterations', 'a whole number from 1 on', iterations);
  }
  if (!(damping >= 0 && damping < 1)) refuse('invalid damping', 'a number from 0 to below 1', damping);
  const [first, last] = scored;
  if (!(Number.isInteger(first) && Number.isInteger(last) && first >= 1 && first <= last && last <= iterations)) {
    refuse('invalid iterations that are scored', `the first and the last of 1 to ${iterations}`, scored.join(' to '));
  }
  if (!Number.isInteger(frames) || frames < 1 || frames > iterations || width % frames !== 0) {
    refuse('invalid number of frames', `at most ${iterations}, of equal parts of ${width} inputs`, frames);
  }
}

/**
 * A network with random weights: normal, with deviation `gain` / sqrt(inputs that the neuron sees), so that its pre-activation has
 * deviation `gain`.
 * @throws GoodnessError `network.shape`, `network.fields`
 */
export function createNetwork(shape: NetworkShape, random: Random, gain = 1): Network {
  validateShape(shape);
  const { hidden, fields, ...rest } = shape;
  const sizes = layerInputs(shape);
  const labels = shape.objective === 'label' ? shape.classes : 0;
  const masks = fields && fieldMasks(fields, { inputs: sizes[0]!, labels, hidden, groups: groupCount(shape) });
  const layers = hidden.map((outputs, index): Layer => {
    const inputs = sizes[index]!;
    const weights = new Float32Array(inputs * outputs);
    const mask = masks?.[index];
    const deviation = gain / Math.sqrt(inputs);
    for (let i = 0; i < weights.length; i++) weights[i] = random.normal() * deviation;
    if (mask !== undefined) keepSeen(weights, mask, inputs, outputs);
    return { inputs, outputs, weights, ...(mask === undefined ? {} : { mask }) };
  });
  return { ...rest, layers };
}

/** Clears the weights that a mask leaves out, and makes up for them in the others. */
function keepSeen(weights: Float32Array, mask: Uint8Array, inputs: number, outputs: number): void {
  for (let j = 0; j < outputs; j++) {
    let seen = 0;
    for (let i = j; i < mask.length; i += outputs) seen += mask[i]!;
    const factor = Math.sqrt(inputs / Math.max(1, seen));
    for (let i = j; i < mask.length; i += outputs) weights[i] = weights[i]! * mask[i]! * factor;
  }
}

/**
 * Checks that weights fit their shapes and the layers fit each other.
 * @throws GoodnessError `network.shape` or `network.weights`
 */
export function validateNetwork(network: Network): void {
  const shape = shapeOf(network);
  validateShape(shape);
  const sizes = layerInputs(shape);
  network.layers.forEach((layer, index) => {
    const inputs = sizes[index]!;
    if (layer.inputs !== inputs || layer.weights.length !== inputs * layer.outputs) {
      throw new GoodnessError('network.weights', `layer ${index + 1} does not fit`, {
        expected: `${inputs} x ${layer.outputs} weights`,
        got: `${layer.inputs} inputs and ${layer.weights.length} weights`,
      });
    }
    checkFinite(layer.weights, `layer ${index + 1} holds a weight that is no number`);
    if (layer.mask !== undefined && layer.mask.length !== layer.weights.length) {
      throw new GoodnessError('network.weights', `the mask of layer ${index + 1} does not fit`, {
        expected: `${layer.weights.length} values`,
        got: String(layer.mask.length),
      });
    }
  });
  if (network.thresholds !== undefined) {
    if (network.thresholds.length !== network.layers.length) {
      throw new GoodnessError('network.weights', 'the thresholds do not fit the layers', {
        expected: `${network.layers.length}, one per layer`,
        got: String(network.thresholds.length),
      });
    }
    checkFinite(network.thresholds, 'a threshold is no number');
  }
  if (network.readout !== undefined) validateReadout(network, network.readout);
}

/** Inputs of a read-out that begins at a layer. */
export function readoutInputs(network: Pick<Network, 'layers'>, from: number): number {
  return network.layers.slice(from).reduce((sum, layer) => sum + layer.outputs, 0);
}

function validateReadout(network: Network, { from, layer }: Readout): void {
  const inputs = readoutInputs(network, from);
  const fits = Number.isInteger(from) && from >= 0 && from < network.layers.length;
  const size = layer.inputs * layer.outputs;
  if (!fits || layer.inputs !== inputs || layer.outputs !== network.classes || layer.weights.length !== size) {
    throw new GoodnessError('network.weights', 'the read-out does not fit', {
      expected: `${inputs} x ${network.classes} weights`,
      got: `${layer.weights.length} weights from layer ${from + 1} on`,
    });
  }
  checkFinite(layer.weights, 'the read-out holds a weight that is no number');
}

function checkFinite(values: ArrayLike<number>, what: string): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new GoodnessError('network.weights', what, { expected: 'finite numbers', got: String(values[i]) });
  }
}
