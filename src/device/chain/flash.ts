import { GoodnessError } from '../../base/errors.js';
import { encodeImage } from '../../format/image.js';
import type { Model } from '../../format/model.js';
import type { Board } from '../boards/board.js';
import { boardOfTarget } from '../boards/probe.js';
import { planStages, type StagePlan, type StagePlanOptions } from '../boards/stage-planner.js';
import type { Session } from '../session.js';
import { type FlashOptions, type FlashReport, flashModel } from '../transfer.js';

export interface ChainFlashOptions extends StagePlanOptions, Pick<FlashOptions, 'verify'> {
  /** Told of each board how far it is. */
  readonly onProgress?: (stage: number, phase: 'send' | 'verify', done: number, total: number) => void;
}

export interface ChainFlashReport {
  readonly plan: StagePlan;
  /** Of each board. */
  readonly sent: readonly FlashReport[];
}

/**
 * Puts a network on several boards, each with its own stage. All of it is planned before anything is sent. A board that was reached keeps
 * its new stage if a later one fails: flash again.
 *
 * @param sessions the board with the lowest layers first
 * @throws GoodnessError `plan.*`, `stages.*`, `flash.*`, `device.*`
 */
export async function flashChain(
  sessions: readonly Session[],
  model: Model,
  options: ChainFlashOptions = {},
): Promise<ChainFlashReport> {
  const plan = await planStages(model, sessions.map(boardOf), options);
  const sent = await Promise.all(
    sessions.map((session, stage) =>
      flashModel(session, encodeImage(plan.stages[stage]!), {
        ...(options.verify === undefined ? {} : { verify: options.verify }),
        onProgress: (phase, done, total) => options.onProgress?.(stage, phase, done, total),
      }),
    ),
  );
  return { plan, sent };
}

/** The board that answers on a line. */
function boardOf({ hello, transport }: Session): Board {
  const board = boardOfTarget(hello.target);
  if (board !== undefined) return board;
  throw new GoodnessError('plan.board', `the board on ${transport.name} is not known`, {
    got: hello.target,
    fix: 'Take a board of `goodness boards`.',
  });
}
