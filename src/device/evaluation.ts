import { FLAG } from '../format/message.js';
import type { Outcomes } from './wasm/outcomes.js';

/** What a device made of labelled samples. All rates are in percent of the samples. */
export interface Evaluation {
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
  /** All that the device said of each sample. */
  readonly outcomes: Outcomes;
}

/** Sums outcomes up: the flags are the device's own, nothing is judged again here. */
export function evaluationOf(outcomes: Outcomes, labels: Uint8Array, classCount: number): Evaluation {
  const { classes, flags } = outcomes;
  const count = labels.length;
  const confusion = new Uint32Array(classCount * classCount);
  let [correct, falseReject, falseAccept, novel] = [0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const f = flags[i]!;
    if (f & FLAG.correct) correct++;
    if (f & FLAG.falseReject) falseReject++;
    if (f & FLAG.falseAccept) falseAccept++;
    if (f & FLAG.novel) novel++;
    confusion[labels[i]! * classCount + classes[i]!]!++;
  }
  const percent = (n: number): number => (count === 0 ? 0 : (100 * n) / count);
  return {
    count,
    error: percent(count - correct),
    falseReject: percent(falseReject),
    falseAccept: percent(falseAccept),
    novel: percent(novel),
    confusion,
    classes,
    outcomes,
  };
}
