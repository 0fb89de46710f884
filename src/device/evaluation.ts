import { FLAG } from '../format/message.js';
import type { ModelEvaluation } from '../quantize/evaluation.js';
import type { Outcomes } from './wasm/outcomes.js';

/** What a device made of labelled samples: what the integer model's own evaluation says, and the answers it rests on. */
export interface Evaluation extends ModelEvaluation {
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
