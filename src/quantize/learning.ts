import type { LayerState, ModelLayer, ModelState } from '../format/model.js';
import { isqrt } from '../reference/forward.js';
import type { InputSpread } from './spread.js';

/** Parameters of on-device learning (SPEC.md, "Learning: the positive pass"). */
export type LearningParameters = Pick<
  ModelState,
  'tau' | 'centring' | 'margin' | 'meanShift' | 'thresholdShift' | 'reviveShift' | 'errorSpan'
> & {
  /** Error rate, Q16, that every layer begins with. */
  readonly recentErrors: number;
  /**
   * Learning rate in the trainer's units, per layer (the last one also holds for layers above): a weight moves by
   * rate * activity * centred input, at the steepest slope (goodness far below theta), with the input at mean square 1.
   */
  readonly rates: readonly number[];
};

/** The defaults; rates and centring depend on the data: `suitedTo`. */
export const LEARNING: Omit<LearningParameters, 'rates' | 'centring'> = {
  tau: 3000,
  // 0.2 theta in Q8.
  margin: 51,
  // Each input has its turn at one sample in eight: 256 samples in all.
  meanShift: 5,
  // Without it false accepts grow to half of all samples on a strong shift.
  thresholdShift: 6,
  reviveShift: 2,
  // 12.5% in Q16: learning begins at nearly its full rate, and 64 samples tell whether that is right.
  recentErrors: 8192,
  // 13% in Q8 above what is usual: a device that is as right as ever learns nothing, one that fails learns at full rate.
  errorSpan: 33,
};

// What the following two were found on: MNIST at 28 x 28 (bench:adapt).
// Over five shifts: faster buys little on strong ones and drifts without one.
const RATES = [0.0015, 0.005];
const VARIANCE = [0.6, 0.78];
// A tenth more than the mean is taken off, so that what all classes share is unlearned rather than kept.
const SURPLUS = 26;
const CLASS_SPREAD = 0.3;
const MOST_FASTER = 8;

/**
 * Rates and centring for data of a given spread. Dense inputs (sensor vectors with their complements) differ from their mean by
 * a few percent only: steps along the difference must be larger there, and a surplus of the mean would drown it.
 */
export function suitedTo(spread: InputSpread): Pick<LearningParameters, 'rates' | 'centring'> {
  const last = RATES.length - 1;
  return {
    rates: spread.variance.map((variance, l) => {
      const i = Math.min(l, last);
      const faster = Math.sqrt(VARIANCE[i]! / Math.max(1e-4, variance));
      return RATES[i]! * Math.min(MOST_FASTER, Math.max(1, faster));
    }),
    centring: Math.round(256 + SURPLUS * Math.min(1, spread.classes / CLASS_SPREAD)),
  };
}

/** Largest rate that is chosen: half the field, so that a host can still raise it. */
const MAX_RATE = 32767;
const MAX_SHIFT = 24;

/**
 * A layer's rate, learning shift and revive activity in integers.
 * @param theta integer goodness of a group at the threshold
 * @param groupSize neurons per group
 * @param rate in the trainer's units
 */
export function layerLearning(
  layer: Pick<ModelLayer, 'inputs' | 'lengthShift' | 'scale' | 'outputUnit'>,
  theta: number,
  groupSize: number,
  rate: number,
): Pick<LayerState, 'rate' | 'learningShift' | 'reviveActivity'> {
  // The device moves a weight by (r * y / 2^16) * x / 2^F steps, where y / outputUnit is the activity and
  // x * sqrt(inputs) / 2^k the input in the trainer's units, and a step is worth `scale`.
  const perStep = (rate * Math.sqrt(layer.inputs)) / (2 ** layer.lengthShift * layer.scale * layer.outputUnit);
  // A large F keeps the first product exact for longer while the rate decays.
  let learningShift = MAX_SHIFT;
  while (learningShift > 1 && perStep * 2 ** (16 + learningShift) > MAX_RATE) learningShift--;
  return {
    rate: Math.min(65535, Math.round(perStep * 2 ** (16 + learningShift))),
    learningShift,
    reviveActivity: Math.min(65535, isqrt(Math.floor(theta / groupSize))),
  };
}
