import type { Dataset } from '../data/dataset.js';
import type { Model } from '../format/model.js';
import { scoreDataset } from './scores.js';

/** How much the inputs of a model's layers differ from sample to sample. */
export interface InputSpread {
  /** Per layer: part of the mean squared length that is left when the mean is taken off, 0 to 1. */
  readonly variance: readonly number[];
  /** First layer: mean squared distance of the class means from the mean, in units of the mean's squared length. */
  readonly classes: number;
}

/** Measures the spread on labelled samples, in the integers of the device. */
export function inputSpread(model: Model, data: Dataset): InputSpread {
  const layers = model.layers.map(({ inputs }) => ({ sum: new Float64Array(inputs), squares: 0 }));
  const first = model.layers[0]!.inputs;
  const classSums = Array.from({ length: model.classes }, () => new Float64Array(first));
  const counts = new Float64Array(model.classes);
  let sampleAt = 0;
  scoreDataset(model, data, (pass) => {
    const label = data.labels[sampleAt++]!;
    counts[label]!++;
    layers.forEach((layer, l) => {
      const { input } = pass.layers[l]!;
      for (let i = 0; i < input.length; i++) {
        const x = input[i]!;
        layer.sum[i]! += x;
        layer.squares += x * x;
        if (l === 0) classSums[label]![i]! += x;
      }
    });
  });
  const samples = Math.max(1, sampleAt);
  const length = (sum: Float64Array): number => sum.reduce((total, s) => total + (s / samples) ** 2, 0);
  const variance = layers.map(({ sum, squares }) => 1 - length(sum) / Math.max(1e-9, squares / samples));
  const mean = layers[0]!.sum.map((s) => s / samples);
  let classes = 0;
  for (let c = 0; c < model.classes; c++) {
    if (counts[c] === 0) continue;
    const share = counts[c]! / samples;
    for (let i = 0; i < first; i++) classes += share * (classSums[c]![i]! / counts[c]! - mean[i]!) ** 2;
  }
  return { variance, classes: classes / Math.max(1e-9, length(layers[0]!.sum)) };
}
