import { GoodnessError } from '../../base/errors.js';
import { type Model, withLearning } from '../../format/model.js';
import { splitModel } from '../../format/stages.js';
import type { Board } from './board.js';
import { type Choice, choices, firstThatFits } from './choice.js';
import { shortages } from './footprint.js';
import type { Plan } from './plan.js';
import { place, plan } from './planner.js';

export interface StagePlanOptions {
  /** First layer of each stage but the lowest; chosen here if left out. */
  readonly cuts?: readonly number[];
  /** Layers of the whole network that are to learn; left out: as many weights as the boards hold. */
  readonly learn?: readonly number[];
}

/** A network on several boards. */
export interface StagePlan {
  /** First layer of each stage but the lowest. */
  readonly cuts: readonly number[];
  /** What goes to each board, as it is sent. */
  readonly stages: readonly Model[];
  readonly plans: readonly Plan[];
}

interface Cutting {
  readonly cuts: readonly number[];
  readonly stages: readonly Model[];
  readonly choices: readonly (Choice & { readonly fits: boolean })[];
}

/**
 * Decides which layers go to which board, and which of them learn there. Of the ways to cut the network that fit, the one with the most
 * learned weights wins; of equal ones that whose largest stage is smallest, so that no board waits long for another.
 *
 * @param boards the one with the lowest layers first
 * @throws GoodnessError `plan.stages` if no way fits, `plan.board` for a board without firmware, `plan.layer` for a layer that the model can't
 * learn, `stages.*`
 */
export async function planStages(
  model: Model,
  boards: readonly Board[],
  options: StagePlanOptions = {},
): Promise<StagePlan> {
  const able = new Set(model.layers.flatMap((layer, l) => (layer.learns ? [l] : [])));
  for (const l of options.learn ?? []) {
    if (able.has(l)) continue;
    throw new GoodnessError('plan.layer', `layer ${l} of the model can not learn`, {
      expected: able.size > 0 ? `one of ${[...able].join(', ')}` : 'none: no layer of this model learns',
      got: String(l),
    });
  }
  const wanted = options.learn === undefined ? model : withLearning(model, new Set(options.learn));
  if (options.cuts !== undefined && options.cuts.length !== boards.length - 1) {
    throw new GoodnessError('stages.cut', 'there must be one cut fewer than boards', {
      expected: `${boards.length - 1}`,
      got: `${options.cuts.length}`,
    });
  }
  const ways = options.cuts === undefined ? allCuts(model.layers.length, boards.length) : [options.cuts];
  if (ways.length === 0) throw tooFewLayers(model.layers.length, boards.length);
  let best: Cutting | undefined;
  for (const cuts of ways) {
    const tried = await tryCut(wanted, boards, cuts, options.learn !== undefined);
    if (best === undefined || isBetter(tried, best)) best = tried;
  }
  const { cuts, stages, choices: chosen } = best!;
  if (chosen.some((choice) => !choice.fits)) throw noneFits(boards, best!);
  const plans: Plan[] = [];
  for (const [s, stage] of stages.entries()) {
    plans.push(await plan(stage, boards[s]!, { learn: [...chosen[s]!.learns] }));
  }
  // Where no board can learn anything, nothing is counted either: LEARN is refused as by one board.
  const counts = chosen.some((choice) => choice.learns.size > 0);
  const placed = stages.map((stage, s): Model => {
    const { counts: _, ...rest } = place(stage, plans[s]!);
    return counts ? { ...rest, counts } : rest;
  });
  return { cuts, stages: placed, plans };
}

async function tryCut(
  model: Model,
  boards: readonly Board[],
  cuts: readonly number[],
  exactly: boolean,
): Promise<Cutting> {
  const stages = splitModel(model, cuts);
  const chosen: (Choice & { readonly fits: boolean })[] = [];
  for (const [s, stage] of stages.entries()) {
    const { budget, name } = boards[s]!;
    if (budget === undefined) {
      throw new GoodnessError('plan.board', `there is no goodness firmware for ${name}`, {
        fix: 'Take another board: see `goodness boards`.',
      });
    }
    const able = stage.layers.flatMap((layer, l) => (layer.learns ? [l] : []));
    // Layers that were named must learn; else a stage may be frozen before the whole is refused.
    const sets = exactly ? [new Set(able)] : [...choices(stage, budget), new Set<number>()];
    chosen.push(await firstThatFits(stage, budget, sets));
  }
  return { cuts, stages, choices: chosen };
}

/** All ways to cut so many layers into so many stages. */
function allCuts(layers: number, stages: number): number[][] {
  if (stages === 1) return [[]];
  const found: number[][] = [];
  const from = (first: number, cuts: readonly number[]): void => {
    if (cuts.length === stages - 1) {
      found.push([...cuts]);
      return;
    }
    for (let l = first; l < layers; l++) from(l + 1, [...cuts, l]);
  };
  from(1, []);
  return found;
}

function isBetter(a: Cutting, b: Cutting): boolean {
  const fits = ({ choices }: Cutting): number => choices.filter((choice) => choice.fits).length;
  if (fits(a) !== fits(b)) return fits(a) > fits(b);
  if (learned(a) !== learned(b)) return learned(a) > learned(b);
  return largest(a) < largest(b);
}

function learned({ stages, choices }: Cutting): number {
  return stages.reduce(
    (sum, { layers }, s) =>
      sum + layers.reduce((part, layer, l) => part + (choices[s]!.learns.has(l) ? layer.weights.length : 0), 0),
    0,
  );
}

function largest({ stages }: Cutting): number {
  return Math.max(...stages.map(({ layers }) => layers.reduce((sum, layer) => sum + layer.weights.length, 0)));
}

function noneFits(boards: readonly Board[], { cuts, choices }: Cutting): GoodnessError {
  const short = choices.flatMap(({ fits, footprint }, s) =>
    fits ? [] : [`${boards[s]!.id}: ${shortages(footprint).join('; ')}`],
  );
  return new GoodnessError('plan.stages', 'the network does not fit these boards, wherever it is cut', {
    got: `cut at ${cuts.join(', ')}: ${short.join('; ')}`,
    fix: 'Take more boards or larger ones, or a smaller network.',
  });
}

function tooFewLayers(layers: number, boards: number): GoodnessError {
  return new GoodnessError('stages.cut', 'there are more boards than layers', {
    expected: `at most ${layers} boards`,
    got: String(boards),
    fix: 'Name fewer boards: each takes one layer or more.',
  });
}
