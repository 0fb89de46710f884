import { GoodnessError } from '../../base/errors.js';
import { type Dataset, select } from '../../data/dataset.js';
import type { ObjectiveName } from '../network.js';
import type { NegativesConfig } from './negatives.js';

/** Label of normal samples in the data of a one-class network; novel ones have the other. */
export const NORMAL = 0;

/** What a data set is to a network: samples to learn from, and samples that it shall not take for them. */
export interface Parts {
  readonly positives: Dataset;
  /** Samples for the negatives `others`; left out for other kinds. */
  readonly negatives?: Dataset;
}

/**
 * Parts a data set: a one-class network learns normal samples only, and the negatives `others` are the samples of other classes.
 * @throws GoodnessError `train.negatives` if a class isn't there
 */
export function partsOf(dataset: Dataset, objective: ObjectiveName, negatives: NegativesConfig): Parts {
  const oneClass = objective === 'one-class';
  if (!oneClass && negatives.kind !== 'others') return { positives: dataset };
  const isOther = new Uint8Array(dataset.classes.length);
  if (oneClass) isOther.fill(1, NORMAL + 1);
  else if (negatives.kind === 'others') {
    for (const name of othersOf(dataset, negatives.classes)) isOther[classIndex(dataset, name)] = 1;
  }
  const [own, others]: [number[], number[]] = [[], []];
  dataset.labels.forEach((label, i) => {
    (isOther[label] === 1 ? others : own).push(i);
  });
  return {
    positives: select(dataset, own),
    ...(negatives.kind === 'others' ? { negatives: select(dataset, others) } : {}),
  };
}

/** Labels of a one-class network: 0 for the classes that are normal, 1 for all others. */
export function asOneClass(dataset: Dataset, normal: readonly string[]): Dataset {
  const indices = new Set(normal.map((name) => classIndex(dataset, name)));
  const labels = dataset.labels.map((label) => (indices.has(label) ? NORMAL : NORMAL + 1));
  const { others, ...rest } = dataset;
  return { ...rest, labels, classes: ['normal', 'novel'], oneClass: { classes: dataset.classes, normal } };
}

function othersOf(dataset: Dataset, classes: readonly string[] | undefined): readonly string[] {
  if (classes !== undefined) return classes;
  if (dataset.others !== undefined) return [dataset.others];
  throw new GoodnessError('train.negatives', 'the negatives `others` need to know which classes they are', {
    expected: 'negatives.classes, or a class that was made up as negative data',
    got: `none of ${dataset.classes.join(', ')}`,
  });
}

function classIndex(dataset: Dataset, name: string): number {
  const index = dataset.classes.indexOf(name);
  if (index >= 0) return index;
  throw new GoodnessError('train.negatives', `${dataset.name} has no class ${JSON.stringify(name)}`, {
    expected: `some of ${dataset.classes.join(', ')}`,
  });
}
