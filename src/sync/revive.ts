import { type Dataset, slice } from '../data/dataset.js';
import { layerForward, type Values } from '../train/forward.js';
import { inputCount, type Layer, type Network } from '../train/network.js';
import { encode, lengthFactor } from '../train/preprocess.js';

/** Samples that show which groups are dead. */
const SAMPLES = 1000;
/** A group is dead if it stays silent for more than this share of its own class: those samples give it no slope. */
const SILENT = 0.5;

/**
 * Wakes groups that stay silent for most samples of their own class, as after an inversion or for a class that came later:
 * along the mean input of the class, the weights of their silent neurons are moved until the mean pre-activation is 0. What
 * they respond to otherwise stays. A network without dead groups comes back as it is. Only for class-partitioned networks
 * (with the label in the input, all come back).
 *
 * @param frozen layers that stay as they are, by index
 */
export function reviveDead(network: Network, data: Dataset, frozen: ReadonlySet<number> = new Set()): Network {
  const some = slice(data, 0, SAMPLES);
  if (network.objective !== 'partitioned' || some.count === 0) return network;
  const stride = inputCount(network);
  const encoded = new Uint8Array(some.count * stride);
  encode(network.preprocessing, some.inputs, encoded, some.count, network.width, stride);
  let source: Values = encoded;
  let revived = false;
  const layers = network.layers.map((layer, index) => {
    const awake = frozen.has(index) ? layer : reviveLayer(layer, source, some.labels, network.classes);
    revived ||= awake !== layer;
    source = layerForward(awake, source, some.count);
    return awake;
  });
  return revived ? { ...network, layers } : network;
}

/** @param source inputs of the layer, (labels.length, inputs) */
function reviveLayer(layer: Layer, source: Values, labels: Uint8Array, classes: number): Layer {
  const { inputs, outputs } = layer;
  const size = outputs / classes;
  const activities = layerForward(layer, source, labels.length);
  let weights: Float32Array | undefined;
  for (let c = 0; c < classes; c++) {
    const fired = new Uint32Array(size);
    let members = 0;
    let silent = 0;
    for (let r = 0; r < labels.length; r++) {
      if (labels[r] !== c) continue;
      members++;
      let any = false;
      for (let k = 0; k < size; k++) {
        if (!(activities[r * outputs + c * size + k]! > 0)) continue;
        fired[k]!++;
        any = true;
      }
      if (!any) silent++;
    }
    if (silent <= SILENT * members) continue;
    weights ??= layer.weights.slice();
    const mean = meanInput(source, labels, c, inputs);
    const square = mean.reduce((sum, v) => sum + v * v, 0);
    if (square === 0) continue;
    for (let k = 0; k < size; k++) {
      if (fired[k]! > (1 - SILENT) * members) continue;
      const j = c * size + k;
      let z = 0;
      for (let i = 0; i < inputs; i++) z += mean[i]! * weights[i * outputs + j]!;
      for (let i = 0; i < inputs; i++) weights[i * outputs + j]! -= (z / square) * mean[i]!;
    }
  }
  return weights === undefined ? layer : { ...layer, weights };
}

/** Mean of the inputs of one class after each was rescaled to mean square 1. */
function meanInput(source: Values, labels: Uint8Array, c: number, inputs: number): Float64Array {
  const mean = new Float64Array(inputs);
  let members = 0;
  for (let r = 0; r < labels.length; r++) {
    if (labels[r] !== c) continue;
    members++;
    let squares = 0;
    for (let i = 0; i < inputs; i++) squares += source[r * inputs + i]! ** 2;
    const factor = lengthFactor(squares, inputs);
    for (let i = 0; i < inputs; i++) mean[i]! += factor * source[r * inputs + i]!;
  }
  return mean.map((v) => v / Math.max(1, members));
}
