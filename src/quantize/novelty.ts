import type { Dataset } from '../data/dataset.js';
import type { Model } from '../format/model.js';
import { NORMAL } from '../train/negatives/others.js';
import { auroc } from '../train/objectives/novelty.js';
import { scoreDataset } from './scores.js';

/** How well a model of a single class tells what is novel, in percent. */
export interface NoveltyEvaluation {
  /** Chance that a normal sample has a higher score than a novel one. */
  readonly auroc: number;
  /** Normal samples below the novelty threshold. */
  readonly falseReject: number;
  /** Novel samples at or above it. */
  readonly falseAccept: number;
}

/**
 * Judges a model of a single class in the integers of the device.
 * @param dataset label 0 is normal, all others are novel
 */
export function evaluateNovelty(model: Model, dataset: Dataset): NoveltyEvaluation {
  const { labels } = dataset;
  const scores = scoreDataset(model, {
    ...dataset,
    labels: new Uint8Array(dataset.count),
    classes: dataset.classes.slice(0, 1),
  });
  const part = (normal: boolean): Float32Array =>
    Float32Array.from(scores.filter((_, s) => (labels[s] === NORMAL) === normal));
  const [normal, novel] = [part(true), part(false)];
  const below = (values: Float32Array): number =>
    values.reduce((n, score) => n + (score < model.state.noveltyThreshold ? 1 : 0), 0);
  return {
    auroc: 100 * auroc(normal, novel),
    falseReject: (100 * below(normal)) / Math.max(1, normal.length),
    falseAccept: (100 * (novel.length - below(novel))) / Math.max(1, novel.length),
  };
}
