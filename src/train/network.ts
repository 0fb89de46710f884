import { GoodnessError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { type GoodnessConfig, goodnessOf, MEAN_SQUARES } from './goodness/goodness.js';

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
  readonly layers: readonly Layer[];
}

/** What a network looks like, without its weights. */
export interface NetworkShape extends Omit<Network, 'layers' | 'readout' | 'thresholds'> {
  /** Neurons per layer, first layer first. */
  readonly hidden: readonly number[];
}

/** Groups that a layer's neurons are split into: one per class, or a single one where goodness doesn't tell classes apart. */
export function groupCount(shape: Pick<Network, 'objective' | 'classes'>): number {
  return shape.objective === 'partitioned' ? shape.classes : 1;
}

/** Inputs of the first layer: the label's (objective `label`), then those of the encoded sample. */
export function inputCount(shape: Omit<Network, 'layers' | 'theta'>): number {
  const encoded = shape.preprocessing.encoding === 'complement' ? 2 * shape.width : shape.width;
  return shape.objective === 'label' ? encoded + shape.classes : encoded;
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

/** A network with random weights: normal, with deviation `gain` / sqrt(inputs), so that a neuron's pre-activation has deviation `gain`. */
export function createNetwork(shape: NetworkShape, random: Random, gain = 1): Network {
  validateShape(shape);
  const { hidden, ...rest } = shape;
  let inputs = inputCount(shape);
  const layers = hidden.map((outputs): Layer => {
    const weights = new Float32Array(inputs * outputs);
    const deviation = gain / Math.sqrt(inputs);
    for (let i = 0; i < weights.length; i++) weights[i] = random.normal() * deviation;
    const layer = { inputs, outputs, weights };
    inputs = outputs;
    return layer;
  });
  return { ...rest, layers };
}

/**
 * Checks that weights fit their shapes and the layers fit each other.
 * @throws GoodnessError `network.shape` or `network.weights`
 */
export function validateNetwork(network: Network): void {
  validateShape(shapeOf(network));
  let inputs = inputCount(network);
  network.layers.forEach((layer, index) => {
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
    inputs = layer.outputs;
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
