import { encodeImage } from '../../src/format/image.js';
import { weightLimit } from '../../src/format/layout.js';
import type { Outcome } from '../../src/format/message.js';
import type { Model } from '../../src/format/model.js';
import { diffPatch, encodePatch } from '../../src/format/patch.js';
import { Reference, type Result } from '../../src/reference/reference.js';
import { type RandomModelOptions, randomInputs, randomModel } from './random-model.js';

/** What a device must answer to one sample. */
export interface GoldenResult extends Outcome {
  /** (classes) */
  readonly scores: readonly number[];
  /** A stage with layers above: what those get. */
  readonly onward?: string;
}

/** A model, what is done with it in order, and what comes of it. Bytes are base64. */
export interface GoldenCase {
  readonly name: string;
  readonly image: string;
  /** Samples one after the other: (count, rawInputs). */
  readonly inputs: string;
  readonly labels: readonly number[];
  /** First of all each sample is inferred with its label. */
  readonly infer: readonly GoldenResult[];
  /** Activities of each layer for each sample: [sample][layer], u16 little-endian. */
  readonly traces: readonly (readonly string[])[];
  /** Then, if the model learns, statistics of this level are switched on and all samples are learned in order, `rounds` times. */
  readonly statisticsLevel: 0 | 1 | 2;
  readonly rounds: number;
  readonly learn: readonly Omit<GoldenResult, 'scores'>[];
  /** Image afterwards, its CRC being the one that fits. */
  readonly imageAfter: string;
  readonly statisticsAfter: string;
  /** Then this patch is applied with this ticket remembered. */
  readonly ticket: number;
  readonly patch: string;
  readonly imagePatched: string;
}

interface Recipe extends RandomModelOptions {
  readonly name: string;
  readonly samples?: number;
  readonly rounds?: number;
  readonly statisticsLevel?: 0 | 1 | 2;
}

/** Small models that together reach every branch of the arithmetic. */
const RECIPES: readonly Recipe[] = [
  { name: 'plain', seed: 1, rawInputs: 20, classes: 3, hidden: [12, 9], rounds: 10 },
  {
    name: 'complement',
    seed: 2,
    rawInputs: 13,
    classes: 4,
    hidden: [16, 12],
    encoding: 'complement',
    statisticsLevel: 1,
    rounds: 10,
  },
  {
    name: 'subtract-minimum',
    seed: 3,
    rawInputs: 25,
    classes: 2,
    hidden: [8, 8, 8],
    subtractMin: true,
    statisticsLevel: 2,
    rounds: 10,
  },
  { name: 'label-in-input', seed: 4, rawInputs: 15, classes: 5, hidden: [11, 7], objective: 'label' },
  {
    name: 'label-complement',
    seed: 5,
    rawInputs: 6,
    classes: 3,
    hidden: [10],
    objective: 'label',
    encoding: 'complement',
    subtractMin: true,
  },
  {
    name: 'shortest-length',
    seed: 6,
    rawInputs: 30,
    classes: 3,
    hidden: [9, 6],
    lengthShift: 4,
    outputShift: 0,
    rounds: 10,
  },
  {
    name: 'longest-length',
    seed: 7,
    rawInputs: 30,
    classes: 3,
    hidden: [9, 6],
    lengthShift: 12,
    outputShift: 10,
    rounds: 10,
  },
  {
    name: 'saturating-activity',
    seed: 8,
    rawInputs: 16,
    classes: 2,
    hidden: [6, 6],
    outputShift: 0,
    activityMax: 900,
    rounds: 10,
  },
  {
    name: 'extreme-weights',
    seed: 9,
    rawInputs: 40,
    classes: 2,
    hidden: [4, 4],
    extreme: true,
    lengthShift: 12,
    outputShift: 0,
    rounds: 10,
  },
  {
    name: 'largest-activity',
    seed: 10,
    rawInputs: 9,
    classes: 1,
    hidden: [1, 1],
    extreme: true,
    lengthShift: 12,
    outputShift: 3,
    rounds: 5,
  },
  {
    name: 'dead-groups',
    seed: 11,
    rawInputs: 24,
    classes: 3,
    hidden: [12, 12],
    thetaScale: 500,
    reviveShift: 1,
    rounds: 20,
  },
  {
    name: 'revive-always',
    seed: 12,
    rawInputs: 24,
    classes: 3,
    hidden: [6, 6],
    thetaScale: 500,
    reviveShift: 0,
    meanShift: 8,
    rounds: 20,
  },
  {
    name: 'revive-rarely',
    seed: 13,
    rawInputs: 24,
    classes: 3,
    hidden: [12],
    thetaScale: 500,
    reviveShift: 8,
    meanShift: 1,
    rounds: 20,
  },
  { name: 'closed-gate', seed: 14, rawInputs: 20, classes: 3, hidden: [12, 9], margin: 0, rounds: 10 },
  { name: 'open-gate', seed: 15, rawInputs: 20, classes: 3, hidden: [12, 9], margin: 255, thetaScale: 4, rounds: 10 },
  { name: 'smallest-theta', seed: 16, rawInputs: 20, classes: 2, hidden: [4], thetaScale: 0, rounds: 10 },
  {
    name: 'fastest-rate',
    seed: 17,
    rawInputs: 20,
    classes: 3,
    hidden: [12, 9],
    rate: 65535,
    lengthShift: 5,
    thresholdShift: 1,
    rounds: 20,
  },
  { name: 'fixed-thresholds', seed: 18, rawInputs: 20, classes: 3, hidden: [12], thresholdShift: 0, rounds: 10 },
  {
    name: 'upper-layer-learns',
    seed: 19,
    rawInputs: 20,
    classes: 3,
    hidden: [12, 9, 6],
    learns: [false, true, false],
    rounds: 10,
  },
  { name: 'nothing-learns', seed: 20, rawInputs: 20, classes: 3, hidden: [12, 9], learns: [false, false] },
  {
    name: 'eight-layers',
    seed: 21,
    rawInputs: 11,
    classes: 2,
    hidden: [4, 6, 2, 8, 4, 4, 6, 4],
    meta: false,
    rounds: 10,
  },
  { name: 'odd-sizes', seed: 22, rawInputs: 7, classes: 3, hidden: [3, 3], statisticsLevel: 1, rounds: 10 },
  {
    name: 'one-input',
    seed: 23,
    rawInputs: 1,
    classes: 2,
    hidden: [2, 2],
    encoding: 'complement',
    statisticsLevel: 2,
    rounds: 10,
  },
  {
    name: 'errors-rare',
    seed: 25,
    rawInputs: 20,
    classes: 3,
    hidden: [12, 9],
    recentErrors: 0,
    usualErrors: 200,
    errorSpan: 255,
    thetaScale: 4,
    rounds: 10,
  },
  {
    name: 'errors-always',
    seed: 26,
    rawInputs: 20,
    classes: 3,
    hidden: [12, 9],
    recentErrors: 65535,
    usualErrors: 0,
    errorSpan: 0,
    thetaScale: 4,
    rounds: 10,
  },
  { name: 'int4', seed: 27, rawInputs: 20, classes: 3, hidden: [12, 9], bits: 4, rounds: 10 },
  {
    name: 'int4-saturating',
    seed: 28,
    rawInputs: 20,
    classes: 3,
    hidden: [9, 15],
    bits: 4,
    extreme: true,
    rate: 65535,
    lengthShift: 5,
    thetaScale: 4,
    recentErrors: 65535,
    rounds: 20,
  },
  { name: 'int3', seed: 29, rawInputs: 21, classes: 3, hidden: [9, 15], bits: 3, encoding: 'complement', rounds: 10 },
  { name: 'int2', seed: 30, rawInputs: 21, classes: 3, hidden: [9, 6], bits: 2, outputShift: 2, rounds: 10 },
  {
    name: 'inputs-of-4-bits',
    seed: 31,
    rawInputs: 33,
    classes: 4,
    hidden: [12, 12],
    inputBits: 4,
    lengthShift: 6,
    outputShift: 4,
    rounds: 10,
  },
  {
    name: 'int4-inputs-of-4-bits',
    seed: 32,
    rawInputs: 33,
    classes: 3,
    hidden: [15, 9],
    bits: 4,
    inputBits: 4,
    lengthShift: 5,
    outputShift: 1,
    subtractMin: true,
    rounds: 10,
  },
  {
    name: 'mixed-bits',
    seed: 33,
    rawInputs: 17,
    classes: 2,
    hidden: [6, 10, 14, 2],
    bits: [8, 4, 3, 2],
    inputBits: [4, 8, 8, 4],
    learns: [true, false, true, true],
    thresholdShift: 3,
    rounds: 10,
  },
  {
    name: 'label-int4',
    seed: 34,
    rawInputs: 9,
    classes: 3,
    hidden: [11, 7],
    objective: 'label',
    bits: 4,
    inputBits: 4,
  },
  { name: 'upper-stage', seed: 35, rawInputs: 20, classes: 3, hidden: [12, 9], layersBelow: 3, rounds: 10 },
  {
    name: 'lower-stage',
    seed: 36,
    rawInputs: 20,
    classes: 3,
    hidden: [12, 9],
    encoding: 'complement',
    subtractMin: true,
    above: { lengthShift: 9, inputBits: 8 },
    counts: true,
    rounds: 10,
  },
  {
    name: 'middle-stage-counts',
    seed: 37,
    rawInputs: 14,
    classes: 4,
    hidden: [12],
    inputBits: 4,
    layersBelow: 1,
    above: { lengthShift: 6, inputBits: 4 },
    learns: [false],
    counts: true,
    rounds: 3,
  },
  {
    name: 'images',
    seed: 24,
    rawInputs: 196,
    classes: 10,
    hidden: [60, 60],
    lengthShift: 10,
    outputShift: 9,
    subtractMin: true,
    statisticsLevel: 2,
    samples: 30,
    rounds: 5,
  },
];

/** Base64 of bytes. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Bytes of base64, in memory of their own. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'));
}

/** What of a result is kept, beside the scores. */
export function goldenOutcome(result: Result): Omit<GoldenResult, 'scores'> {
  const { class: cls, flags, score, labelScore, onward } = result;
  return { class: cls, flags, score, labelScore, ...(onward === undefined ? {} : { onward: toBase64(onward) }) };
}

/** Runs one case. */
function run(recipe: Recipe): GoldenCase {
  const model = randomModel(recipe);
  const samples = recipe.samples ?? 12;
  const inputs = randomInputs(recipe.seed + 1000, samples, model.rawInputs);
  const labels = inputs.map((_, n) => (n * 7 + 3) % model.classes);
  const reference = new Reference(model);
  const infer = inputs.map((x, n): GoldenResult => {
    const result = reference.infer(x, labels[n]);
    return { ...goldenOutcome(result), scores: [...result.scores] };
  });
  const traces = inputs.map((x) => model.layers.map((_, l) => toBase64(new Uint8Array(reference.trace(x, l).buffer))));
  const statisticsLevel = recipe.statisticsLevel ?? 0;
  reference.statistics(statisticsLevel);
  const learns = model.counts === true || model.layers.some((layer) => layer.learns);
  const rounds = learns ? (recipe.rounds ?? 1) : 0;
  const learn: Omit<GoldenResult, 'scores'>[] = [];
  for (let round = 0; round < rounds; round++) {
    inputs.forEach((x, n) => {
      learn.push(goldenOutcome(reference.learn(x, labels[n]!)));
    });
  }
  const imageAfter = reference.image();
  const statisticsAfter = toBase64(reference.statisticsBytes());
  const ticket = 1000 + recipe.seed;
  const patch = diffPatch(reference.toModel(), target(reference.toModel()), ticket).patch;
  reference.applyPatch(patch, ticket);
  return {
    name: recipe.name,
    image: toBase64(encodeImage(model)),
    inputs: Buffer.concat(inputs).toString('base64'),
    labels,
    infer,
    traces,
    statisticsLevel,
    rounds,
    learn,
    imageAfter: toBase64(imageAfter),
    statisticsAfter,
    ticket,
    patch: toBase64(encodePatch(patch)),
    imagePatched: toBase64(reference.image()),
  };
}

/** What a host might want a model to become. */
function target(model: Model): Model {
  const layers = model.layers.map((layer) =>
    layer.learns
      ? {
          ...layer,
          weights: layer.weights.map((w, i) =>
            Math.max(
              -weightLimit(layer.weightBits),
              Math.min(weightLimit(layer.weightBits), w + ((i * 37) % 101) - 50),
            ),
          ),
        }
      : layer,
  );
  const state = {
    ...model.state,
    baseId: (model.state.baseId + 1) >>> 0,
    t: 0,
    thresholds: model.state.thresholds.map((t) => t + 100),
    means: model.state.means.map((means) => means.map((m) => Math.min(65280, m + 256))),
  };
  return { ...model, layers, state };
}

/** All cases. */
export function goldenCases(): GoldenCase[] {
  return RECIPES.map(run);
}
