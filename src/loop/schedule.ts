import { type Dataset, slice } from '../data/dataset.js';
import type { AnswerReport } from '../sync/answer.js';
import type { LearningDevice } from './learning-device.js';
import type { LearnPoint, SyncPoint } from './result.js';

/** What happens to a device: it learns until it has seen so many samples, and is synced or not. */
export interface Stop {
  readonly samples: number;
  readonly sync?: boolean;
}

/** The demo's: looks after 200 and 1,000, a sync, on to 5,000, and a second sync. */
export const DEFAULT_SCHEDULE: readonly Stop[] = [
  { samples: 200 },
  { samples: 1000, sync: true },
  { samples: 5000, sync: true },
];

export interface ScheduleData {
  /** What the sensor delivers, labelled. */
  readonly stream: Dataset;
  /** Test samples under the same shift ... */
  readonly shifted: Dataset;
  /** ... and without it. */
  readonly clean: Dataset;
}

export interface ScheduleResult {
  readonly frozenError: number;
  readonly learn: readonly LearnPoint[];
  readonly syncs: readonly SyncPoint[];
  readonly reports: readonly AnswerReport[];
}

/**
 * Takes a device through a schedule, and a control along with it that sees the same samples and learns nothing.
 * @param control left out: the control's error is not measured (NaN)
 */
export async function runSchedule(
  device: LearningDevice,
  control: LearningDevice | undefined,
  data: ScheduleData,
  schedule: readonly Stop[] = DEFAULT_SCHEDULE,
): Promise<ScheduleResult> {
  const frozen = await device.evaluate(data.shifted);
  const learn: LearnPoint[] = [];
  const syncs: SyncPoint[] = [];
  const reports: AnswerReport[] = [];
  let seen = 0;
  for (const { samples, sync } of schedule) {
    const part = slice(data.stream, seen, samples);
    seen += part.count;
    await device.learn(part);
    await control?.learn(part);
    const before = await device.evaluate(data.shifted);
    learn.push({ samples: seen, error: before.error, falseAccept: before.falseAccept });
    if (sync !== true) continue;
    const { steps, bytesUp, bytesDown, report } = await device.synchronize();
    await control?.synchronize();
    const after = await device.evaluate(data.shifted);
    reports.push(report);
    syncs.push({
      atSamples: seen,
      bytesUp,
      bytesDown,
      steps,
      errorBefore: before.error,
      error: after.error,
      controlError: (await control?.evaluate(data.shifted))?.error ?? Number.NaN,
      falseAccept: after.falseAccept,
      cleanError: (await device.evaluate(data.clean)).error,
    });
  }
  return { frozenError: frozen.error, learn, syncs, reports };
}
