import { GoodnessError } from '../base/errors.js';
import { Random } from '../base/random.js';
import type { Dataset, Geometry } from '../data/dataset.js';
import type { Backend } from './backend.js';
import { Batch, type Rows } from './batch.js';
import type { Checkpoint, DataInfo, Run, TrainingState } from './checkpoint.js';
import { completeConfig, type PartialTrainConfig, surroundingsOf, type TrainConfig } from './config.js';
import { backendProduct, type Product } from './forward.js';
import type { TrainLayer } from './layers/layer.js';
import { RecurrentStack } from './layers/recurrent-stack.js';
import { type LayerStack, Stack } from './layers/stack.js';
import type { Samples } from './negatives/feed.js';
import {
  copyNetwork,
  createNetwork,
  labelCount,
  type Network,
  type NetworkShape,
  type ObjectiveName,
  validateNetwork,
} from './network.js';
import { ReadoutTrainer } from './objectives/readout-trainer.js';
import { Slopes } from './objectives/slopes.js';
import { goodnessMeans, type LayerReport, meanReport } from './progress.js';
import { type FitOptions, type FitResult, planRun, runOn } from './run.js';
import type { Phase } from './schedule/phases.js';

export interface TrainerOptions {
  readonly backend: Backend;
  /** Any integer; decides initial weights, order, augmentation, dropout and negatives. */
  readonly seed: number;
  /** Where to start: given weights (they are copied) ... */
  readonly network?: Network;
  /** ... or a shape that gets random ones. */
  readonly shape?: NetworkShape;
  readonly config?: PartialTrainConfig;
  /** Layers that stay as they are, by index: they only pass their inputs on. */
  readonly frozen?: ReadonlySet<number>;
  /** Of what the network takes, after pooling; needed for pooling, for shifts in the augmentation, and for hybrid negatives. */
  readonly geometry?: Geometry;
  /** Samples of the negatives `data`, as wide as those that are trained on. */
  readonly negatives?: Dataset;
}

/** What a single step may be told. */
export interface StepOptions {
  /** What it learns; both phases where left out. */
  readonly phase?: Phase;
  /** Learning rate of the read-out; it stays as it is where left out. */
  readonly readoutRate?: number;
  /** Samples that negatives may be mixed from; those of the step where left out. */
  readonly partners?: Samples;
}

/**
 * Trains a network by Forward-Forward: each layer has its own loss on its own goodness and gets the normalised output of
 * the layer below as its input; all layers move in the same step, and no gradient crosses them. The same seed on the same
 * backend gives the same weights, byte for byte.
 */
export class Trainer {
  readonly config: TrainConfig;
  readonly seed: number;
  /** Where the run that `fit` began stands, if there is one. */
  run: Run | undefined;
  /** The best network on the held-out part of the data so far, if a part is held out. */
  best: Network | undefined;
  readonly product: Product;
  private readonly base: Network;
  private readonly frozen: ReadonlySet<number>;
  private readonly stack: LayerStack;
  private readonly readout: ReadoutTrainer | undefined;
  private readonly slopes: Slopes;
  private readonly batch: Batch;
  /** Draws augmentation, dropout and negatives. */
  private random: Random;

  /** @throws GoodnessError `train.config`, `train.negatives`, `network.shape` or `network.weights` */
  constructor(options: TrainerOptions) {
    const { backend, seed, network, shape, geometry, frozen = new Set(), negatives } = options;
    this.product = backendProduct(backend);
    this.seed = seed;
    this.random = new Random(seed);
    if (network !== undefined) validateNetwork(network);
    else if (shape === undefined) {
      throw new GoodnessError('train.config', 'nothing to train', { expected: 'a network or a shape', got: 'neither' });
    }
    this.config = completeConfig(options.config ?? {}, surroundingsOf(network ?? shape!, geometry));
    const { pool, readout } = this.config;
    this.frozen = new Set([...frozen, ...(this.config.frozen ?? [])]);
    if (pool > 1 && geometry === undefined) {
      throw new GoodnessError('train.config', 'only images can be pooled', { expected: 'a geometry', got: 'none' });
    }
    this.base = network ?? createNetwork(shape!, this.random, this.config.gain);
    const { recurrent } = this.base;
    this.stack =
      recurrent === undefined
        ? new Stack(this.base, this.config, backend)
        : new RecurrentStack({ ...this.base, recurrent }, this.config, backend);
    this.slopes = new Slopes(this.base, this.config, backend);
    this.readout = readout && new ReadoutTrainer(readout, this.base, backend);
    this.batch = new Batch({
      network: { ...this.base, layers: this.layers.map(({ layer }) => layer) },
      config: this.config,
      readout: this.readout?.readout,
      geometry: geometry && { width: geometry.width * pool, height: geometry.height * pool },
      product: this.product,
      negatives,
    });
  }

  get layers(): readonly TrainLayer[] {
    return this.stack.layers;
  }

  get objective(): ObjectiveName {
    return this.base.objective;
  }

  /** The network as it is now, with copies of the weights. */
  network(): Network {
    const { theta } = this.config.loss;
    const { kind } = this.config.threshold;
    const usual = kind === 'width' && this.base.thresholds === undefined;
    return copyNetwork({
      ...this.base,
      theta,
      ...(usual ? {} : { thresholds: this.layers.map(({ threshold }) => threshold.value) }),
      layers: this.layers.map(({ layer }) => layer),
      ...(this.readout === undefined ? {} : { readout: this.readout.readout }),
    });
  }

  /** A trainer that goes on exactly where a checkpoint was taken; without state in it, one that begins with its weights. */
  static restore({ network, data, seed, config, state }: Checkpoint, backend: Backend, negatives?: Dataset): Trainer {
    const { geometry } = data;
    const trainer = new Trainer({
      backend,
      seed,
      network,
      config,
      ...(geometry === undefined ? {} : { geometry }),
      ...(negatives === undefined ? {} : { negatives }),
    });
    if (state !== undefined) trainer.setState(state);
    return trainer;
  }

  /** Network, recipe and state; all arrays are copies. */
  checkpoint(data: DataInfo): Checkpoint {
    const state: TrainingState = {
      ...(this.run === undefined ? {} : { run: this.run }),
      random: this.random.state(),
      layers: this.layers.map((layer) => layer.state()),
      ...(this.readout === undefined ? {} : { readout: this.readout.state() }),
      ...(this.best === undefined ? {} : { best: copyNetwork(this.best) }),
    };
    return { network: this.network(), data, seed: this.seed, config: this.config, state };
  }

  private setState(state: TrainingState): void {
    this.run = state.run;
    this.best = state.best;
    this.random = Random.restore(state.random);
    for (const [index, layer] of this.layers.entries()) layer.setState(state.layers[index]!);
    if (state.readout !== undefined) this.readout?.setState(state.readout);
  }

  /** Takes over the weights, thresholds and read-out of a network of the same shape. */
  adopt(network: Network): void {
    for (const [index, { layer, threshold }] of this.layers.entries()) {
      layer.weights.set(network.layers[index]!.weights);
      threshold.value = network.thresholds?.[index] ?? threshold.value;
    }
    if (network.readout !== undefined) this.readout?.readout.layer.weights.set(network.readout.layer.weights);
  }

  /**
   * Trains for a number of epochs, with the rate following the schedule.
   * @throws GoodnessError `train.data` if the data do not fit the network, `train.config` if the plan makes no sense
   */
  async fit(dataset: Dataset, options: FitOptions = {}): Promise<FitResult> {
    this.checkData(dataset);
    this.best = undefined;
    this.round(false);
    this.run = planRun(this, dataset, options, this.random.uint32());
    return runOn(this, dataset, options);
  }

  /**
   * Goes on with a run that was stopped, on the same data: the result is the same as without the stop.
   * @throws GoodnessError `train.run` if there is none, `train.data` if the data do not fit
   */
  async resume(dataset: Dataset, options: Omit<FitOptions, 'epochs' | 'batch' | 'stop'> = {}): Promise<FitResult> {
    this.checkData(dataset);
    return runOn(this, dataset, options);
  }

  /** Begins or ends the rounding of weights, in layers that don't round from the first step on. */
  round(on: boolean): void {
    for (const layer of this.layers) layer.round(on);
  }

  /** Gives samples to the negatives `others`, as wide as those that are trained on. */
  useNegatives(negatives: Dataset): void {
    this.batch.useNegatives(negatives);
  }

  /**
   * One step of all layers on one batch.
   * @param samples (labels.length, width * pool^2) bytes, before preprocessing
   * @param labels class per sample; 0 for all samples of a one-class network
   * @param rate learning rate of this step
   */
  step(samples: Uint8Array, labels: Uint8Array, rate: number, options: StepOptions = {}): readonly LayerReport[] {
    const { phase = 'both', readoutRate, partners } = options;
    this.checkBatch(samples, labels);
    this.batch.take(samples, labels.length, phase, this.random, partners);
    const labelled = this.base.objective === 'label';
    if (labelled) this.read(labels, readoutRate);
    const rows = this.batch.fill(labels, phase, this.random, this.readout?.logits);
    this.stack.forward(this.batch.encoded, rows.positives + rows.negatives, this.random);
    if (!labelled && rows.positives > 0) this.stepReadout(labels, readoutRate);
    if (this.stack.iterations === 0) return this.move(labels, rows, rate, phase);
    const reports = Array.from({ length: this.stack.iterations }, (_, iteration) => {
      this.stack.iterate(iteration);
      return this.move(labels, rows, rate, phase);
    });
    return this.layers.map((_, index) => meanReport(reports.map((each) => each[index]!)));
  }

  /** One step of the read-out alone. */
  stepReadoutOnly(samples: Uint8Array, labels: Uint8Array, readoutRate: number): void {
    this.checkBatch(samples, labels);
    this.batch.take(samples, labels.length, 'positive', this.random);
    if (this.base.objective === 'label') {
      this.read(labels, readoutRate);
      return;
    }
    const rows = this.batch.fill(labels, 'positive', this.random);
    this.stack.forward(this.batch.encoded, rows.positives, this.random, false);
    this.stepReadout(labels, readoutRate);
  }

  /** Passes the samples taken with a neutral label, and lets the read-out learn from what the layers do. */
  private read(labels: Uint8Array, readoutRate: number | undefined): void {
    if (this.readout === undefined) return;
    this.batch.fillNeutral(labels.length);
    this.stack.forward(this.batch.neutral, labels.length, this.random, false);
    this.stepReadout(labels, readoutRate);
  }

  private stepReadout(labels: Uint8Array, rate = 0): void {
    const outputs = this.layers.map(({ layer }) => layer.outputs);
    this.readout?.step(this.stack.activities, outputs, labels, rate);
  }

  private move(labels: Uint8Array, rows: Rows, rate: number, phase: Phase): LayerReport[] {
    const { slopes, stack } = this;
    slopes.begin(this.layers);
    return this.layers.map((layer, index): LayerReport => {
      const loss = slopes.of(layer, labels, rows, phase, rows.spared);
      const means = goodnessMeans(layer.goodness, labels, stack.groups, rows.positives);
      const threshold = layer.threshold.value;
      if (!this.frozen.has(index)) {
        if (layer.threshold.moves) layer.threshold.update(-sum(slopes.values), means.positive, means.negative, rate);
        layer.update(slopes.values, rate, rows.positives);
      }
      return { loss, ...means, threshold };
    });
  }

  private checkBatch(samples: Uint8Array, labels: Uint8Array): void {
    const width = this.base.width * this.config.pool ** 2;
    const count = labels.length;
    if (samples.length !== count * width || count === 0) {
      throw new GoodnessError('train.data', 'the batch does not fit the network', {
        expected: `${width} bytes for each of ${Math.max(1, count)} labels`,
        got: `${samples.length} bytes`,
      });
    }
    checkLabels(labels, this.base.classes);
  }

  private checkData(dataset: Dataset): void {
    const classes = labelCount(this.base);
    const width = this.base.width * this.config.pool ** 2;
    if (dataset.count === 0) {
      throw new GoodnessError('train.data', 'there are no samples to train on', { expected: 'at least 1', got: '0' });
    }
    if (dataset.width !== width || dataset.classes.length !== classes) {
      throw new GoodnessError('train.data', 'the data do not fit the network', {
        expected: `${width} inputs and ${classes} classes`,
        got: `${dataset.width} inputs and ${dataset.classes.length} classes`,
      });
    }
    checkLabels(dataset.labels, classes);
  }
}

function checkLabels(labels: Uint8Array, classes: number): void {
  for (const label of labels) {
    if (label < classes) continue;
    throw new GoodnessError('train.data', 'a label is out of range', {
      expected: `0 to ${classes - 1}`,
      got: String(label),
    });
  }
}

function sum(values: Float32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
