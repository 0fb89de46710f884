import { GoodnessError } from '../../base/errors.js';
import type { Model } from '../../format/model.js';
import { diffPatch } from '../../format/patch.js';
import { joinModels, splitModel } from '../../format/stages.js';
import { type Pull, type PullOptions, pull } from '../pull.js';
import { type PushReport, push } from '../push.js';
import type { SyncTarget } from '../sync-target.js';
import { TELEMETRY } from '../telemetry.js';
import type { OnProgress } from '../transfer.js';
import type { Chain } from './chain.js';

/** First layer of each board but the lowest. */
export function cutsOf(chain: Chain): number[] {
  return chain.shapes.slice(1).map((shape) => shape.layersBelow);
}

/** What kind of network the boards carry: its layers and meta, with empty weights and an empty state. */
export function chainShape(chain: Chain): Model {
  return joinModels(chain.shapes);
}

/** A model as the host knows it, with only those layers learning that learn on the boards, and laid out as there. */
export function asOnBoards(chain: Chain, known: Model): Model {
  const layers = chain.shapes.flatMap((shape) => shape.layers);
  const learns = layers.map((layer) => layer.learns);
  return {
    ...known,
    layers: known.layers.map((layer, l) => ({
      ...layer,
      layout: layers[l]?.layout ?? layer.layout,
      learns: layer.learns && learns[l] === true,
    })),
    state: {
      ...known.state,
      means: known.state.means.map((means, l) => (learns[l] === true ? means : new Uint16Array(0))),
    },
  };
}

/**
 * Boards with the stages of one network as the target of a sync: each is pulled with a ticket of its own and gets the patch of its layers.
 * Only the lowest board has a sensor, and statistics of its inputs.
 */
export function chainTarget(chain: Chain): SyncTarget {
  let tickets: readonly number[] = [];
  return {
    get traffic() {
      return chain.traffic;
    },
    pull: async (known, random, options) => {
      const stages = splitModel(known, cutsOf(chain));
      const pulls: Pull[] = [];
      for (const [s, session] of chain.sessions.entries()) {
        pulls.push(await pull(session, stages[s]!, random, optionsOf(options, s, chain.sessions.length)));
      }
      tickets = pulls.map((pulled) => pulled.ticket);
      return joinPulls(pulls);
    },
    push: (pulled, merged, onProgress) => pushStages(chain, tickets, pulled.model, merged.model, onProgress),
    save: async () => {
      await chain.save();
    },
  };
}

/** What a board is asked for; progress is that of all of them. */
function optionsOf(options: PullOptions, stage: number, stages: number): PullOptions {
  const { onProgress } = options;
  const items = new Set(options.items ?? TELEMETRY.map((item) => item.item));
  if (stage > 0) items.delete('statistics');
  return {
    ...options,
    items,
    ...(onProgress === undefined
      ? {}
      : { onProgress: (done, total) => onProgress(stage * total + done, stages * total) }),
  };
}

function joinPulls(pulls: readonly Pull[]): Pull {
  const [lowest] = pulls as [Pull, ...Pull[]];
  const sum = (of: (pulled: Pull) => number): number => pulls.reduce((total, pulled) => total + of(pulled), 0);
  return {
    ...lowest,
    model: joinModels(pulls.map((pulled) => pulled.model)),
    bytesUp: sum((pulled) => pulled.bytesUp),
    bytesDown: sum((pulled) => pulled.bytesDown),
  };
}

/**
 * Sends each board the difference of its layers. All save first: if one of them fails, all go back to what they had.
 * @throws GoodnessError `push.stages`
 */
async function pushStages(
  chain: Chain,
  tickets: readonly number[],
  before: Model,
  after: Model,
  onProgress?: OnProgress,
): Promise<PushReport> {
  const cuts = cutsOf(chain);
  const olds = splitModel(before, cuts);
  const patches = splitModel(after, cuts).map((stage, s) => diffPatch(olds[s]!, stage, tickets[s]!).patch);
  await chain.save();
  const reports: PushReport[] = [];
  const stages = chain.sessions.length;
  for (const [s, session] of chain.sessions.entries()) {
    try {
      reports.push(await push(session, patches[s]!, (done, total) => onProgress?.(s * total + done, stages * total)));
    } catch (cause) {
      throw await takeBack(chain, s, cause);
    }
  }
  const sum = (of: (report: PushReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
  return {
    baseId: reports[0]!.baseId,
    patchBytes: sum((report) => report.patchBytes),
    parts: sum((report) => report.parts),
    bytesUp: sum((report) => report.bytesUp),
    bytesDown: sum((report) => report.bytesDown),
  };
}

async function takeBack(chain: Chain, stage: number, cause: unknown): Promise<GoodnessError> {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `the patch for board ${stage + 1} of ${chain.sessions.length} failed (${why})`;
  try {
    await chain.reload();
    return new GoodnessError('push.stages', `${message}; all boards are as they were before`, {
      fix: 'Sync again.',
      cause,
    });
  } catch {
    return new GoodnessError('push.stages', `${message}, and not all boards could be taken back`, {
      fix: 'Restart all of them: then they are as they were before. Sync again.',
      cause,
    });
  }
}
