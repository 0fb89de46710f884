import { GoodnessError } from '../base/errors.js';
import { type Dataset, sample } from '../data/dataset.js';
import { type Model, modelGroups } from '../format/model.js';
import { scorePart } from '../reference/forward.js';
import { Pass } from '../reference/pass.js';

/** Scores of all samples of a data set, exactly as a device computes them: (count, classes). */
export function scoreDataset(
  model: Model,
  dataset: Dataset,
  /** Called after each pass whose label (if it is part of the input) is the sample's own. */
  observe?: (pass: Pass) => void,
): Uint32Array {
  checkFit(model, dataset);
  const { classes } = model;
  const scores = new Uint32Array(dataset.count * classes);
  const pass = new Pass(model);
  const groups = modelGroups(model);
  const passes = classes / groups;
  for (let s = 0; s < dataset.count; s++) {
    const raw = sample(dataset, s);
    for (let first = 0; first < passes; first++) {
      pass.run(model, raw, first);
      for (let l = 0; l < model.layers.length; l++) {
        const { goodness } = pass.layers[l]!;
        const factor = model.state.layers[l]!.scoreFactor;
        for (let g = 0; g < groups; g++) {
          const at = s * classes + first + g;
          scores[at] = scores[at]! + scorePart(goodness[g]!, factor);
        }
      }
      if (passes === 1 || first === dataset.labels[s]) observe?.(pass);
    }
  }
  return scores;
}

/** @throws GoodnessError `quantize.data` unless the data set has the model's inputs and classes */
export function checkFit(model: Pick<Model, 'rawInputs' | 'classes'>, dataset: Dataset): void {
  if (dataset.width === model.rawInputs && dataset.classes.length === model.classes) return;
  throw new GoodnessError('quantize.data', 'the data set does not fit the network', {
    expected: `${model.rawInputs} inputs and ${model.classes} classes`,
    got: `${dataset.width} inputs and ${dataset.classes.length} classes`,
    fix: 'Give the data set that the network was trained on, pooled in the same way.',
  });
}
