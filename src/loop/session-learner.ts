import type { Random } from '../base/random.js';
import type { Dataset } from '../data/dataset.js';
import type { Evaluation } from '../device/evaluation.js';
import { pullImage } from '../device/pull.js';
import type { Session } from '../device/session.js';
import { keepStatistics } from '../device/statistics.js';
import { evaluate, learn } from '../device/stream.js';
import type { Model } from '../format/model.js';
import type { AnswerOptions } from '../sync/answer.js';
import { type SyncStage, synchronize } from '../sync/synchronize.js';
import type { LearningDevice, Synced } from './learning-device.js';

/** A device at the other end of a line. */
export class SessionLearner implements LearningDevice {
  readonly session: Session;
  private readonly sync: Omit<AnswerOptions, 'onProgress'>;
  private readonly random: Random;
  private readonly onProgress: (stage: SyncStage | 'evaluate' | 'learn', done: number) => void;
  /** The model as the host gave it last. */
  private known: Model;

  constructor(
    session: Session,
    model: Model,
    random: Random,
    sync: Omit<AnswerOptions, 'onProgress'>,
    onProgress: (stage: SyncStage | 'evaluate' | 'learn', done: number) => void = () => {},
  ) {
    this.session = session;
    this.known = model;
    this.random = random;
    this.sync = sync;
    this.onProgress = onProgress;
  }

  /** Has the device keep statistics of its inputs from now on, if it has the RAM. */
  keepStatistics(): Promise<boolean> {
    return keepStatistics(this.session);
  }

  evaluate(data: Dataset): Promise<Evaluation> {
    return evaluate(this.session, data, (done, total) => this.onProgress('evaluate', done / total));
  }

  async learn(data: Dataset): Promise<void> {
    await learn(this.session, data, { onProgress: (done, total) => this.onProgress('learn', done / total) });
  }

  async synchronize(): Promise<Synced> {
    const { known, random, onProgress } = this;
    const done = await synchronize(this.session, { ...this.sync, known, random, onProgress });
    this.known = done.answer.model;
    const { bytesUp, bytesDown } = done;
    return { steps: done.answer.report.plan.steps, bytesUp, bytesDown, report: done.answer.report };
  }

  image(): Promise<Uint8Array> {
    return pullImage(this.session);
  }
}
