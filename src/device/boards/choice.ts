import { weightsLength } from '../../format/layout.js';
import { type Model, withLearning } from '../../format/model.js';
import type { Budget } from './board.js';
import { type Footprint, footprint, shortages } from './footprint.js';
import { layoutChoices } from './layouts.js';

/** A set of layers that learn, where the weights of each layer lie, and what the model takes then. */
export interface Choice {
  readonly learns: ReadonlySet<number>;
  /** Layout tag of each layer. */
  readonly layouts: readonly number[];
  readonly footprint: Footprint;
}

/** Layers of a model that can learn. */
export function ableToLearn(model: Model): number[] {
  return model.layers.flatMap((layer, l) => (layer.learns ? [l] : []));
}

/**
 * Non-empty sets of layers that can learn, the most weights first, and of as many the lower layers first; sets whose weights
 * alone exceed the arena are left out, except the smallest. A model that can't learn has one choice: the empty set.
 */
export function choices(model: Model, budget: Budget): ReadonlySet<number>[] {
  const able = ableToLearn(model);
  if (able.length === 0) return [new Set()];
  const sets = Array.from({ length: 2 ** able.length - 1 }, (_, k) => able.filter((__, i) => ((k + 1) >> i) & 1));
  const weights = (layers: readonly number[]): number =>
    layers.reduce((sum, l) => sum + model.layers[l]!.weights.length, 0);
  const bytes = (layers: readonly number[]): number =>
    layers.reduce((sum, l) => sum + weightsLength(model.layers[l]!), 0);
  // Layers are numbers of one digit, so that their order as text is the order of the lower layer first.
  sets.sort((a, b) => weights(b) - weights(a) || (a.join() < b.join() ? -1 : 1));
  const possible = sets.filter((layers) => bytes(layers) <= budget.arenaBytes);
  return (possible.length > 0 ? possible : sets.slice(-1)).map((layers) => new Set(layers));
}

/** The first of some choices that fits, in the fastest layouts that do, or the last one if none does. */
export async function firstThatFits(
  model: Model,
  budget: Budget,
  sets: readonly ReadonlySet<number>[],
): Promise<Choice & { readonly fits: boolean }> {
  let last: Choice | undefined;
  for (const learns of sets) {
    for (const way of layoutChoices(withLearning(model, learns), budget.layouts)) {
      const layouts = way.layers.map((layer) => layer.layout);
      last = { learns, layouts, footprint: await footprint(way, budget) };
      if (shortages(last.footprint).length === 0) return { ...last, fits: true };
    }
  }
  return { ...last!, fits: false };
}
