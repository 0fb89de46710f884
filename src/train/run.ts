import { GoodnessError } from '../base/errors.js';
import { Random } from '../base/random.js';
import { type Dataset, select } from '../data/dataset.js';
import type { Run } from './checkpoint.js';
import { type FitPlan, planFor } from './config.js';
import { evaluate } from './evaluation.js';
import { NORMAL, partsOf } from './negatives/others.js';
import { type Progress, Tally } from './progress.js';
import { holdOut, isBetter, patienceOf } from './schedule/early-stop.js';
import { phaseAt, phaseRate } from './schedule/phases.js';
import { scheduleFactor } from './schedule/schedule.js';
import { stageAt } from './schedule/stages.js';
import type { Trainer } from './trainer.js';

export interface FitOptions extends Partial<FitPlan> {
  readonly onProgress?: (progress: Progress) => void;
  /** Steps between reports ... */
  readonly reportEvery?: number;
  /** ... or about so many reports in an epoch; 1 where both are left out. */
  readonly reportsPerEpoch?: number;
  /** Called after every so many steps, and waited for: a time to write a checkpoint. */
  readonly onCheckpoint?: () => void | Promise<void>;
  /** Epochs between checkpoints; 1 where left out. */
  readonly checkpointEvery?: number;
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
 * The run that a plan makes on a data set.
 * @throws GoodnessError `train.config`
 */
export function planRun(trainer: Trainer, dataset: Dataset, plan: Partial<FitPlan>, orderSeed: number): Run {
  const { online, readout, quantization } = trainer.config;
  const { stop } = plan;
  const count = learnedPart(trainer, dataset, { orderSeed, ...(stop === undefined ? {} : { stop }) }).learned.count;
  if (count === 0) {
    throw new GoodnessError('train.data', 'there are no positive samples to train on', {
      expected: 'at least 1',
      got: '0',
    });
  }
  if (stop !== undefined && trainer.objective === 'one-class' && !dataset.labels.some((label) => label !== NORMAL)) {
    throw new GoodnessError('train.config', 'nothing tells when to stop', {
      expected: 'novel samples among the data: they are held out, and never learned',
      got: 'normal ones only',
    });
  }
  const usual = planFor(count);
  const first = plan.epochs ?? usual.epochs;
  const rounded = quantization === undefined ? 0 : (quantization.epochs ?? first);
  const epochs = first + rounded + (readout?.epochs ?? 0);
  const batch = Math.min(plan.batch ?? (online === undefined ? usual.batch : 1), count);
  for (const [name, value] of Object.entries({ epochs, batch })) {
    if (Number.isInteger(value) && value >= 1) continue;
    throw new GoodnessError('train.config', `invalid ${name}`, {
      expected: 'a whole number from 1 on',
      got: String(value),
    });
  }
  if (online !== undefined && batch !== 1) {
    throw new GoodnessError('train.config', 'closed-form steps take one sample at a time', {
      expected: 'a batch of 1',
      got: String(batch),
    });
  }
  if (stop !== undefined && (readout?.epochs ?? 0) > 0) {
    throw new GoodnessError('train.config', 'a run that may stop early has no epochs for its read-out alone', {
      expected: 'readout.epochs of 0',
      got: String(readout?.epochs),
    });
  }
  if (stop !== undefined && rounded > 0) {
    throw new GoodnessError('train.config', 'a run that may stop early has no epochs with rounded weights of its own', {
      expected: 'quantization.epochs of 0: weights are rounded from the first step on',
      got: String(rounded),
    });
  }
  const steps = epochs * Math.ceil(count / batch);
  const parts = { ...(rounded > 0 ? { rounded } : {}), ...(stop === undefined ? {} : { stop }) };
  return { epochs, batch, steps, step: 0, orderSeed, ...parts };
}

/** Carries a trainer's run on to its end, or until the signal. */
export async function runOn(trainer: Trainer, dataset: Dataset, options: FitOptions): Promise<FitResult> {
  let { run } = trainer;
  const { onProgress, onCheckpoint, signal, now = () => performance.now() } = options;
  const parts = run && learnedPart(trainer, dataset, run);
  if (
    run === undefined ||
    parts === undefined ||
    run.steps !== run.epochs * Math.ceil(parts.learned.count / run.batch)
  ) {
    throw new GoodnessError('train.run', 'there is no run on these data to go on with', {
      fix: 'Start one with fit, or give the data that it was started with.',
    });
  }
  const { learned, held, negatives } = parts;
  if (negatives !== undefined) trainer.useNegatives(negatives);
  const { config } = trainer;
  const perEpoch = run.steps / run.epochs;
  const reportEvery = options.reportEvery ?? Math.ceil(perEpoch / (options.reportsPerEpoch ?? 1));
  const checkpointEvery = (options.checkpointEvery ?? 1) * perEpoch;
  const tally = new Tally(trainer.layers.length);
  let since = now();
  let order: Uint32Array | undefined;
  let orderEpoch = -1;
  let part: Dataset | undefined;
  let heldOut = run.heldOut;
  while (run.step < run.steps && !hasStopped(run, perEpoch)) {
    if (signal?.aborted === true) return { finished: false, step: run.step, steps: run.steps };
    const step: number = run.step;
    const epoch = Math.floor(step / perEpoch);
    if (order === undefined || epoch !== orderEpoch) {
      order = new Random((run.orderSeed + epoch * 0x9e3779b9) >>> 0).permutation(learned.count);
      orderEpoch = epoch;
    }
    const from = (step - epoch * perEpoch) * run.batch;
    part = select(learned, order.subarray(from, Math.min(from + run.batch, learned.count)), part);
    const phase = phaseAt(config.phases, step);
    const { learns, from: begin, to: end } = stageAt(run, config.readout?.epochs ?? 0, step);
    let rate = 0;
    if (learns !== 'readout') {
      if (learns === 'rounded layers' && step === begin) trainer.round(true);
      const { learningRate } = (learns === 'rounded layers' ? config.quantization : undefined) ?? config;
      const factor = scheduleFactor(config.schedule, step - begin, end - begin);
      // The rate of a closed-form step is in the step itself.
      rate = factor * phaseRate(config.phases, phase) * (config.online === undefined ? learningRate : 1);
      const readoutRate = factor * (config.readout?.learningRate ?? 0);
      tally.add(trainer.step(part.inputs, part.labels, rate, { phase, readoutRate, partners: learned }), part.count);
    } else {
      const factor = scheduleFactor({ decay: 'linear', warmup: 0 }, step - begin, end - begin);
      trainer.stepReadoutOnly(part.inputs, part.labels, factor * config.readout!.learningRate);
    }
    run = { ...run, step: step + 1 };
    if (held !== undefined && run.step % perEpoch === 0) {
      heldOut = score(trainer, held);
      run = { ...run, heldOut };
      if (isBetter(heldOut, run.best)) {
        run = { ...run, best: { score: heldOut, epoch: run.step / perEpoch } };
        trainer.best = trainer.network();
      }
    }
    trainer.run = run;
    const last = run.step === run.steps || hasStopped(run, perEpoch);
    if (run.step % reportEvery === 0 || last) {
      const time = now();
      const { samples } = tally;
      onProgress?.({
        epoch: epoch + 1,
        epochs: run.epochs,
        step: run.step,
        steps: run.steps,
        layers: tally.take(),
        learningRate: rate,
        samplesPerSecond: time > since ? (samples / (time - since)) * 1000 : 0,
        ...(heldOut === undefined ? {} : { heldOut }),
      });
      since = time;
    }
    if (run.step % checkpointEvery === 0 && !last) await onCheckpoint?.();
    if (run.step % BREATH === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  if (trainer.best !== undefined) trainer.adopt(trainer.best);
  return { finished: true, step: run.step, steps: run.steps };
}

/** Whether a run has waited in vain for a better result on the held-out part. */
function hasStopped({ step, stop, best, epochs }: Run, perEpoch: number): boolean {
  if (stop === undefined || best === undefined) return false;
  return step / perEpoch - best.epoch >= patienceOf(stop, epochs);
}

/** What a run learns from, and what it is judged by; the same for the same seed. */
function learnedPart(
  trainer: Trainer,
  dataset: Dataset,
  { stop, orderSeed }: Pick<Run, 'stop' | 'orderSeed'>,
): { readonly learned: Dataset; readonly held?: Dataset; readonly negatives?: Dataset } {
  const { objective } = trainer;
  const kind = trainer.config.negatives;
  if (stop === undefined) {
    const { positives, ...rest } = partsOf(dataset, objective, kind);
    return { learned: positives, ...rest };
  }
  const { train, held } = holdOut(dataset, stop.holdout, orderSeed);
  const { positives, ...rest } = partsOf(train, objective, kind);
  return { learned: positives, held, ...rest };
}

/** How bad a trainer's network is on held-out samples, in percent. */
function score(trainer: Trainer, held: Dataset): number {
  const { error, readoutError, auroc } = evaluate(trainer.network(), held, { product: trainer.product });
  return auroc === undefined ? (readoutError ?? error) : 100 - auroc;
}
