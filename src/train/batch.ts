import type { Random } from '../base/random.js';
import type { Geometry } from '../data/dataset.js';
import { poolRows } from '../data/pool.js';
import { augment } from './augmentation.js';
import type { TrainConfig } from './config.js';
import { labelGoodness, type Product } from './forward.js';
import { hardWrongLabels, randomWrongLabels } from './negatives/wrong-labels.js';
import { inputCount, type Network } from './network.js';
import { encode } from './preprocess.js';

/** Turns samples and labels into the bytes that the first layer trains on: augmentation, encoding, and labels as inputs. */
export class Batch {
  /** (rows, inputs of the first layer) at the start of the array */
  encoded = new Uint8Array(0);
  private raw = new Uint8Array(0);
  private wrong = new Uint8Array(0);
  private readonly network: Network;
  private readonly config: TrainConfig;
  private readonly geometry: Geometry | undefined;
  private readonly product: Product;

  /**
   * @param network the one in training: its current weights say which wrong labels are hard
   * @param geometry of the samples as they come, before pooling
   */
  constructor(network: Network, config: TrainConfig, geometry: Geometry | undefined, product: Product) {
    this.product = product;
    this.network = network;
    this.config = config;
    this.geometry = geometry;
  }

  /**
   * @param samples (labels.length, width * pool^2) bytes
   * @returns the number of rows: one per sample, or, with the label in the input, all samples with their true label and then
   *   all with a wrong one
   */
  fill(samples: Uint8Array, labels: Uint8Array, random: Random): number {
    const { network, config } = this;
    const { classes, width, objective, preprocessing } = network;
    const partitioned = objective === 'partitioned';
    const count = labels.length;
    const rows = partitioned ? count : 2 * count;
    const stride = inputCount(network);
    const full = samples.length / count;
    if (this.raw.length < samples.length) this.raw = new Uint8Array(samples.length);
    if (this.encoded.length < rows * stride) this.encoded = new Uint8Array(rows * stride);
    augment(config.augmentation, this.geometry, samples, this.raw, count, full, random);
    if (config.pool > 1) poolRows(this.raw, count, this.geometry!, config.pool, this.raw);
    encode(preprocessing, this.raw, this.encoded, count, width, stride, partitioned ? 0 : classes);
    if (!partitioned) this.addLabels(labels, stride, random);
    return rows;
  }

  private addLabels(labels: Uint8Array, stride: number, random: Random): void {
    const { network, config, encoded } = this;
    const { classes, labelValue } = network;
    const count = labels.length;
    if (this.wrong.length !== count) this.wrong = new Uint8Array(count);
    if (config.negatives === 'hard') {
      const goodness = labelGoodness(network, this.raw, count, this.product);
      hardWrongLabels(goodness, labels, this.wrong, classes, config.loss.temperature, random);
    } else {
      randomWrongLabels(labels, this.wrong, classes, random);
    }
    encoded.copyWithin(count * stride, 0, count * stride);
    for (let r = 0; r < 2 * count; r++) {
      const label = r < count ? labels[r]! : this.wrong[r - count]!;
      encoded.fill(0, r * stride, r * stride + classes);
      encoded[r * stride + label] = labelValue;
    }
  }
}
