import type { Model, ModelLayer } from 'goodness';

/** What a model is like whose weights mean nothing: how bytes travel, and what is computed from them, doesn't depend on that. */
export interface RandomModelShape {
  readonly rawInputs: number;
  readonly classes: number;
  readonly hidden: readonly number[];
  /** Which layers learn; all if left out. */
  readonly learns?: readonly boolean[];
  /** Bits of each weight; 8 if left out. */
  readonly weightBits?: 8 | 4;
}

/** A valid model of random weights, at whose thresholds learning has something to do. */
export function randomModel(shape: RandomModelShape, random: { integer(n: number): number; uint32(): number }): Model {
  const { rawInputs, classes, hidden, weightBits = 8 } = shape;
  let inputs = rawInputs;
  const layers = hidden.map((outputs, l): ModelLayer => {
    // A sum of three uniform numbers is near enough to a normal one.
    const steps = weightBits === 8 ? 61 : 5;
    const weight = (): number =>
      random.integer(steps) + random.integer(steps) + random.integer(steps) - (3 * (steps - 1)) / 2;
    const layer: ModelLayer = {
      inputs,
      outputs,
      weights: Int8Array.from({ length: inputs * outputs }, weight),
      lengthShift: 8,
      outputShift: weightBits === 8 ? 6 : 2,
      activityMax: Math.min(65535, Math.floor(Math.sqrt(4294967295 / outputs))),
      inputSumBound: 0,
      learns: shape.learns?.[l] ?? true,
      scale: 1 / 128,
      outputUnit: 256,
      weightBits,
      inputBits: 8,
      layout: 0,
    };
    inputs = outputs;
    return layer;
  });
  const names = Array.from({ length: classes }, (_, c) => `class ${c}`);
  return {
    rawInputs,
    classes,
    objective: 'partitioned',
    encoding: 'plain',
    subtractMin: false,
    labelValue: 0,
    layersBelow: 0,
    layers,
    metaText: JSON.stringify({ classes: names, created: 'a bench' }),
    state: {
      baseId: random.uint32(),
      t: 0,
      random: (random.uint32() | 1) >>> 0,
      samples: 0,
      updates: 0,
      errors: 0,
      falseRejects: 0,
      falseAccepts: 0,
      noveltyThreshold: 1000,
      tau: 4000,
      centring: 282,
      margin: 51,
      meanShift: 6,
      thresholdShift: 6,
      reviveShift: 2,
      errorSpan: 33,
      // Half of what a group reaches on average when its weights deviate by 30 and inputs have length 2^8.
      layers: layers.map((layer) => ({
        theta: Math.max(32, Math.round(((layer.outputs / classes) * ((30 * 2 ** 8) / 2 ** 6) ** 2) / 4)),
        scoreFactor: Math.floor(65535 / layers.length) - 1,
        rate: 30_000,
        reviveActivity: 500,
        learningShift: 14,
        recentErrors: 65535,
        usualErrors: 5,
      })),
      thresholds: new Uint32Array(classes).fill(20_000),
      counts: new Uint32Array(classes),
      means: layers.map((layer) => new Uint16Array(layer.learns ? layer.inputs : 0)),
    },
  };
}
