import { formatMeta, metaOf } from '../../format/meta.js';
import { encodedInputs, largestActivity, type Model, modelGroups } from '../../format/model.js';
import type { Budget } from './board.js';
import { ableToLearn, choices, firstThatFits } from './choice.js';

/** Sides of the squares that an image may be pooled by; 1 is the image as it is. */
const POOLS = [1, 2, 3, 4, 5, 6, 7, 8];

/**
 * What would fit a board where a model doesn't, nearest first: the same model with nothing learning, fewer neurons, a pooled
 * image, fewer inputs. Each was tried on a blank model of that shape; nothing is proposed that doesn't fit.
 */
export async function nearestFit(model: Model, budget: Budget): Promise<string[]> {
  const found: string[] = [];
  if (ableToLearn(model).length > 0 && (await firstThatFits(model, budget, [new Set()])).fits) {
    found.push('the same model with all layers frozen (--learn none)');
  }
  const smaller = await smallerNetwork(model, budget);
  return smaller === undefined ? found : [...found, smaller];
}

/** The least change of inputs for which some width of the layers fits, with the largest such width. */
async function smallerNetwork(model: Model, budget: Budget): Promise<string | undefined> {
  for (const { inputs, text } of inputsToTry(model, budget)) {
    const width = await widest(model, inputs, budget);
    if (width === 0) continue;
    const changed = model.layers.some((layer) => layer.outputs > width);
    const parts = [text, changed ? `at most ${width} neurons a layer` : ''].filter((part) => part !== '');
    return parts.length > 0 ? parts.join(' and ') : undefined;
  }
  return undefined;
}

/** Numbers of raw inputs, the present one first: what pooling an image gives, or what a frame holds of a vector. */
function inputsToTry(model: Model, budget: Budget): { inputs: number; text: string }[] {
  const { geometry, pool = 1 } = metaOf(model);
  const most = budget.payload - 5;
  const now = { inputs: model.rawInputs, text: '' };
  if (geometry === undefined) {
    return model.rawInputs <= most ? [now] : [now, { inputs: most, text: `at most ${most} inputs` }];
  }
  // The geometry may be that of the data or that of what is left after pooling.
  const side = geometry.width * geometry.height === model.rawInputs ? 1 : pool;
  const [width, height] = [geometry.width / side, geometry.height / side];
  if (width * height !== model.rawInputs) return [now];
  return POOLS.filter((by) => width % by === 0 && height % by === 0).map((by) => ({
    inputs: (width / by) * (height / by),
    text: by === 1 ? '' : `images pooled by ${by * pool} (--pool ${by * pool})`,
  }));
}

/** Neurons that no layer may exceed so that it fits, learning something if it learns now; 0 if one per group is too many. */
async function widest(model: Model, rawInputs: number, budget: Budget): Promise<number> {
  const groups = modelGroups(model);
  let [fits, over] = [0, Math.ceil(Math.max(...model.layers.map((layer) => layer.outputs)) / groups) + 1];
  while (over - fits > 1) {
    const middle = (fits + over) >> 1;
    const tried = blank(model, rawInputs, middle * groups);
    if ((await firstThatFits(tried, budget, choices(tried, budget))).fits) fits = middle;
    else over = middle;
  }
  return fits * groups;
}

/** A model of the same kind with other sizes and nothing in it: its memory is that of a real one. */
function blank(model: Model, rawInputs: number, width: number): Model {
  const { classes, dataset } = metaOf(model);
  let inputs = encodedInputs({ ...model, rawInputs });
  const layers = model.layers.map((layer) => {
    const outputs = Math.min(layer.outputs, width);
    const sized = { inputs, outputs, weights: new Int8Array(inputs * outputs), activityMax: largestActivity(outputs) };
    inputs = outputs;
    return { ...layer, ...sized };
  });
  return {
    ...model,
    rawInputs,
    layers,
    metaText:
      rawInputs === model.rawInputs
        ? model.metaText
        : formatMeta({ classes, ...(dataset === undefined ? {} : { dataset }) }),
    state: {
      ...model.state,
      means: layers.map((layer) => new Uint16Array(layer.learns ? layer.inputs : 0)),
    },
  };
}
