import { GoodnessError } from '../base/errors.js';
import { Random } from '../base/random.js';
import { type Dataset, select } from '../data/dataset.js';
import type { Backend } from '../train/backend.js';
import type { PartialTrainConfig } from '../train/config.js';
import { type PerLayer, roundedNetwork } from '../train/layers/fake-quantization.js';
import type { Network } from '../train/network.js';
import { scheduleFactor } from '../train/schedule/schedule.js';
import { Trainer } from '../train/trainer.js';
import { reviveDead } from './revive.js';

/** How long and how strongly both phases are trained on the host. */
export interface NegativePlan {
  readonly steps: number;
  /** Highest learning rate of Adam; it decays linearly to 0. */
  readonly rate: number;
  /** Samples of the proxy in each batch ... */
  readonly proxy: number;
  /** ... and of untouched host data, which keep the old domain alive. */
  readonly host: number;
}

/** The first sync: the device has learned little that must not be lost, and the domains are far apart. */
export const FIRST_SYNC: NegativePlan = { steps: 3000, rate: 2e-3, proxy: 60, host: 40 };
/** Later syncs: a long one would erase what the device has learned since. */
export const LATER_SYNC: NegativePlan = { steps: 300, rate: 3e-4, proxy: 50, host: 50 };

export interface NegativePhaseOptions {
  readonly backend: Backend;
  /** The device's weights as they are now, dequantized. */
  readonly network: Network;
  /** Value of one step of each layer's weights; left out: trained in floating point. */
  readonly scales?: readonly number[];
  /** Bits of each layer's weights, 8 if left out. */
  readonly bits?: PerLayer;
  /** Layers that the device can't change, by index: they stay as they are. */
  readonly frozen?: ReadonlySet<number>;
  /** The host's picture of the device's domain. */
  readonly proxy: Dataset;
  /** Untouched host data at the device's resolution. */
  readonly host: Dataset;
  readonly plan: NegativePlan;
  readonly seed: number;
  /** Parts of the training recipe that differ from the defaults. */
  readonly config?: PartialTrainConfig;
  readonly onProgress?: (progress: NegativeProgress) => void;
  readonly signal?: AbortSignal;
}

export interface NegativeProgress {
  readonly step: number;
  readonly steps: number;
  /** Mean loss over the layers since the last report. */
  readonly loss: number;
}

/** The network knows its task already: what keeps a long training from overfitting only slows this short one down. */
const KNOWN_RECIPE: PartialTrainConfig = { augmentation: { shift: 0 }, inputDropout: 0, dropout: 0 };

/** Samples drawn from a mean and a deviation look too much alike: without these, the network would learn their looks. */
function drawnRecipe({ geometry }: Dataset): PartialTrainConfig {
  // One pixel is too far in a small image.
  const shift = geometry !== undefined && Math.min(geometry.width, geometry.height) >= 20 ? 1 : 0;
  // Vectors of sensor values lie close together: losing a third of their inputs would move them further than their classes are apart.
  const inputDropout = geometry === undefined ? 0 : 0.3;
  return { augmentation: { shift }, inputDropout, dropout: 0.1 };
}

/** Whether the proxy has samples of classes of which the host has none. */
function hasDrawnClasses(proxy: Dataset, host: Dataset): boolean {
  const known = new Set(host.labels);
  return proxy.labels.some((label) => !known.has(label));
}

/** Steps between reports, and between looks at the event loop. */
const REPORT_EVERY = 50;
const BREATH = 8;

/**
 * The negative phase that a device leaves to its host: from the device's weights, trains both phases on the proxy and on
 * untouched host data, half and half, aware of the rounding to the device's steps.
 * @returns the network with new weights; with `scales`, they are whole numbers of steps within what the bits hold
 * @throws GoodnessError negative.data, negative.aborted, and those of the trainer
 */
export async function negativePhase(options: NegativePhaseOptions): Promise<Network> {
  const { backend, network, scales, bits = 8, frozen = new Set(), proxy, host, plan, seed, signal } = options;
  checkPlan(options);
  const trainer = new Trainer({
    backend,
    seed,
    network: plan.proxy > 0 ? reviveDead(network, proxy, frozen) : network,
    frozen,
    ...(host.geometry === undefined ? {} : { geometry: host.geometry }),
    config: {
      ...(hasDrawnClasses(proxy, host) ? drawnRecipe(host) : KNOWN_RECIPE),
      ...options.config,
      ...(scales === undefined ? {} : { quantization: { bits, scales, epochs: 0 } }),
    },
  });
  const random = new Random(seed ^ 0x5bd1e995);
  const feeds = [new Feed(proxy, plan.proxy, random), new Feed(host, plan.host, random)];
  const inputs = new Uint8Array((plan.proxy + plan.host) * network.width);
  const labels = new Uint8Array(plan.proxy + plan.host);
  let loss = 0;
  for (let step = 0; step < plan.steps; step++) {
    if (signal?.aborted === true) {
      throw new GoodnessError('negative.aborted', 'the negative phase was stopped', {
        got: `${step} of ${plan.steps} steps`,
      });
    }
    let at = 0;
    for (const feed of feeds) {
      const part = feed.next();
      inputs.set(part.inputs, at * network.width);
      labels.set(part.labels, at);
      at += part.count;
    }
    const rate = plan.rate * scheduleFactor({ decay: 'linear', warmup: 0 }, step, plan.steps);
    const reports = trainer.step(inputs, labels, rate);
    for (const report of reports) loss += report.loss / reports.length;
    if ((step + 1) % REPORT_EVERY === 0 || step + 1 === plan.steps) {
      options.onProgress?.({ step: step + 1, steps: plan.steps, loss: loss / ((step % REPORT_EVERY) + 1) });
      loss = 0;
    }
    if (step % BREATH === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return scales === undefined ? trainer.network() : roundedNetwork(trainer.network(), scales, bits);
}

/** Samples of one data set in random order, again and again. */
class Feed {
  private readonly data: Dataset;
  private readonly batch: number;
  private readonly random: Random;
  private order: Uint32Array;
  private at = 0;

  constructor(data: Dataset, batch: number, random: Random) {
    this.data = data;
    this.batch = batch;
    this.random = random;
    this.order = random.permutation(data.count);
  }

  next(): Dataset {
    const chosen = new Uint32Array(this.batch);
    for (let k = 0; k < this.batch; k++) {
      if (this.at === this.order.length) {
        this.order = this.random.permutation(this.data.count);
        this.at = 0;
      }
      chosen[k] = this.order[this.at++]!;
    }
    return select(this.data, chosen);
  }
}

function checkPlan({ plan, proxy, host, network }: NegativePhaseOptions): void {
  for (const [name, value, low] of [
    ['steps', plan.steps, 1],
    ['proxy', plan.proxy, 0],
    ['host', plan.host, 0],
    ['batch', plan.proxy + plan.host, 1],
  ] as const) {
    if (Number.isInteger(value) && value >= low) continue;
    throw new GoodnessError('negative.plan', `the plan of the negative phase has no usable ${name}`, {
      expected: `a whole number from ${low} on`,
      got: String(value),
    });
  }
  for (const [data, batch] of [
    [proxy, plan.proxy],
    [host, plan.host],
  ] as const) {
    if (batch === 0 || (data.count > 0 && data.width === network.width && data.classes.length === network.classes))
      continue;
    throw new GoodnessError('negative.data', `${data.name} does not fit the network`, {
      expected: `at least one sample of ${network.width} inputs, and ${network.classes} classes`,
      got: `${data.count} of ${data.width}, and ${data.classes.length}`,
    });
  }
}
