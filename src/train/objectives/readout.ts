import { layerForward, type Product, plainProduct } from '../forward.js';
import { inputCount, type Network, type Readout } from '../network.js';
import { encode, lengthFactor } from '../preprocess.js';
import { firstPass } from '../recurrent.js';

/** How a read-out is trained. */
export interface ReadoutConfig {
  /** First layer that it reads, by index. */
  readonly from: number;
  /** Highest learning rate (> 0). */
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Epochs after those of the layers that train the read-out alone. */
  readonly epochs: number;
}

/**
 * What a read-out reads: the activities of its layers side by side, each layer's rescaled to mean square 1 and then the whole row.
 * @param activities of the read layers, (rows, outputs) each
 * @param features (rows, sum of the outputs), overwritten
 */
export function gatherFeatures(activities: readonly Float32Array[], rows: number, features: Float32Array): void {
  const stride = features.length / rows;
  for (let r = 0; r < rows; r++) {
    let at = r * stride;
    let total = 0;
    for (const y of activities) {
      const outputs = y.length / rows;
      let squares = 0;
      for (let j = r * outputs; j < (r + 1) * outputs; j++) squares += y[j]! * y[j]!;
      const factor = lengthFactor(squares, outputs);
      for (let j = r * outputs; j < (r + 1) * outputs; j++) features[at++] = y[j]! * factor;
      if (squares > 0) total += outputs;
    }
    // Layers that are silent leave the row too short.
    const stretch = lengthFactor(total, stride);
    if (stretch !== 1) for (let i = r * stride; i < (r + 1) * stride; i++) features[i] = features[i]! * stretch;
  }
}

/** exp(z - log sum exp z) of each row, in place. */
export function softmax(logits: Float32Array, rows: number): void {
  const classes = logits.length / rows;
  for (let r = 0; r < rows; r++) {
    let highest = Number.NEGATIVE_INFINITY;
    for (let c = r * classes; c < (r + 1) * classes; c++) highest = Math.max(highest, logits[c]!);
    let sum = 0;
    for (let c = r * classes; c < (r + 1) * classes; c++) {
      logits[c] = Math.exp(logits[c]! - highest);
      sum += logits[c]!;
    }
    for (let c = r * classes; c < (r + 1) * classes; c++) logits[c] = logits[c]! / sum;
  }
}

/** Value of each label input of a neutral label: all of them together weigh as much as the hot one of a label. */
export function neutralValue({ labelValue, classes }: Pick<Network, 'labelValue' | 'classes'>): number {
  return Math.round(labelValue / classes);
}

/**
 * Outputs of a network's read-out; a network with the label in its input gets a neutral one.
 * @param samples (count, width) bytes
 * @returns (count, classes): logits
 */
export function readoutScores(
  network: Network & { readonly readout: Readout },
  samples: Uint8Array,
  count: number,
  product: Product = plainProduct,
): Float32Array {
  const { readout, recurrent } = network;
  const read =
    recurrent === undefined
      ? activitiesOf(network, samples, count, product)
      : firstPass({ ...network, recurrent }, samples, count, product);
  const features = new Float32Array(count * readout.layer.inputs);
  gatherFeatures(read.slice(readout.from), count, features);
  return product(readout.layer, features, count);
}

/** Activities of all layers, (count, outputs) each; labels are neutral. */
function activitiesOf(network: Network, samples: Uint8Array, count: number, product: Product): Float32Array[] {
  const { classes, width, preprocessing, objective, layers } = network;
  const stride = inputCount(network);
  const encoded = new Uint8Array(count * stride);
  const labels = objective === 'label' ? classes : 0;
  encode(preprocessing, samples, encoded, count, width, stride, labels);
  for (let s = 0; s < count; s++) encoded.fill(neutralValue(network), s * stride, s * stride + labels);
  let below: Uint8Array | Float32Array = encoded;
  return layers.map((layer) => {
    below = layerForward(layer, below, count, product);
    return below;
  });
}
