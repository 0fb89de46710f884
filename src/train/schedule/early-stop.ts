import { type Dataset, select } from '../../data/dataset.js';
import { stratifiedSplit } from '../../data/split.js';

/** When to stop before the last epoch: a part of the data is held out, and judged after each epoch. */
export interface StopConfig {
  /** Part of the data that is held out, 0.02 to 0.5. */
  readonly holdout: number;
  /** Epochs without a better result after which training ends (>= 1); the best weights stay. A tenth of all, 5 at least, where left out. */
  readonly patience?: number;
}

export function patienceOf({ patience }: StopConfig, epochs: number): number {
  return patience ?? Math.max(5, Math.ceil(epochs / 10));
}

/** The best result on the held-out part so far. */
export interface Best {
  /** In percent; the lower, the better. */
  readonly score: number;
  /** Epochs done when it was reached. */
  readonly epoch: number;
}

export function isBetter(score: number, best: Best | undefined): boolean {
  return best === undefined || score < best.score;
}

/** Parts a data set into what is trained on and what is held out; every class keeps its share. */
export function holdOut(
  dataset: Dataset,
  part: number,
  seed: number,
): { readonly train: Dataset; readonly held: Dataset } {
  const { train, test } = stratifiedSplit(dataset.labels, dataset.classes.length, part, seed);
  return { train: select(dataset, train), held: select(dataset, test) };
}
