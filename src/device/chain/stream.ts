import { GoodnessError } from '../../base/errors.js';
import { type Dataset, sample } from '../../data/dataset.js';
import {
  FLAG,
  type LearnedOn,
  MESSAGES,
  type Outcome,
  type OutcomeOn,
  STAGE_MESSAGES,
  type StatusResponse,
} from '../../format/message.js';
import { LIMIT } from '../../format/model.js';
import { type Evaluation, evaluationOf } from '../evaluation.js';
import { pipeline } from '../pipeline.js';
import type { Session } from '../session.js';
import { checkData, type LearnOptions, type LearnReport, learnReport } from '../stream.js';
import { newOutcomes, setOutcome } from '../wasm/outcomes.js';
import type { Chain } from './chain.js';
import { Lane } from './lane.js';

/** Payload in front of a sample: the label of INFER; index and label of LEARN. */
const INFER_HEAD = 1;
const LEARN_HEAD = 5;

/** What one board does with a sample: `input` is what came from the board below. */
type Step = (session: Session, place: number, input: Uint8Array, lane: Lane) => Promise<OutcomeOn>;

/**
 * Sends samples through the boards: while one is on an upper board, the ones behind it are on the lower ones.
 *
 * @param widths how many may be under way to each board
 * @param onOutcome told what the highest board answered; `flags` say of all boards whether some layer learned
 */
async function through(
  chain: Chain,
  data: Dataset,
  from: number,
  end: number,
  widths: (session: Session, stage: number) => number,
  step: Step,
  onOutcome: (place: number, outcome: Outcome) => void,
): Promise<void> {
  const { sessions } = chain;
  const lanes = sessions.map((session, stage) => new Lane(from, () => widths(session, stage)));
  let next = from;
  await pipeline(
    () => sessions.reduce((sum, session, stage) => sum + widths(session, stage), 0),
    () => {
      if (next >= end) return undefined;
      const place = next++;
      const pass = async (): Promise<void> => {
        let input = sample(data, place);
        let learned = 0;
        let outcome: Outcome | undefined;
        for (const [stage, session] of sessions.entries()) {
          const lane = lanes[stage]!;
          const answer = await lane.run(place, () => step(session, place, input, lane));
          if (stage < sessions.length - 1 && answer.onward.length === 0) throw forgotten(place);
          learned |= answer.outcome.flags & FLAG.learned;
          outcome = answer.outcome;
          input = answer.onward;
        }
        onOutcome(place, { ...outcome!, flags: outcome!.flags | learned });
      };
      return pass().catch((error: unknown) => {
        for (const lane of lanes) lane.fail(error);
        throw error;
      });
    },
  );
}

/** Classifies all samples on the boards, with their labels, so that the highest one says which thresholds they miss. */
export async function evaluateChain(
  chain: Chain,
  data: Dataset,
  onProgress?: (done: number, total: number) => void,
): Promise<Evaluation> {
  checkData(chain.lowest, data);
  const outcomes = newOutcomes(data.count);
  let done = 0;
  await through(
    chain,
    data,
    0,
    data.count,
    (session, stage) => session.pipeliningOf(INFER_HEAD + chain.shapes[stage]!.rawInputs),
    (session, place, input) => session.request(STAGE_MESSAGES.infer, { label: data.labels[place]!, input }),
    (place, outcome) => {
      setOutcome(outcomes, place, outcome);
      onProgress?.(++done, data.count);
    },
  );
  return evaluationOf(outcomes, data.labels, chain.classes);
}

export interface ChainLearnOptions extends LearnOptions {
  /** What the network said of each sample before it was learned; undefined where the line lost the answer. */
  readonly onOutcome?: (place: number, outcome: Outcome | undefined) => void;
}

/**
 * Plays samples to the lowest board as if they came from its sensor, and what each board makes of them to the next. Each board learns each
 * sample exactly once, in order, whatever the lines lose: an answer that got lost is given again.
 *
 * @throws GoodnessError `device.restarted` if a board started anew meanwhile, `stages.apart` if they didn't learn the same samples before
 */
export async function learnChain(chain: Chain, data: Dataset, options: ChainLearnOptions = {}): Promise<LearnReport> {
  checkData(chain.lowest, data);
  const from = Math.min(options.from ?? 0, data.count);
  const end = Math.min(from + (options.samples ?? data.count), data.count);
  const before = await chainStatus(chain);
  await chain.each((session) => session.request(MESSAGES.stream, { index: from }));
  const progress = { answered: 0, wrong: 0 };
  const highest = chain.sessions.length - 1;
  await through(
    chain,
    data,
    from,
    end,
    (session, stage) => {
      const width = session.pipeliningOf(LEARN_HEAD + chain.shapes[stage]!.rawInputs);
      // A board keeps so many answers to give them again; of the highest one's the next board has no need.
      return stage === highest ? width : Math.min(width, LIMIT.answersKept);
    },
    (session, place, input, lane) => learnOn(session, place, data.labels[place]!, input, lane),
    (place, outcome) => {
      // Empty if the answer got lost: the sample was learned all the same.
      const known = outcome.score + (outcome.flags & ~FLAG.learned) + outcome.class > 0;
      if (known) {
        progress.answered++;
        if ((outcome.flags & FLAG.correct) === 0) progress.wrong++;
      }
      options.onOutcome?.(place, known ? outcome : undefined);
      options.onProgress?.(place + 1 - from, end - from, progress.wrong);
    },
  );
  const after = await chainStatus(chain);
  return learnReport(before, after, end - from, progress.answered);
}

/** A board keeps its last answers; that it does not have one of them means that another program talks to it. */
function forgotten(place: number): GoodnessError {
  return new GoodnessError('device.restarted', `a board does not give its answer to sample ${place} any more`, {
    fix: 'It restarted or another program talks to it. Have all boards start again from what they saved, and start the stream again.',
  });
}

/** Has a board learn the sample at a place, however often the line must be tried. */
async function learnOn(
  session: Session,
  index: number,
  label: number,
  input: Uint8Array,
  lane: Lane,
): Promise<LearnedOn> {
  for (let times = 1; ; times++) {
    const answer = await session.request(STAGE_MESSAGES.learn, { index, label, input });
    if (answer.next > index) return answer;
    // It came too early: a sample before it got lost, which is on its way again by now.
    if (answer.next < lane.reached) {
      throw new GoodnessError('device.restarted', 'a board lost count of the samples that it learned', {
        expected: `sample ${lane.reached}`,
        got: `sample ${answer.next}`,
        fix: 'It restarted or another program talks to it: what it learned since it last saved is gone. Have all boards reload what they saved, and start the stream again.',
      });
    }
    const error = session.tooNoisy('LEARN', times);
    if (error !== undefined) throw error;
  }
}

/** What the boards counted: what only the highest one sees is its own, layer updates are those of all. */
export async function chainStatus(chain: Chain): Promise<StatusResponse> {
  const all = await chain.each((session) => session.request(MESSAGES.status, undefined));
  const apart = all.find(({ baseId, t, samples }) => {
    const first = all[0]!;
    return baseId !== first.baseId || t !== first.t || samples !== first.samples;
  });
  if (apart !== undefined) {
    throw new GoodnessError('stages.apart', 'the boards did not learn the same samples', {
      expected: `${all[0]!.samples} samples, as the lowest board`,
      got: `${apart.samples}`,
      fix: 'One of them restarted without what it had learned. Have all of them reload what they saved last, or flash the network again.',
    });
  }
  return { ...all.at(-1)!, updates: all.reduce((sum, status) => sum + status.updates, 0) };
}
