import { GoodnessError } from '../base/errors.js';
import type { Dataset } from '../data/dataset.js';
import { type Model, modelGroups } from '../format/model.js';
import type { Network } from '../train/network.js';
import { calibrate, type QuantizeOptions, weightsId } from './quantize.js';
import { quantizeWeights } from './weights.js';

/** Byte of the hot label input that a class-partitioned network is said to have, where it doesn't matter. */
const UNUSED_LABEL_VALUE = 255;

/**
 * The float network that an integer model stands for: weights are whole numbers of steps, theta is the mean over the layers.
 * @throws GoodnessError `quantize.scale` if the image does not say what its integers stand for
 */
export function dequantize(model: Model): Network {
  const groups = modelGroups(model);
  const theta = model.layers.reduce((sum, layer, l) => {
    const unit = positive('output unit', layer.outputUnit);
    return sum + (model.state.layers[l]!.theta * groups) / (layer.outputs * unit * unit) / model.layers.length;
  }, 0);
  return {
    width: model.rawInputs,
    classes: model.classes,
    objective: model.objective,
    preprocessing: { subtractMin: model.subtractMin, encoding: model.encoding },
    labelValue: model.objective === 'label' ? model.labelValue : UNUSED_LABEL_VALUE,
    theta,
    layers: model.layers.map(({ inputs, outputs, weights, scale }) => {
      const step = positive('weight scale', scale);
      return { inputs, outputs, weights: Float32Array.from(weights, (w) => w * step) };
    }),
  };
}

export interface RequantizeOptions extends Pick<QuantizeOptions, 'thresholds' | 'novelty'> {
  /** For new thresholds and running means; those of the model stay where it is left out. */
  readonly calibration?: Dataset;
  /** Base id of the result; by default one that names the new weights. */
  readonly baseId?: number;
}

export interface Requantized {
  readonly model: Model;
  /** Weights beyond the largest step of the model's scales. */
  readonly clipped: number;
}

/**
 * New float weights in an existing model: scales, shifts, thetas and learning parameters stay, so that the difference to the
 * model is a patch.
 * @param network same shape as the model
 * @throws GoodnessError `quantize.shape`, `quantize.data`, `quantize.scale`, `quantize.thresholds`
 */
export function requantize(network: Network, model: Model, options: RequantizeOptions = {}): Requantized {
  const sizes = (layers: readonly { inputs: number; outputs: number }[]): string =>
    layers.map((layer) => `${layer.inputs}x${layer.outputs}`).join(', ');
  if (sizes(network.layers) !== sizes(model.layers)) {
    throw new GoodnessError('quantize.shape', 'the network does not fit the model', {
      expected: sizes(model.layers),
      got: sizes(network.layers),
    });
  }
  let clipped = 0;
  const layers = model.layers.map((layer, l) => {
    const quantized = quantizeWeights(
      network.layers[l]!.weights,
      positive('weight scale', layer.scale),
      layer.weightBits,
    );
    clipped += quantized.clipped;
    return { ...layer, weights: quantized.weights };
  });
  const state = { ...model.state, baseId: options.baseId ?? weightsId(layers) };
  const next: Model = { ...model, layers, state };
  const { calibration } = options;
  return { model: calibration === undefined ? next : calibrate(next, calibration, options).model, clipped };
}

function positive(name: string, value: number): number {
  if (value > 0 && Number.isFinite(value)) return value;
  throw new GoodnessError('quantize.scale', `the image has no usable ${name}`, {
    expected: 'a number above 0',
    got: String(value),
    fix: 'Give an image made by `goodness quantize`.',
  });
}
