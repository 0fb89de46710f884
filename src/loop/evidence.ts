import { type Dataset, sample } from '../data/dataset.js';
import type { Evaluation } from '../device/evaluation.js';
import { WasmCore } from '../device/wasm/core.js';
import { decodeImage } from '../format/image.js';

/** Scores of the same samples: of their own class and the best of the others, each in units of that class's threshold. */
export interface ScoreSample {
  readonly title: string;
  readonly own: readonly number[];
  readonly rival: readonly number[];
}

/** A confusion matrix at some point of a run. */
export interface ConfusionSample {
  readonly title: string;
  /** (classes, classes), a row per label. */
  readonly confusion: Evaluation['confusion'];
}

/** What a run leaves behind beside its figures, for a report. */
export interface Evidence {
  readonly classes: readonly string[];
  readonly scores: readonly ScoreSample[];
  readonly confusions: readonly ConfusionSample[];
  /** What travelled up at a sync, in bytes of payload. */
  readonly telemetry: readonly { readonly what: string; readonly bytes: number }[];
}

/** Scores of labelled samples by the model in `image`, computed by the firmware core in this process. */
export async function scoreSample(title: string, image: Uint8Array, data: Dataset): Promise<ScoreSample> {
  const core = await WasmCore.withModel(image);
  const { thresholds } = decodeImage(image).state;
  const own: number[] = [];
  const rival: number[] = [];
  for (let i = 0; i < data.count; i++) {
    core.infer(sample(data, i));
    const scores = core.scores();
    const label = data.labels[i]!;
    let best = 0;
    scores.forEach((score, c) => {
      const relative = score / Math.max(1, thresholds[c]!);
      if (c === label) own.push(relative);
      else best = Math.max(best, relative);
    });
    rival.push(best);
  }
  return { title, own, rival };
}
