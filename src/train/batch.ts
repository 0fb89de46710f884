import { GoodnessError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import type { Dataset, Geometry } from '../data/dataset.js';
import { poolRows } from '../data/pool.js';
import { augment } from './augmentation.js';
import type { TrainConfig } from './config.js';
import { labelGoodness, type Product } from './forward.js';
import { ascend } from './negatives/ascent.js';
import { feedOf, type NegativeFeed, type Samples } from './negatives/feed.js';
import { hasOwnRows } from './negatives/negatives.js';
import { predictAhead } from './negatives/predicted.js';
import { drawnLabels, randomWrongLabels } from './negatives/wrong-labels.js';
import { inputCount, type Network, type Readout } from './network.js';
import { NO_GROUP } from './objectives/losses.js';
import { neutralValue } from './objectives/readout.js';
import { encode } from './preprocess.js';
import type { Phase } from './schedule/phases.js';

/** What a batch holds: positive rows come first. */
export interface Rows {
  readonly positives: number;
  /** Rows that are negative as a whole; class-partitioned layers have negative groups beside. */
  readonly negatives: number;
  /** Group of each negative row that is left alone (255: none); left out where none is. */
  readonly spared?: Uint8Array;
}

export interface BatchOptions {
  /** The one in training: its current weights say which negatives are hard. */
  readonly network: Network;
  readonly config: TrainConfig;
  /** Its read-out, if it has one: its current weights say what the negatives `predicted` go on with. */
  readonly readout: Readout | undefined;
  /** Of the samples as they come, before pooling. */
  readonly geometry: Geometry | undefined;
  readonly product: Product;
  /** Samples of the negatives `data` and `others`, as they come. */
  readonly negatives: Dataset | undefined;
}

/** Turns samples and labels into the bytes that the first layer trains on: augmentation, negatives, encoding, labels as inputs. */
export class Batch {
  /** (rows, inputs of the first layer) at the start of the array: positive rows, then negative ones. */
  encoded = new Uint8Array(0);
  /** The positive samples with a neutral label, if the network reads labels and the last `fill` was asked for them. */
  neutral = new Uint8Array(0);
  private raw = new Uint8Array(0);
  private negative = new Uint8Array(0);
  private drawn = new Uint8Array(0);
  /** Class of each negative sample, where it has one. */
  private classes = new Uint8Array(0);
  private readonly options: BatchOptions;
  private readonly ownRows: boolean;
  private feed: NegativeFeed | undefined;

  /** @throws GoodnessError `train.negatives` */
  constructor(options: BatchOptions) {
    const { network, config, negatives } = options;
    this.options = options;
    this.ownRows = hasOwnRows(config.negatives, network.objective);
    if (config.negatives.kind === 'predicted' && (network.width % network.classes !== 0 || config.pool > 1)) {
      throw new GoodnessError('train.negatives', 'the negatives `predicted` are for windows of symbols', {
        expected: `a multiple of ${network.classes} inputs, one for each symbol that there is`,
        got: String(network.width),
        fix: 'Train on a text.',
      });
    }
    // The samples of `others` come with the data that are trained on.
    if (config.negatives.kind !== 'others' || negatives !== undefined) this.useNegatives(negatives);
  }

  /**
   * Gives samples to the negatives `data` and `others`, as they come.
   * @throws GoodnessError `train.negatives`
   */
  useNegatives(negatives: Dataset | undefined): void {
    const { network, config, geometry } = this.options;
    this.feed = feedOf(config.negatives, network.width * config.pool ** 2, geometry, negatives);
  }

  /**
   * Takes the samples of a step: augments them, makes negative ones of them where the recipe wants samples of their own, and pools both.
   * @param samples (count, width * pool^2) bytes
   * @param partners samples that negatives may be mixed from; those of the step where left out
   */
  take(samples: Uint8Array, count: number, phase: Phase, random: Random, partners?: Samples): void {
    const { config, geometry, network } = this.options;
    const { augmentation, negatives, pool } = config;
    const full = samples.length / count;
    if (this.raw.length < samples.length) this.raw = new Uint8Array(samples.length);
    const { raw } = this;
    augment(augmentation, geometry, samples, raw, count, full, random);
    if (this.ownRows && network.objective !== 'label' && phase !== 'positive') {
      if (this.negative.length < samples.length) this.negative = new Uint8Array(samples.length);
      const { negative } = this;
      if (this.feed === undefined) this.useNegatives(undefined);
      if (this.classes.length !== count) this.classes = new Uint8Array(count).fill(NO_GROUP);
      this.feed!.fill(raw, negative, count, partners ?? { inputs: raw, count }, random, this.classes);
      // What comes from elsewhere must not be known by standing still.
      if (negatives.kind === 'data' || negatives.kind === 'others' || negatives.kind === 'proxy') {
        augment(augmentation, geometry, negative.slice(0, count * full), negative, count, full, random);
      }
      if (negatives.kind === 'predicted') {
        const read = { ...network, readout: this.options.readout! };
        predictAhead(read, negatives.symbols, negative, count, random, this.options.product);
      }
      if (pool > 1) poolRows(negative, count, geometry!, pool, negative);
    }
    if (pool > 1) poolRows(raw, count, geometry!, pool, raw);
  }

  /** Encodes the samples taken with a neutral label into `neutral`, (count, inputs of the first layer). */
  fillNeutral(count: number): void {
    const { network } = this.options;
    const stride = inputCount(network);
    if (this.neutral.length < count * stride) this.neutral = new Uint8Array(count * stride);
    this.encode(this.raw, count, this.neutral, 0);
    for (let r = 0; r < count; r++) {
      this.neutral.fill(neutralValue(network), r * stride, r * stride + network.classes);
    }
  }

  /**
   * Encodes the rows that a phase learns from into `encoded`.
   * @param labels of the samples taken
   * @param logits what the read-out says of them, (labels.length, classes): for hard negatives that are drawn from it
   */
  fill(labels: Uint8Array, phase: Phase, random: Random, logits?: Float32Array): Rows {
    const { network, config } = this.options;
    const partitioned = network.objective === 'partitioned';
    const count = labels.length;
    // Class-partitioned layers have their rivals in every row.
    const positives = phase === 'negative' && !partitioned ? 0 : count;
    const negatives = this.ownRows && phase !== 'positive' ? count : 0;
    const stride = inputCount(network);
    const size = (positives + negatives) * stride;
    if (this.encoded.length < size) this.encoded = new Uint8Array(size);
    const labelled = network.objective === 'label';
    this.encode(this.raw, positives, this.encoded, 0);
    this.encode(labelled ? this.raw : this.negative, negatives, this.encoded, positives * stride);
    if (labelled) this.addLabels(labels, positives, negatives, random, logits);
    else if (negatives > 0 && config.negatives.kind === 'self') {
      const rows = this.encoded.subarray(positives * stride, size);
      ascend(network, config.negatives, rows, negatives, random, this.options.product);
    }
    const spares = negatives > 0 && partitioned && config.negatives.kind === 'proxy';
    return { positives, negatives, ...(spares ? { spared: this.classes } : {}) };
  }

  private encode(source: Uint8Array, count: number, target: Uint8Array, from: number): void {
    const { network } = this.options;
    const column = network.objective === 'label' ? network.classes : 0;
    encode(network.preprocessing, source, target.subarray(from), count, network.width, inputCount(network), column);
  }

  private addLabels(
    labels: Uint8Array,
    positives: number,
    negatives: number,
    random: Random,
    logits: Float32Array | undefined,
  ): void {
    const { network } = this.options;
    const { encoded } = this;
    const { classes, labelValue } = network;
    const stride = inputCount(network);
    const wrong = negatives > 0 ? this.wrongLabels(labels, random, logits) : labels;
    for (let r = 0; r < positives + negatives; r++) {
      const label = r < positives ? labels[r]! : wrong[r - positives]!;
      encoded.fill(0, r * stride, r * stride + classes);
      encoded[r * stride + label] = labelValue;
    }
  }

  private wrongLabels(labels: Uint8Array, random: Random, logits: Float32Array | undefined): Uint8Array {
    const { network, config, product } = this.options;
    const { negatives, loss } = config;
    const { classes } = network;
    if (this.drawn.length !== labels.length) this.drawn = new Uint8Array(labels.length);
    const { drawn } = this;
    if (negatives.kind === 'random') randomWrongLabels(labels, drawn, classes, random);
    else if (negatives.kind === 'hard' && negatives.from === 'readout' && logits !== undefined) {
      drawnLabels(logits, labels, drawn, classes, 1, random);
    } else {
      const goodness = labelGoodness(network, this.raw, labels.length, product);
      drawnLabels(goodness, labels, drawn, classes, loss.temperature, random, negatives.kind === 'self');
    }
    return drawn;
  }
}
