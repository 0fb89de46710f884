import { GoodnessError } from '../base/errors.js';
import type { Random } from '../base/random.js';

/**
 * How labels meet the network.
 * - `partitioned`: every layer is split into one group of neurons per class; one pass, the class of the highest goodness wins.
 * - `label`: the label is part of the input (Hinton 2022, section 3.3); one pass per label, the label of the highest goodness wins.
 */
export type ObjectiveName = 'partitioned' | 'label';

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
}

/**
 * A Forward-Forward network. A layer rescales its input to mean square 1 (all zeros stay zeros), then y = relu(x W). The
 * goodness of a group is the mean of y^2 over it. The next layer's input is y. No biases, no gradient across layers.
 */
export interface Network {
  /** Bytes per sample, before encoding and without the label. */
  readonly width: number;
  readonly classes: number;
  readonly objective: ObjectiveName;
  readonly preprocessing: Preprocessing;
  /** Objective `label` only: the value, 1 to 255, of the hot one of the `classes` label inputs before the sample's own. */
  readonly labelValue: number;
  /** Threshold of mean goodness that training aims at, per layer (> 0). */
  readonly theta: number;
  readonly layers: readonly Layer[];
}

/** What a network looks like, without its weights. */
export interface NetworkShape extends Omit<Network, 'layers'> {
  /** Neurons per layer, first layer first. */
  readonly hidden: readonly number[];
}

/** Groups that a layer's neurons are split into: one per class, or a single one where the label is in the input. */
export function groupCount(shape: Pick<Network, 'objective' | 'classes'>): number {
  return shape.objective === 'partitioned' ? shape.classes : 1;
}

/** Inputs of the first layer: the label's (objective `label`), then those of the encoded sample. */
export function inputCount(shape: Omit<Network, 'layers' | 'theta'>): number {
  const encoded = shape.preprocessing.encoding === 'complement' ? 2 * shape.width : shape.width;
  return shape.objective === 'label' ? encoded + shape.classes : encoded;
}

/** The shape of an existing network. */
export function shapeOf(network: Network): NetworkShape {
  const { layers, ...rest } = network;
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
  whole('number of classes', shape.classes, 2, 255);
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
    for (const w of layer.weights) {
      if (!Number.isFinite(w)) {
        throw new GoodnessError('network.weights', `layer ${index + 1} holds a weight that is no number`, {
          expected: 'finite weights',
          got: String(w),
        });
      }
    }
    inputs = layer.outputs;
  });
}
