import { GoodnessError } from '../base/errors.js';
import { type Dataset, sample } from '../data/dataset.js';
import { FLAG, MESSAGES, type StatusResponse } from '../format/message.js';
import { STATUS, statusError } from '../format/status.js';
import { type Evaluation, evaluationOf } from './evaluation.js';
import { pipeline, sendSequence } from './pipeline.js';
import type { Session } from './session.js';
import type { OnProgress } from './transfer.js';
import type { WasmCore } from './wasm/core.js';
import { newOutcomes, setOutcome } from './wasm/outcomes.js';

/** Payload in front of the sample: the label of INFER; index and label of LEARN. */
const INFER_HEAD = 1;
const LEARN_HEAD = 5;
/** Bytes on the line beside the sample: frame, index and label, and the answer. */
const LEARN_OVERHEAD = 8 + LEARN_HEAD + 8 + 17;

/** Classifies all samples on the device, with their labels, so that the device says which thresholds they miss. */
export async function evaluate(session: Session, data: Dataset, onProgress?: OnProgress): Promise<Evaluation> {
  checkData(session, data);
  const outcomes = newOutcomes(data.count);
  let next = 0;
  let done = 0;
  await pipeline(
    () => session.pipeliningOf(INFER_HEAD + data.width),
    () => {
      if (next >= data.count) return undefined;
      const i = next++;
      return session.request(MESSAGES.infer, { label: data.labels[i]!, input: sample(data, i) }).then((outcome) => {
        setOutcome(outcomes, i, outcome);
        onProgress?.(++done, data.count);
      });
    },
  );
  return evaluationOf(outcomes, data.labels, session.hello.classes);
}

/** The same by direct calls of an in-process core. */
export function evaluateCore(core: WasmCore, data: Dataset): Evaluation {
  return evaluationOf(core.inferMany(data.inputs, data.labels), data.labels, core.shape.classes);
}

export interface LearnOptions {
  /** First sample to play; 0 if left out. */
  readonly from?: number;
  /** How many; all that follow if left out. */
  readonly samples?: number;
  /** `wrong` of the `done` samples were classified wrongly before they were learned, as far as answers came. */
  readonly onProgress?: (done: number, total: number, wrong: number) => void;
}

/** What the device counted while it learned. Rates are in percent of the samples, each taken before that sample was learned. */
export interface LearnReport {
  readonly samples: number;
  readonly error: number;
  readonly falseReject: number;
  readonly falseAccept: number;
  /** Layer updates: how often a layer was changed. */
  readonly updates: number;
  /** Samples learned whose answer was lost on the line. */
  readonly unanswered: number;
}

/**
 * Plays samples to the device as if they came from its sensor, with their labels. Each is learned exactly once, in order,
 * whatever the line loses: the device only takes the index that it expects.
 *
 * @throws GoodnessError `device.restarted` if the device started anew meanwhile (what it had not saved is gone)
 */
export async function learn(session: Session, data: Dataset, options: LearnOptions = {}): Promise<LearnReport> {
  checkData(session, data);
  const from = Math.min(options.from ?? 0, data.count);
  const end = Math.min(from + (options.samples ?? data.count), data.count);
  const before = await session.request(MESSAGES.status, undefined);
  await session.request(MESSAGES.stream, { index: from });
  const progress = { answered: 0, wrong: 0 };
  await learnFrom(session, data, from, end, progress, (next) =>
    options.onProgress?.(next - from, end - from, progress.wrong),
  );
  const after = await session.request(MESSAGES.status, undefined);
  return learnReport(before, after, end - from, progress.answered);
}

/** What was counted between two looks at a device, while so many samples were learned. */
export function learnReport(
  before: StatusResponse,
  after: StatusResponse,
  samples: number,
  answered: number,
): LearnReport {
  const percent = (n: number): number => (samples === 0 ? 0 : (100 * n) / samples);
  return {
    samples,
    error: percent(after.errors - before.errors),
    falseReject: percent(after.falseRejects - before.falseRejects),
    falseAccept: percent(after.falseAccepts - before.falseAccepts),
    updates: after.updates - before.updates,
    unanswered: samples - answered,
  };
}

/** Sends samples one behind the other, as many as the line bears. */
function learnFrom(
  session: Session,
  data: Dataset,
  from: number,
  end: number,
  progress: { answered: number; wrong: number },
  onNext: (next: number) => void,
): Promise<void> {
  const { loss } = session;
  const onTheLine = LEARN_OVERHEAD + data.width;
  let expected = from;
  return sendSequence({
    from,
    end,
    width: () => loss.width(onTheLine, session.pipeliningOf(LEARN_HEAD + data.width)),
    send: (index) => {
      const query = { index, label: data.labels[index]!, input: sample(data, index) };
      const next = session.attempt(MESSAGES.learn, query).then((answer) => {
        if (answer === undefined) {
          loss.wasLost(onTheLine);
          return undefined;
        }
        loss.came(onTheLine);
        const { next, outcome } = answer;
        if (next < expected || next > end) throw restarted(expected, next);
        // The answer to a sample that was not learned now is empty: it came too early, or its first answer got lost.
        if (next === index + 1 && outcome.score + outcome.flags > 0) {
          progress.answered++;
          if ((outcome.flags & FLAG.correct) === 0) progress.wrong++;
        }
        expected = next;
        return next;
      });
      return { end: index + 1, next };
    },
    onNext,
    onLost: (times) => {
      const error = session.tooNoisy('LEARN', times);
      if (error !== undefined) throw error;
    },
  });
}

function restarted(expected: number, next: number): GoodnessError {
  return new GoodnessError('device.restarted', 'the device lost count of the samples that it learned', {
    expected: `sample ${expected}`,
    got: `sample ${next}`,
    fix: 'It restarted or another program talks to it: what it learned since it last saved is gone. Start the stream again.',
  });
}

/** Refuses data that don't fit the loaded model before anything is sent. */
export function checkData(session: Session, data: Dataset): void {
  const { modelLoaded, loadStatus, rawInputs, classes } = session.hello;
  if (!modelLoaded) throw statusError(STATUS.NO_MODEL, 0, loadStatus);
  if (data.width !== rawInputs) {
    throw new GoodnessError('data.width', `${data.name} does not fit the model on the device`, {
      expected: `${rawInputs} inputs per sample`,
      got: `${data.width}`,
      fix: 'Use data with the same inputs (and the same pooling) as the model was trained with.',
    });
  }
  let largest = 0;
  for (const label of data.labels) if (label > largest) largest = label;
  if (data.count > 0 && largest >= classes) throw statusError(STATUS.LABEL, classes, largest);
}
