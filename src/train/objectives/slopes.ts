import type { Backend } from '../backend.js';
import type { Rows } from '../batch.js';
import type { TrainConfig } from '../config.js';
import { goodnessOf, MEAN_SQUARES } from '../goodness/goodness.js';
import type { TrainLayer } from '../layers/layer.js';
import { groupCount, type Network } from '../network.js';
import { onlineSlopes } from '../schedule/online.js';
import type { Phase } from '../schedule/phases.js';
import { dropSettled, keepPhase, partitionedLoss, thresholdLoss } from './losses.js';

/** What each layer of a network is to do about its goodness: the loss of the network's objective, and its slope. */
export class Slopes {
  /** dL/dG of the layer asked last, (rows, groups). */
  values = new Float32Array(0);
  /** Goodness summed over the layers, (rows, groups). */
  private total = new Float32Array(0);
  private readonly network: Network;
  private readonly config: TrainConfig;
  private readonly groups: number;
  private readonly partitionedLoss: typeof partitionedLoss;

  constructor(network: Network, config: TrainConfig, backend: Backend) {
    this.network = network;
    this.config = config;
    this.groups = groupCount(network);
    this.partitionedLoss = backend.partitionedLoss ?? partitionedLoss;
  }

  /** Takes in the goodness of all layers; comes before the layers are asked. */
  begin(layers: readonly TrainLayer[]): void {
    const size = layers[0]!.goodness.length;
    if (this.total.length !== size) {
      this.total = new Float32Array(size);
      this.values = new Float32Array(size);
    }
    if (this.config.loss.collaboration === 0) return;
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (const layer of layers) sum += layer.goodness[i]!;
      this.total[i] = sum;
    }
  }

  /**
   * Fills `values` for one layer.
   * @param labels of the positive rows
   * @param spared groups of the negative rows that are left alone
   * @returns the loss, mean over the rows
   */
  of(layer: TrainLayer, labels: Uint8Array, rows: Rows, phase: Phase, spared?: Uint8Array): number {
    const { config, groups, values } = this;
    const { goodness } = layer;
    const count = rows.positives + rows.negatives;
    const loss = { ...config.loss, theta: layer.threshold.value };
    const partitioned = this.network.objective === 'partitioned';
    const value = partitioned
      ? this.partitionedLoss(loss, goodness, this.total, labels, count, groups, values, spared)
      : thresholdLoss(loss, goodness, rows.positives, count, values);
    if (config.online !== undefined) this.online(layer, labels, rows, spared);
    const { margin } = config.stabilisers;
    if (margin !== undefined) {
      const { value: theta } = layer.threshold;
      dropSettled(values, goodness, labels, rows.positives, groups, theta, margin * Math.abs(theta));
    }
    if (partitioned) keepPhase(phase, values, labels, groups);
    return value;
  }

  /** Slopes of closed-form steps instead of the loss's. */
  private online(layer: TrainLayer, labels: Uint8Array, rows: Rows, spared: Uint8Array | undefined): void {
    const { config, groups, values, network } = this;
    const { inputs, outputs } = layer.layer;
    const { steepness } = goodnessOf(network.goodness ?? MEAN_SQUARES);
    const wanted =
      groups > 1
        ? (row: number, group: number): boolean => row < rows.positives && labels[row] === group
        : (row: number): boolean => row < rows.positives;
    const slope = steepness(outputs / groups);
    onlineSlopes(config.online!, layer.goodness, wanted, groups, layer.threshold.value, slope, inputs, values);
    spared?.forEach((group, k) => {
      if (group < groups) values[(rows.positives + k) * groups + group] = 0;
    });
  }
}
