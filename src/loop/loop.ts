import { Random } from '../base/random.js';
import { type Dataset, sample, slice } from '../data/dataset.js';
import { pool as poolImages } from '../data/pool.js';
import { applyShift } from '../data/shift.js';
import type { Clock } from '../device/clock.js';
import type { Evaluation } from '../device/evaluation.js';
import type { Session } from '../device/session.js';
import { TELEMETRY } from '../device/telemetry.js';
import { flashModel } from '../device/transfer.js';
import { WasmCore } from '../device/wasm/core.js';
import { encodeImage } from '../format/image.js';
import type { Model } from '../format/model.js';
import { quantize } from '../quantize/quantize.js';
import { Reference } from '../reference/reference.js';
import type { Backend } from '../train/backend.js';
import { type Checkpoint, encodeCheckpoint } from '../train/checkpoint.js';
import { shapeFor } from '../train/config.js';
import { evaluate as evaluateNetwork } from '../train/evaluation.js';
import { Trainer } from '../train/trainer.js';
import { CoreLearner } from './core-learner.js';
import { type Evidence, type ScoreSample, scoreSample } from './evidence.js';
import type { LoopResult } from './result.js';
import { DEFAULT_SCHEDULE, runSchedule, type Stop } from './schedule.js';
import { SessionLearner } from './session-learner.js';
import type { LoopData } from './split.js';

export interface LoopOptions {
  readonly data: LoopData;
  readonly dataset: string;
  /** Neurons per layer. */
  readonly hidden: readonly number[];
  /** Side of the square of pixels whose mean is one input; 1 for none. */
  readonly pool: number;
  /** Epochs; left out: what suits the data. */
  readonly epochs?: number;
  readonly seed: number;
  readonly backend: Backend;
  readonly shift: string;
  readonly schedule?: readonly Stop[];
  /** A device that waits for a model. */
  readonly session: Session;
  readonly clock: Clock;
  /** Called as things go on: what is being done, and how much of it, 0 to 1. */
  readonly onProgress?: (stage: string, done: number, detail?: string) => void;
}

export interface LoopRun {
  readonly result: LoopResult;
  readonly evidence: Evidence;
  readonly checkpoint: Uint8Array;
  /** The image that was flashed ... */
  readonly image: Uint8Array;
  /** ... and the one that the device holds in the end. */
  readonly finalImage: Uint8Array;
}

/** Samples of the goodness histograms. */
const HISTOGRAM_SAMPLES = 1000;

/**
 * The whole loop on one device: train, quantize, flash, check parity, learn from a shifted stream by positive passes, sync the
 * negative phase, and measure after each step, on the device.
 */
export async function runLoop(options: LoopOptions): Promise<LoopRun> {
  const { data, seed, backend, shift, session, clock, pool } = options;
  const progress = options.onProgress ?? (() => {});
  const schedule = options.schedule ?? DEFAULT_SCHEDULE;
  const look = (part: Dataset): Dataset => poolImages(applyShift(part, shift, seed), pool);
  const longest = Math.max(0, ...schedule.map((stop) => stop.samples));
  const shifted = {
    stream: look(slice(data.stream, 0, longest)),
    shifted: look(data.test),
    clean: poolImages(data.test, pool),
  };

  const began = clock.now();
  const checkpoint = await train(options, progress);
  const seconds = (clock.now() - began) / 1000;
  const { network } = checkpoint;

  progress('quantize', 0);
  const { model } = quantize(network, {
    calibration: poolImages(data.host, pool),
    seed,
    ...(pool > 1 ? { meta: { pool } } : {}),
  });
  const image = encodeImage(model);
  await flashModel(session, image, {
    onProgress: (phase, done, total) => progress(phase === 'send' ? 'flash' : 'read back', done / total),
  });

  const sync = { backend, host: data.host, pool, seed };
  const device = new SessionLearner(session, model, new Random(seed), sync, (stage, done) => progress(stage, done));
  const clean = await device.evaluate(shifted.clean);
  const parity = { samples: clean.count, mismatches: mismatches(model, shifted.clean, clean) };
  await device.keepStatistics();
  const control = await CoreLearner.control(model, sync);

  const histogram = slice(shifted.shifted, 0, HISTOGRAM_SAMPLES);
  const scores: ScoreSample[] = [await scoreSample('before learning, shifted data', image, histogram)];
  const before = await device.evaluate(shifted.shifted);
  const ran = await runSchedule(device, control, shifted, schedule);
  const after = await device.evaluate(shifted.shifted);
  const finalImage = await device.image();
  scores.push(await scoreSample('in the end, shifted data', finalImage, histogram));

  const core = await WasmCore.withModel(image);
  const result: LoopResult = {
    dataset: options.dataset,
    layers: [model.layers[0]!.inputs, ...model.layers.map((layer) => layer.outputs)].join('-'),
    seed,
    train: {
      backend: backend.name,
      epochs: checkpoint.state?.run?.epochs ?? 0,
      seconds: round(seconds, 1),
      testError: round(evaluateNetwork(network, shifted.clean).error),
    },
    quantized: {
      bits: model.layers.map((layer) => layer.weightBits),
      testError: round(clean.error),
      falseReject: round(clean.falseReject),
      falseAccept: round(clean.falseAccept),
      imageBytes: image.length,
    },
    device: { target: session.hello.target, ram: core.ram() },
    shift,
    frozenError: round(ran.frozenError),
    learn: ran.learn.map((p) => ({ samples: p.samples, error: round(p.error), falseAccept: round(p.falseAccept) })),
    syncs: ran.syncs.map((s) => ({
      ...s,
      errorBefore: round(s.errorBefore),
      error: round(s.error),
      controlError: round(s.controlError),
      falseAccept: round(s.falseAccept),
      cleanError: round(s.cleanError),
    })),
    parity,
  };
  const evidence: Evidence = {
    classes: data.host.classes,
    scores,
    confusions: [
      { title: 'before learning, shifted data', confusion: before.confusion },
      { title: 'in the end, shifted data', confusion: after.confusion },
    ],
    telemetry: TELEMETRY.map(({ what, bytes }) => ({ what, bytes: bytes(model) })),
  };
  return { result, evidence, checkpoint: encodeCheckpoint(checkpoint), image, finalImage };
}

async function train(
  { data, hidden, pool, epochs, seed, backend }: LoopOptions,
  progress: (stage: string, done: number, detail?: string) => void,
): Promise<Checkpoint> {
  const small = poolImages(slice(data.host, 0, 1), pool);
  const trainer = new Trainer({
    backend,
    seed,
    shape: shapeFor(small, { hidden }),
    config: { pool },
    ...(small.geometry === undefined ? {} : { geometry: small.geometry }),
  });
  await trainer.fit(data.host, {
    ...(epochs === undefined ? {} : { epochs }),
    onProgress: ({ epoch, epochs: all, layers }) =>
      progress('train', epoch / all, `epoch ${epoch}, loss ${layers.map((l) => l.loss.toFixed(3)).join(' ')}`),
  });
  return trainer.checkpoint({ ...small, name: data.host.name });
}

/** Samples of which class, flags or one of the scores came out otherwise than the integer reference has them. */
function mismatches(model: Model, data: Dataset, { outcomes }: Evaluation): number {
  const reference = new Reference(model);
  let different = 0;
  for (let i = 0; i < data.count; i++) {
    const expected = reference.infer(sample(data, i), data.labels[i]!);
    const same =
      outcomes.classes[i] === expected.class &&
      outcomes.flags[i] === expected.flags &&
      outcomes.scores[i] === expected.score &&
      outcomes.labelScores[i] === expected.labelScore;
    if (!same) different++;
  }
  return different;
}

/** Figures are told with two decimals: a hundredth of a percent is one sample of 10,000. */
function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
