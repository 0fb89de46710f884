import type { Dataset } from '../data/dataset.js';
import type { Model } from '../format/model.js';
import { scoreDataset } from './scores.js';

/** How well a model does on labelled samples; all rates are in percent of the samples. */
export interface ModelEvaluation {
  readonly count: number;
  /** Samples whose class is not their label. */
  readonly error: number;
  /** Samples whose own class lies below its threshold. */
  readonly falseReject: number;
  /** Samples of which some other class lies above its threshold. */
  readonly falseAccept: number;
  /** Samples whose largest score lies below the novelty threshold. */
  readonly novel: number;
  /** Samples by label and class: (classes, classes), a row per label. */
  readonly confusion: Uint32Array;
  /** Class of each sample (count). */
  readonly classes: Uint8Array;
}

/** Evaluates in the integers of the device: the same classes and flags, sample by sample. */
export function evaluateModel(model: Model, dataset: Dataset): ModelEvaluation {
  return judgeScores(
    scoreDataset(model, dataset),
    dataset.labels,
    model.state.thresholds,
    model.state.noveltyThreshold,
  );
}

/**
 * Judges scores by thresholds (SPEC.md, "Thresholds").
 * @param scores (count, classes)
 * @param labels (count)
 * @param thresholds (classes)
 */
export function judgeScores(
  scores: Uint32Array,
  labels: Uint8Array,
  thresholds: Uint32Array,
  novelty: number,
): ModelEvaluation {
  const width = thresholds.length;
  const count = labels.length;
  const confusion = new Uint32Array(width * width);
  const classes = new Uint8Array(count);
  let [correct, rejected, accepted, novel] = [0, 0, 0, 0];
  for (let s = 0; s < count; s++) {
    const at = s * width;
    const label = labels[s]!;
    let best = 0;
    let wrongAccepted = false;
    for (let c = 0; c < width; c++) {
      const score = scores[at + c]!;
      if (score > scores[at + best]!) best = c;
      if (c !== label && score >= thresholds[c]!) wrongAccepted = true;
    }
    classes[s] = best;
    confusion[label * width + best]!++;
    if (best === label) correct++;
    if (scores[at + label]! < thresholds[label]!) rejected++;
    if (wrongAccepted) accepted++;
    if (scores[at + best]! < novelty) novel++;
  }
  const percent = (n: number): number => (count === 0 ? 0 : (100 * n) / count);
  return {
    count,
    error: percent(count - correct),
    falseReject: percent(rejected),
    falseAccept: percent(accepted),
    novel: percent(novel),
    confusion,
    classes,
  };
}
