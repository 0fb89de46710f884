import { GoodnessError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { pool as poolImages } from '../data/pool.js';
import type { Pull, PullOptions } from '../device/pull.js';
import { Session } from '../device/session.js';
import { deviceTarget, type SyncTarget } from '../device/sync-target.js';
import type { Model } from '../format/model.js';
import { type Answer, type AnswerOptions, answer } from './answer.js';
import { gatherStatistics } from './statistics.js';
import { fromWire } from './wire-statistics.js';

export interface SynchronizeOptions
  extends Omit<AnswerOptions, 'onProgress'>,
    Pick<PullOptions, 'items' | 'allWeights'> {
  /** The model as the host gave it last: header and what doesn't travel come from it. */
  readonly known: Model;
  /** Draws the ticket. */
  readonly random: Random;
  /** Whether the device writes the merged model to its flash; true if left out. */
  readonly save?: boolean;
  readonly onProgress?: (stage: SyncStage, done: number) => void;
}

export type SyncStage = 'pull' | 'proxy' | 'negative' | 'push' | 'save';

export interface SyncReport {
  readonly answer: Answer;
  readonly pulled: Pull;
  /** Bytes over the line in both directions, frames and all. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly patchBytes: number;
  readonly saved: boolean;
}

/**
 * One sync of a device, or of several that have the stages of one network: pulls what the device learned and may tell, does the negative phase, and sends the difference down. The device
 * may go on learning meanwhile: the patch is added to what it holds then. If anything fails before the patch is whole on the
 * device, the device stays as it is; if only saving fails, it has the new model in RAM and the old one in flash.
 * @throws GoodnessError `sync.host` if the host's data don't fit the model; those of `pull`, `answer` and `push`
 */
export async function synchronize(given: Session | SyncTarget, options: SynchronizeOptions): Promise<SyncReport> {
  const target = given instanceof Session ? deviceTarget(given) : given;
  const { known, random, onProgress, items, allWeights } = options;
  checkHost(options);
  const before = target.traffic;
  const pulled = await target.pull(known, random, {
    ...(items === undefined ? {} : { items }),
    ...(allWeights === undefined ? {} : { allWeights }),
    onProgress: (done, total) => onProgress?.('pull', done / total),
  });
  const state = {
    model: pulled.model,
    statistics:
      pulled.statistics === undefined
        ? undefined
        : fromWire(pulled.statistics, gatherStatistics(poolImages(options.host, options.pool ?? 1))),
    ticket: pulled.ticket,
  };
  const made = await answer(state, options);
  const { patchBytes } = await target.push(pulled, made, (done, total) => onProgress?.('push', done / total));
  const saved = options.save ?? true;
  if (saved) {
    onProgress?.('save', 0);
    await target.save();
  }
  return {
    answer: made,
    pulled,
    bytesUp: target.traffic.up - before.up,
    bytesDown: target.traffic.down - before.down,
    patchBytes,
    saved,
  };
}

function checkHost({ host, known, pool = 1 }: SynchronizeOptions): void {
  const width = host.width / pool ** 2;
  if (width === known.rawInputs && host.classes.length === known.classes) return;
  throw new GoodnessError('sync.host', `${host.name} does not fit the model`, {
    expected: `${known.rawInputs} inputs and ${known.classes} classes`,
    got: `${width} inputs and ${host.classes.length} classes`,
    fix: 'Give the data that the model was trained on.',
  });
}
