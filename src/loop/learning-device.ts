import type { Dataset } from '../data/dataset.js';
import type { Evaluation } from '../device/evaluation.js';
import type { AnswerReport } from '../sync/answer.js';

/** What a sync cost and found. */
export interface Synced {
  readonly steps: number;
  /** Bytes over the line, frames and all; 0 where there is no line. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly report: AnswerReport;
}

/** A device in the loop, however it is reached: it classifies, learns by positive passes, and is synced. */
export interface LearningDevice {
  /** Classifies labelled samples. */
  evaluate(data: Dataset): Promise<Evaluation>;
  /** Plays samples as if they came from the sensor; each is learned once, in order. */
  learn(data: Dataset): Promise<void>;
  /** The host's negative phase. */
  synchronize(): Promise<Synced>;
  /** The model as it stands, learned weights and state included. */
  image(): Promise<Uint8Array>;
}
