import { weightLimit } from '../format/layout.js';
import type { LayerState, ModelLayer, ModelState } from '../format/model.js';
import { COLUMN_STEP, ROW_STEP, type Xorshift } from './xorshift.js';

/** Derivative of the positive loss over 32 goodness / theta: large below theta, fading above (SPEC.md, "Learning"). */
export const SLOPE_TABLE = Uint16Array.from({ length: 64 }, (_, i) =>
  Math.round(65535 / (1 + Math.exp(((i + 0.5) / 32 - 1) / 0.25))),
);

/** What a layer saw of one sample. */
export interface LayerActivity {
  /** Rescaled input (inputs). */
  readonly input: Uint8Array;
  /** Activities (outputs). */
  readonly activities: Uint16Array;
  /** Goodness of each group (classes). */
  readonly goodness: Uint32Array;
}

type Rates = Pick<ModelState, 't' | 'tau' | 'centring' | 'margin' | 'meanShift' | 'reviveShift' | 'errorSpan'>;

/**
 * Learns one sample in one layer by the covariance rule (SPEC.md, "Learning: the positive pass", steps 1 to 5).
 * @param layer its weights are changed
 * @param means running mean of the inputs, Q8 (inputs); changed
 * @param random the layer's random numbers; drawn from
 * @param label the sample's class
 * @returns whether the sample passed the gate, which counts as an update
 */
export function learnLayer(
  layer: ModelLayer,
  parameters: LayerState,
  rates: Rates,
  means: Uint16Array,
  activity: LayerActivity,
  random: Xorshift,
  label: number,
): boolean {
  const { goodness } = activity;
  const size = layer.outputs / goodness.length;
  moveMeans(means, activity.input, rates.meanShift, random.next());

  const own = goodness[label]!;
  let best = 0;
  for (let c = 0; c < goodness.length; c++) if (c !== label && goodness[c]! > best) best = goodness[c]!;
  const { theta } = parameters;
  if (own > best && own - best > (theta >>> 8) * rates.margin) return false;

  const slope = SLOPE_TABLE[Math.min(63, Math.floor(own / (theta >>> 5)))]!;
  let step = Math.floor((slope * parameters.rate) / 65536);
  step = Math.floor((step * rates.tau) / Math.min(0xffffffff, rates.tau + rates.t));
  const excess = Math.max(0, parameters.recentErrors - 256 * parameters.usualErrors);
  if (excess < 256 * rates.errorSpan) step = Math.floor((step * excess) / (256 * rates.errorSpan));

  const first = label * size;
  const rows = activity.activities.slice(first, first + size);
  if (own < Math.floor(theta / 64)) {
    const mask = 2 ** rates.reviveShift - 1;
    for (let k = 0; k < size; k++) {
      if ((random.next() & mask) === 0) rows[k] = Math.max(rows[k]!, parameters.reviveActivity);
    }
  }
  const dither = random.next();
  for (let k = 0; k < size; k++) {
    const pull = Math.floor((step * rows[k]!) / 65536);
    const rowDither = (dither + Math.imul(first + k, ROW_STEP)) | 0;
    if (pull > 0)
      moveRow(layer, first + k, activity.input, means, rates.centring, pull, parameters.learningShift, rowDither);
  }
  return true;
}

/** Parts that the inputs of a layer are split into: each sample moves the means of one. */
const MEAN_TURNS = 8;

/** mean += (x - mean) / 2^shift with dithered rounding, in Q8, for a part of the inputs that is drawn. */
function moveMeans(means: Uint16Array, input: Uint8Array, shift: number, dither: number): void {
  const block = Math.ceil(means.length / MEAN_TURNS);
  const first = block * (dither % MEAN_TURNS);
  let d = (dither + Math.imul(first, COLUMN_STEP)) | 0;
  for (let i = first; i < Math.min(first + block, means.length); i++) {
    const mean = means[i]!;
    means[i] = mean + (((input[i]! << 8) - mean + (d >>> (32 - shift))) >> shift);
    d = (d + COLUMN_STEP) | 0;
  }
}

/** w += pull * (x - centring * mean) / 2^shift with dithered rounding, clamped, for all weights into one neuron. */
function moveRow(
  layer: ModelLayer,
  row: number,
  input: Uint8Array,
  means: Uint16Array,
  centring: number,
  pull: number,
  shift: number,
  dither: number,
): void {
  const { weights, outputs } = layer;
  const limit = weightLimit(layer.weightBits);
  let d = dither;
  for (let i = 0, at = row; i < input.length; i++, at += outputs) {
    const centred = input[i]! - ((means[i]! * centring + 32768) >>> 16);
    const change = (pull * centred + (d >>> (32 - shift))) >> shift;
    d = (d + COLUMN_STEP) | 0;
    if (change !== 0) weights[at] = Math.max(-limit, Math.min(limit, weights[at]! + change));
  }
}
