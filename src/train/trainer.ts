import { GoodnessError } from '../base/errors.js';
import { Random } from '../base/random.js';
import { type Dataset, type Geometry, select } from '../data/dataset.js';
import type { Backend } from './backend.js';
import { Batch } from './batch.js';
import type { Checkpoint, DataInfo, Run, TrainingState } from './checkpoint.js';
import { completeConfig, type FitPlan, type PartialTrainConfig, planFor, type TrainConfig } from './config.js';
import { backendProduct } from './forward.js';
import { LayerTrainer } from './layers/layer-trainer.js';
import { createNetwork, groupCount, inputCount, type Network, type NetworkShape, validateNetwork } from './network.js';
import { partitionedLoss, thresholdLoss } from './objectives/losses.js';
import { goodnessMeans, type LayerReport, type Progress, Tally } from './progress.js';
import { scheduleFactor } from './schedule/schedule.js';

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
  /** Of what the network takes, after pooling; needed for pooling and for shifts in the augmentation. */
  readonly geometry?: Geometry;
}

export interface FitOptions extends Partial<FitPlan> {
  readonly onProgress?: (progress: Progress) => void;
  /** Steps between reports; an epoch where left out. */
  readonly reportEvery?: number;
  /** Stops after the current step; `resume` goes on from there. */
  readonly signal?: AbortSignal;
  /** Milliseconds; for samples per second only. */
  readonly now?: () => number;
}

export interface FitResult {
  /** False if the signal stopped the run. */
  readonly finished: boolean;
  readonly step: number;
  readonly steps: number;
}

/** Steps between two looks at the event loop. */
const BREATH = 16;

/**
 * Trains a network by Forward-Forward: each layer has its own loss on its own goodness and gets the normalised output of
 * the layer below as its input; all layers move in the same step, and no gradient crosses them. The same seed on the same
 * backend gives the same weights, byte for byte.
 */
export class Trainer {
  readonly config: TrainConfig;
  readonly layers: readonly LayerTrainer[];
  readonly seed: number;
  /** Draws augmentation, dropout and negatives. */
  private random: Random;
  /** The run that `fit` began, if any. */
  private run: Run | undefined;
  private readonly base: Network;
  private readonly frozen: ReadonlySet<number>;
  private readonly batch: Batch;
  private total = new Float32Array(0);
  private slopes = new Float32Array(0);

  /** @throws GoodnessError `train.config`, `network.shape` or `network.weights` */
  constructor(options: TrainerOptions) {
    const { backend, seed, network, shape, geometry, frozen = new Set() } = options;
    this.seed = seed;
    this.frozen = frozen;
    this.random = new Random(seed);
    if (network !== undefined) validateNetwork(network);
    else if (shape === undefined) {
      throw new GoodnessError('train.config', 'nothing to train', { expected: 'a network or a shape', got: 'neither' });
    }
    const looks = network ?? shape!;
    this.config = completeConfig(options.config ?? {}, inputCount(looks), looks.theta);
    this.base = network ?? createNetwork(shape!, this.random, this.config.gain);
    const { quantization, optimizer, peer } = this.config;
    const scales = quantization?.scales;
    if (scales !== undefined && scales.length !== this.base.layers.length) {
      throw new GoodnessError('train.config', 'invalid scales', {
        expected: `${this.base.layers.length}, one per layer`,
        got: String(scales.length),
      });
    }
    this.layers = this.base.layers.map((layer, index) => {
      const scale = scales?.[index];
      return new LayerTrainer(
        layer,
        {
          groups: groupCount(this.base),
          optimizer,
          peer,
          ...(quantization === undefined
            ? {}
            : { quantization: { bits: quantization.bits, ...(scale === undefined ? {} : { scale }) } }),
        },
        backend,
      );
    });
    const live = { ...this.base, layers: this.layers.map(({ layer }) => layer) };
    const { pool } = this.config;
    if (pool > 1 && geometry === undefined) {
      throw new GoodnessError('train.config', 'only images can be pooled', { expected: 'a geometry', got: 'none' });
    }
    const full = geometry && { width: geometry.width * pool, height: geometry.height * pool };
    this.batch = new Batch(live, this.config, full, backendProduct(backend));
  }

  /** The network as it is now, with copies of the weights. */
  network(): Network {
    const layers = this.layers.map(({ layer }) => ({ ...layer, weights: layer.weights.slice() }));
    return { ...this.base, theta: this.config.loss.theta, layers };
  }

  /** A trainer that goes on exactly where a checkpoint was taken; without state in it, one that begins with its weights. */
  static restore({ network, data, seed, config, state }: Checkpoint, backend: Backend): Trainer {
    const { geometry } = data;
    const trainer = new Trainer({ backend, seed, network, config, ...(geometry === undefined ? {} : { geometry }) });
    if (state !== undefined) trainer.setState(state);
    return trainer;
  }

  /** Network, recipe and state; all arrays are copies. */
  checkpoint(data: DataInfo): Checkpoint {
    const state: TrainingState = {
      ...(this.run === undefined ? {} : { run: { ...this.run } }),
      random: this.random.state(),
      layers: this.layers.map((layer) => layer.state()),
    };
    return { network: this.network(), data, seed: this.seed, config: this.config, state };
  }

  private setState(state: TrainingState): void {
    this.run = state.run;
    this.random = Random.restore(state.random);
    for (const [index, layer] of this.layers.entries()) layer.setState(state.layers[index]!);
  }

  /**
   * Trains for a number of epochs, with the rate following the schedule.
   * @throws GoodnessError `train.data` if the data do not fit the network
   */
  async fit(dataset: Dataset, options: FitOptions = {}): Promise<FitResult> {
    this.checkData(dataset);
    const plan = planFor(dataset.count);
    const epochs = options.epochs ?? plan.epochs;
    const batch = Math.min(options.batch ?? plan.batch, dataset.count);
    for (const [name, value] of Object.entries({ epochs, batch })) {
      if (!Number.isInteger(value) || value < 1) {
        throw new GoodnessError('train.config', `invalid ${name}`, {
          expected: 'a whole number from 1 on',
          got: String(value),
        });
      }
    }
    const steps = epochs * Math.ceil(dataset.count / batch);
    this.run = { epochs, batch, steps, step: 0, orderSeed: this.random.uint32() };
    return this.resume(dataset, options);
  }

  /**
   * Goes on with a run that was stopped, on the same data: the result is the same as without the stop.
   * @throws GoodnessError `train.run` if there is none, `train.data` if the data do not fit
   */
  async resume(dataset: Dataset, options: Omit<FitOptions, 'epochs' | 'batch'> = {}): Promise<FitResult> {
    let run = this.run;
    this.checkData(dataset);
    if (run === undefined || run.steps !== run.epochs * Math.ceil(dataset.count / run.batch)) {
      throw new GoodnessError('train.run', 'there is no run on these data to go on with', {
        fix: 'Start one with fit, or give the data that it was started with.',
      });
    }
    const { onProgress, signal, now = () => performance.now() } = options;
    const perEpoch = run.steps / run.epochs;
    const reportEvery = options.reportEvery ?? perEpoch;
    const tally = new Tally(this.layers.length);
    let since = now();
    let order: Uint32Array | undefined;
    let orderEpoch = -1;
    while (run.step < run.steps) {
      if (signal?.aborted === true) return { finished: false, step: run.step, steps: run.steps };
      const epoch = Math.floor(run.step / perEpoch);
      if (order === undefined || epoch !== orderEpoch) {
        order = new Random((run.orderSeed + epoch * 0x9e3779b9) >>> 0).permutation(dataset.count);
        orderEpoch = epoch;
      }
      const from = (run.step - epoch * perEpoch) * run.batch;
      const part = select(dataset, order.subarray(from, Math.min(from + run.batch, dataset.count)));
      const rate = this.config.learningRate * scheduleFactor(this.config.schedule, run.step, run.steps);
      tally.add(this.step(part.inputs, part.labels, rate), part.count);
      run = { ...run, step: run.step + 1 };
      this.run = run;
      if (run.step % reportEvery === 0 || run.step === run.steps) {
        const time = now();
        onProgress?.({
          epoch: epoch + 1,
          epochs: run.epochs,
          step: run.step,
          steps: run.steps,
          layers: tally.means(),
          learningRate: rate,
          samplesPerSecond: time > since ? (tally.samples / (time - since)) * 1000 : 0,
        });
        tally.reset();
        since = time;
      }
      if (run.step % BREATH === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    return { finished: true, step: run.step, steps: run.steps };
  }

  /**
   * One step of all layers on one batch.
   * @param samples (labels.length, width * pool^2) bytes, before preprocessing
   * @param labels class per sample
   * @param rate learning rate of this step
   */
  step(samples: Uint8Array, labels: Uint8Array, rate: number): readonly LayerReport[] {
    const { classes, objective } = this.base;
    const width = this.base.width * this.config.pool ** 2;
    const count = labels.length;
    if (samples.length !== count * width || count === 0) {
      throw new GoodnessError('train.data', 'the batch does not fit the network', {
        expected: `${width} bytes for each of ${Math.max(1, count)} labels`,
        got: `${samples.length} bytes`,
      });
    }
    for (const label of labels) if (label >= classes) throw labelError(label, classes);
    const partitioned = objective === 'partitioned';
    const groups = partitioned ? classes : 1;
    const rows = this.batch.fill(samples, labels, this.random);
    this.forward(rows);
    this.reserve(rows * groups);
    for (let i = 0; i < rows * groups; i++) {
      let sum = 0;
      for (const layer of this.layers) sum += layer.goodness[i]!;
      this.total[i] = sum;
    }
    return this.layers.map((layer, index): LayerReport => {
      const { goodness } = layer;
      const loss = partitioned
        ? partitionedLoss(this.config.loss, goodness, this.total, labels, rows, groups, this.slopes)
        : thresholdLoss(this.config.loss, goodness, count, rows, this.slopes);
      if (!this.frozen.has(index)) layer.update(this.slopes, rate);
      return { loss, ...goodnessMeans(goodness, labels, groups) };
    });
  }

  private forward(rows: number): void {
    this.layers.forEach((layer, index) => {
      const below = this.layers[index - 1];
      const dropout = below === undefined ? this.config.inputDropout : this.config.dropout;
      layer.forward(below === undefined ? this.batch.encoded : below.activities, rows, dropout, this.random);
    });
  }

  private reserve(size: number): void {
    if (this.total.length === size) return;
    this.total = new Float32Array(size);
    this.slopes = new Float32Array(size);
  }

  private checkData(dataset: Dataset): void {
    const { classes } = this.base;
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
    for (const label of dataset.labels) if (label >= classes) throw labelError(label, classes);
  }
}

function labelError(label: number, classes: number): GoodnessError {
  return new GoodnessError('train.data', 'a label is out of range', {
    expected: `0 to ${classes - 1}`,
    got: String(label),
  });
}
