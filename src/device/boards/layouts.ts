import { LAYOUTS } from '../../format/layout.js';
import type { Model } from '../../format/model.js';

/**
 * Layouts that kernels want, the fastest first. What a network is fed with has its zeros in runs, as images do, so that inputs are best
 * taken in pairs; in a hidden layer they are strewn.
 */
const LOWEST = [1, 2, 3];
const HIDDEN = [2, 1, 3];

/** Ways to lay out a model's weights for a board, the fastest first: fast kernels take RAM for lists of inputs, lower layers most. */
export function layoutChoices(model: Model, layouts: readonly number[]): Model[] {
  const ways = model.layers.map((_, first) => laidOut(model, layouts, first));
  return [...ways, laidOut(model, [], 0)].filter(
    (way, k, all) => k === 0 || way.layers.some((layer, l) => layer.layout !== all[k - 1]!.layers[l]!.layout),
  );
}

/** The model with layers from `first` on as the board's kernels want them, and those below in columns. */
function laidOut(model: Model, layouts: readonly number[], first: number): Model {
  const layers = model.layers.map((layer, l) => {
    const order = l === 0 && model.layersBelow === 0 ? LOWEST : HIDDEN;
    const able = (tag: number): boolean => LAYOUTS.some((layout) => layout.tag === tag && layout.takes(layer));
    const tag = l < first ? undefined : order.find((wanted) => layouts.includes(wanted) && able(wanted));
    return { ...layer, layout: tag ?? 0 };
  });
  return { ...model, layers };
}
