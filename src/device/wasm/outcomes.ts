import type { Outcome } from '../../format/message.js';

/** Outcomes of many samples, an array per field (see `Outcome`). */
export interface Outcomes {
  readonly classes: Uint8Array;
  readonly flags: Uint8Array;
  readonly scores: Uint32Array;
  readonly labelScores: Uint32Array;
}

/** Bytes of an outcome in the core's memory, as on the wire. */
export const OUTCOME_BYTES = 12;

/** Room for the outcomes of `count` samples, all zero. */
export function newOutcomes(count: number): Outcomes {
  return {
    classes: new Uint8Array(count),
    flags: new Uint8Array(count),
    scores: new Uint32Array(count),
    labelScores: new Uint32Array(count),
  };
}

/** Notes the outcome of sample `i`. */
export function setOutcome(outcomes: Outcomes, i: number, outcome: Outcome): void {
  outcomes.classes[i] = outcome.class;
  outcomes.flags[i] = outcome.flags;
  outcomes.scores[i] = outcome.score;
  outcomes.labelScores[i] = outcome.labelScore;
}

/** The outcome that stands at `at`. */
export function outcomeAt(view: DataView, at: number): Outcome {
  return {
    class: view.getUint8(at),
    flags: view.getUint8(at + 1),
    score: view.getUint32(at + 4, true),
    labelScore: view.getUint32(at + 8, true),
  };
}
