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

/** Counts how often each layer and those below take a sample for another class: the layer's own evidence (SPEC.md 5, step 7). */
export class LayerErrors {
  private readonly wrong: Uint32Array;
  private readonly model: Model;
  private samples = 0;

  constructor(model: Model) {
    this.model = model;
    this.wrong = new Uint32Array(model.layers.length);
  }

  /** @param pass that of a sample of class `label`, with the goodness of all classes */
  add(pass: Pass, label: number): void {
    const scores = new Float64Array(this.model.classes);
    this.samples++;
    pass.layers.forEach(({ goodness }, l) => {
      const factor = this.model.state.layers[l]!.scoreFactor;
      let best = 0;
      for (let c = 0; c < scores.length; c++) {
        scores[c] = scores[c]! + scorePart(goodness[c]!, factor);
        if (scores[c]! > scores[best]!) best = c;
      }
      if (best !== label) this.wrong[l]!++;
    });
  }

  /** Part of the samples that each layer took for another class, 0 to 1. */
  rates(): number[] {
    return Array.from(this.wrong, (wrong) => wrong / Math.max(1, this.samples));
  }
}

/** Part of labelled samples that each layer and those below take for another class; 0 where classes have no groups of their own. */
export function layerErrors(model: Model, dataset: Dataset): number[] {
  const errors = new LayerErrors(model);
  if (model.objective === 'label') return errors.rates();
  let at = 0;
  scoreDataset(model, dataset, (pass) => errors.add(pass, dataset.labels[at++]!));
  return errors.rates();
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
