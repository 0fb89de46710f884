import type { Backend } from './backend.js';
import { goodnessOf, MEAN_SQUARES } from './goodness/goodness.js';
import { groupCount, inputCount, type Layer, type Network } from './network.js';
import { encode, lengthFactor } from './preprocess.js';
import { recurrentGoodness } from './recurrent.js';

/** Values going into a layer, before length normalisation. */
export type Values = Uint8Array | Float32Array;

/** x W of a layer, for (rows, inputs) values: (rows, outputs). */
export type Product = (layer: Layer, x: Values, rows: number) => Float32Array;

/** In plain loops that skip inputs of 0: needs no backend, and is quick for sparse inputs. */
export const plainProduct: Product = ({ inputs, outputs, weights }, x, rows) => {
  const z = new Float32Array(rows * outputs);
  for (let r = 0; r < rows; r++) {
    const to = r * outputs;
    for (let i = 0, w = 0; i < inputs; i++, w += outputs) {
      const v = x[r * inputs + i]!;
      if (v === 0) continue;
      for (let j = 0; j < outputs; j++) z[to + j] = z[to + j]! + v * weights[w + j]!;
    }
  }
  return z;
};

/** On a backend: quick for many rows. */
export function backendProduct(backend: Backend): Product {
  return ({ inputs, outputs, weights }, x, rows) => backend.multiply(x, weights, rows, inputs, outputs);
}

/**
 * relu(x W) of one layer, with x rescaled to mean square 1.
 * @param x (rows, inputs), before rescaling
 * @returns (rows, outputs)
 */
export function layerForward(layer: Layer, x: Values, rows: number, product: Product = plainProduct): Float32Array {
  const z = product(layer, x, rows);
  for (let r = 0; r < rows; r++) activate(z, r, layer, lengthFactor(squaredLength(x, r, layer.inputs), layer.inputs));
  return z;
}

/**
 * Goodness of each layer for what comes into the first one.
 * @param encoded (rows, inputs of the first layer), before rescaling
 * @returns one array (rows, groups) per layer
 */
export function layerGoodness(
  network: Network,
  encoded: Values,
  rows: number,
  product: Product = plainProduct,
): Float32Array[] {
  const [first, ...rest] = network.layers;
  return goodnessFrom(network, layerForward(first!, encoded, rows, product), rest, rows, product);
}

/**
 * Goodness of every class, summed over the layers that are scored. A network with the label in its input takes a pass per
 * label; one whose goodness doesn't tell classes apart has a single one.
 * @param samples (count, width) bytes
 * @returns (count, classes)
 */
export function labelGoodness(
  network: Network,
  samples: Uint8Array,
  count: number,
  product: Product = plainProduct,
): Float32Array {
  const { classes, width, objective, preprocessing, recurrent } = network;
  if (recurrent !== undefined) return recurrentGoodness({ ...network, recurrent }, samples, count, product);
  const stride = inputCount(network);
  const labelled = objective === 'label';
  const encoded = new Uint8Array(count * stride);
  encode(preprocessing, samples, encoded, count, width, stride, labelled ? classes : 0);
  const [first, ...rest] = network.layers;
  const layers = labelled
    ? goodnessFrom(network, firstWithLabels(network, first!, encoded, count, product), rest, count * classes, product)
    : layerGoodness(network, encoded, count, product);
  const total = new Float32Array(layers[0]!.length);
  for (const goodness of layers.slice(network.scoredFrom ?? 0)) {
    for (let i = 0; i < total.length; i++) total[i] = total[i]! + goodness[i]!;
  }
  return total;
}

/**
 * Activities of the first layer for each sample with each label: the sample's part of x W is the same for all labels, and a
 * label adds one row of weights.
 * @param encoded (count, inputs), label inputs 0
 * @returns (count * classes, outputs), all labels of a sample side by side
 */
function firstWithLabels(
  { classes, labelValue }: Network,
  layer: Layer,
  encoded: Uint8Array,
  count: number,
  product: Product,
): Float32Array {
  const { inputs, outputs, weights } = layer;
  const base = product(layer, encoded, count);
  const y = new Float32Array(count * classes * outputs);
  for (let s = 0; s < count; s++) {
    const factor = lengthFactor(squaredLength(encoded, s, inputs) + labelValue ** 2, inputs);
    for (let c = 0; c < classes; c++) {
      const to = (s * classes + c) * outputs;
      for (let j = 0; j < outputs; j++) y[to + j] = base[s * outputs + j]! + labelValue * weights[c * outputs + j]!;
      activate(y, s * classes + c, layer, factor);
    }
  }
  return y;
}

/** Goodness of a layer's activities, and of those that the next layers make of them. */
function goodnessFrom(
  network: Network,
  activities: Float32Array,
  next: readonly Layer[],
  rows: number,
  product: Product,
): Float32Array[] {
  const groups = groupCount(network);
  const { measure } = goodnessOf(network.goodness ?? MEAN_SQUARES);
  const all: Float32Array[] = [];
  let y = activities;
  for (const layer of [undefined, ...next]) {
    if (layer !== undefined) y = layerForward(layer, y, rows, product);
    const goodness = new Float32Array(rows * groups);
    measure(y, goodness, rows, y.length / rows, groups);
    all.push(goodness);
  }
  return all;
}

function squaredLength(x: Values, row: number, inputs: number): number {
  let squares = 0;
  for (let i = row * inputs; i < (row + 1) * inputs; i++) squares += x[i]! * x[i]!;
  return squares;
}

/** relu(factor * z) of one row, in place. */
function activate(z: Float32Array, row: number, { outputs }: Layer, factor: number): void {
  for (let j = row * outputs; j < (row + 1) * outputs; j++) z[j] = z[j]! > 0 ? z[j]! * factor : 0;
}
