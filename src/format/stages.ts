import { GoodnessError } from '../base/errors.js';
import { formatMeta, metaOf } from './meta.js';
import type { Model, ModelState } from './model.js';

const MOST = 0xffffffff;

/**
 * Cuts a network into stages of neighbouring layers, each for a board of its own (SPEC.md 2.7). Together they compute and learn what the
 * whole does, byte for byte.
 *
 * @param cuts number of the first layer of each stage but the lowest, in order: [1] makes two stages, layer 0 and all others
 * @returns the stages, the lowest first
 * @throws GoodnessError `stages.cut` where there is no such layer, `stages.model` for a model that can't be cut
 */
export function splitModel(model: Model, cuts: readonly number[]): Model[] {
  checkWhole(model);
  const bounds = [0, ...cuts, model.layers.length];
  if (bounds.some((bound, i) => i > 0 && !(Number.isInteger(bound) && bound > bounds[i - 1]!))) {
    const layers = model.layers.length;
    throw new GoodnessError('stages.cut', 'the network can not be cut there', {
      expected: layers > 1 ? `layers from 1 to ${layers - 1}, in order` : 'a network of two layers or more',
      got: cuts.join(', '),
    });
  }
  // A stage none of whose layers learns counts samples and moves thresholds all the same, as the whole would.
  const counts = model.layers.some((layer) => layer.learns);
  return bounds.slice(0, -1).map((from, s): Model => {
    const to = bounds[s + 1]!;
    const above = model.layers[to];
    return {
      ...model,
      ...(from === 0 ? {} : rescaledInput(model, from)),
      layersBelow: from,
      layers: model.layers.slice(from, to),
      state: {
        ...model.state,
        // Layers change what they change wherever they are: the sum of the stages is the whole's number.
        updates: from === 0 ? model.state.updates : 0,
        layers: model.state.layers.slice(from, to),
        means: model.state.means.slice(from, to),
      },
      ...(counts ? { counts } : {}),
      ...(above === undefined ? {} : { above: { lengthShift: above.lengthShift, inputBits: above.inputBits } }),
    };
  });
}

/** What a sample of a stage above the lowest is: scores so far, and the first layer's input as it is. */
function rescaledInput(model: Model, from: number): Partial<Model> {
  const { classes, created } = metaOf(model);
  return {
    rawInputs: 4 * model.classes + model.layers[from]!.inputs,
    encoding: 'plain',
    subtractMin: false,
    // What the sensor delivers is the lowest stage's affair.
    metaText: model.metaText === '' ? '' : formatMeta({ classes, ...(created === undefined ? {} : { created }) }),
  };
}

/**
 * Puts the stages of a network together again, as they are after learning.
 * @param stages the lowest first
 * @throws GoodnessError `stages.order` if they don't follow each other, `stages.apart` if they didn't learn the same samples
 */
export function joinModels(stages: readonly Model[]): Model {
  checkOrder(stages);
  const { above: _, counts: __, ...lowest } = stages[0]!;
  const states = stages.map((stage) => stage.state);
  const apart = states.find((state) => !sameSamples(state, states[0]!));
  if (apart !== undefined) {
    throw new GoodnessError('stages.apart', 'the stages of the network did not learn the same samples', {
      expected: described(states[0]!),
      got: described(apart),
      fix: 'One of them restarted without what it had learned. Have all of them reload what they saved last, or flash the network again.',
    });
  }
  return {
    ...lowest,
    layers: stages.flatMap((stage) => stage.layers),
    state: {
      // Only the highest stage sees the network's class: what follows from it is in its state.
      ...states.at(-1)!,
      updates: Math.min(
        MOST,
        states.reduce((sum, state) => sum + state.updates, 0),
      ),
      layers: states.flatMap((state) => state.layers),
      means: states.flatMap((state) => state.means),
    },
  };
}

/**
 * Checks that stages are those of one network, in order and all of them.
 * @throws GoodnessError `stages.order`
 */
export function checkOrder(stages: readonly Pick<Model, 'layersBelow' | 'layers' | 'above' | 'classes'>[]): void {
  let below = 0;
  stages.forEach((stage, s) => {
    const next = stages[s + 1];
    const first = next?.layers[0];
    const last = stage.layers.at(-1)!;
    const fits =
      stage.layersBelow === below &&
      stage.above?.lengthShift === first?.lengthShift &&
      stage.above?.inputBits === first?.inputBits &&
      (next === undefined || (next.classes === stage.classes && first!.inputs === last.outputs));
    below += stage.layers.length;
    if (fits) return;
    throw new GoodnessError('stages.order', 'these are not the stages of one network, one on top of the other', {
      expected: `layers from ${below - stage.layers.length} on${next === undefined ? ' to the top' : ''}`,
      got: stages.map(layersOf).join('; '),
      fix: 'Name the boards from the lowest layers to the highest, and all of them; or flash the network to them.',
    });
  });
}

function layersOf({ layersBelow, layers, above }: Pick<Model, 'layersBelow' | 'layers' | 'above'>): string {
  const shape = [layers[0]!.inputs, ...layers.map((layer) => layer.outputs)].join('-');
  return `layers ${layersBelow} to ${layersBelow + layers.length - 1} (${shape})${above === undefined ? ', the top' : ''}`;
}

function sameSamples(a: ModelState, b: ModelState): boolean {
  return (
    a.baseId === b.baseId &&
    a.t === b.t &&
    a.samples === b.samples &&
    a.random === b.random &&
    a.counts.every((count, c) => count === b.counts[c])
  );
}

function described({ baseId, t, samples }: ModelState): string {
  return `base ${baseId.toString(16)}, ${samples} samples, ${t} since the base`;
}

function checkWhole(model: Model): void {
  const whole = model.layersBelow === 0 && model.above === undefined;
  if (whole && model.objective === 'partitioned') return;
  throw new GoodnessError('stages.model', 'this model can not be cut into stages', {
    expected: 'a whole network whose neurons are partitioned by class',
    got: whole ? 'the label in the input' : 'a stage of one',
  });
}
