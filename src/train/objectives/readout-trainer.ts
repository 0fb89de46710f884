import type { Backend } from '../backend.js';
import type { LayerState } from '../checkpoint.js';
import { createOptimizer, type Optimizer } from '../layers/optimizer.js';
import { type Network, type Readout, readoutInputs } from '../network.js';
import { gatherFeatures, type ReadoutConfig, softmax } from './readout.js';

/** A read-out in training: softmax regression on what the layers do, without a say in it. */
export class ReadoutTrainer {
  readonly readout: Readout;
  /** Outputs of the last step before it moved, (rows, classes). */
  logits: Float32Array = new Float32Array(0);
  private readonly backend: Backend;
  private readonly optimizer: Optimizer;
  private features = new Float32Array(0);
  private columns = new Float32Array(0);
  private readonly gradient: Float32Array;

  constructor(config: ReadoutConfig, network: Network, backend: Backend) {
    const { from, weightDecay } = config;
    const inputs = readoutInputs(network, from);
    const outputs = network.classes;
    const weights = network.readout?.layer.weights.slice() ?? new Float32Array(inputs * outputs);
    this.backend = backend;
    this.readout = { from, layer: { inputs, outputs, weights } };
    this.gradient = new Float32Array(weights.length);
    this.optimizer = createOptimizer(
      { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay },
      weights.length,
    );
  }

  /**
   * One step on the first `rows` rows of the layers' activities.
   * @param activities of all layers of the network, (rows or more, outputs) each
   * @returns the cross-entropy, mean over the rows
   */
  step(activities: readonly Float32Array[], outputs: readonly number[], labels: Uint8Array, rate: number): number {
    const rows = labels.length;
    const { from, layer } = this.readout;
    const { inputs, outputs: classes, weights } = layer;
    if (this.features.length !== rows * inputs) {
      this.features = new Float32Array(rows * inputs);
      this.columns = new Float32Array(rows * inputs);
    }
    const read = activities.slice(from).map((y, k) => y.subarray(0, rows * outputs[from + k]!));
    gatherFeatures(read, rows, this.features);
    this.logits = this.backend.multiply(this.features, weights, rows, inputs, classes);
    const slopes = this.logits.slice();
    softmax(slopes, rows);
    let loss = 0;
    for (let r = 0; r < rows; r++) {
      const truth = r * classes + labels[r]!;
      loss -= Math.log(Math.max(1e-30, slopes[truth]!)) / rows;
      slopes[truth] = slopes[truth]! - 1;
    }
    for (let k = 0; k < slopes.length; k++) slopes[k] = slopes[k]! / rows;
    for (let r = 0, at = 0; r < rows; r++)
      for (let i = 0; i < inputs; i++, at++) this.columns[i * rows + r] = this.features[at]!;
    this.gradient.set(this.backend.multiply(this.columns, slopes, inputs, rows, classes));
    this.optimizer.update(weights, this.gradient, rate);
    return loss;
  }

  /** What must be kept, beside the weights, to go on later; copies. */
  state(): Pick<LayerState, 'updates' | 'moments'> {
    const moments = new Map([...this.optimizer.moments].map(([name, values]) => [name, values.slice()]));
    return { updates: this.optimizer.updates, moments };
  }

  setState({ updates, moments }: Pick<LayerState, 'updates' | 'moments'>): void {
    for (const [name, values] of this.optimizer.moments) values.set(moments.get(name)!);
    this.optimizer.updates = updates;
  }
}
