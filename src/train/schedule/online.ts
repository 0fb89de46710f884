/**
 * Learning from one sample at a time in closed form (Hinton 2022, section 5). With an input of length 1 the step w += eps y x
 * multiplies the activities of a layer by 1 + eps, so eps = sqrt(S* / S) - 1 brings it to the goodness S* at once. It does not turn the
 * activity vector, which is all that the next layer sees of it: so all layers can move in the same pass.
 */
export interface OnlineConfig {
  /** Goodness that positive samples are raised to where they have less, in thresholds (> 0). */
  readonly positive: number;
  /** Goodness that negative samples are lowered to where they have more, in thresholds (>= 0). */
  readonly negative: number;
  /** Part of the way that a step goes, 0 to 1: 1 is all of it, for this sample, whatever it does to others. */
  readonly strength: number;
}

/** A layer with next to no goodness would need an endless step. */
const LONGEST = 1;

/**
 * Change of a group's activities that brings its goodness to the target, as a part of themselves.
 * @param goodness sum or mean of squared activities, >= 0
 * @param target in the same units, >= 0
 * @returns eps, -1 to 1, times the strength
 */
export function closedForm(goodness: number, target: number, strength: number): number {
  if (!(goodness > 0)) return 0;
  return strength * Math.min(LONGEST, Math.sqrt(target / goodness) - 1);
}

/**
 * Slopes over goodness that make a step of plain gradient descent with the rate 1 the closed-form one.
 * @param goodness (rows, groups) sums or means of squares
 * @param wanted whether a group of a row shall have goodness
 * @param threshold of the layer
 * @param steepness dG/dz of a neuron of activity 1 (see Goodness)
 * @param inputs of the layer: the squared length of its inputs, whose mean square is 1
 * @param slopes (rows, groups), overwritten
 */
export function onlineSlopes(
  config: OnlineConfig,
  goodness: Float32Array,
  wanted: (row: number, group: number) => boolean,
  groups: number,
  threshold: number,
  steepness: number,
  inputs: number,
  slopes: Float32Array,
): void {
  for (let k = 0; k < goodness.length; k++) {
    const g = goodness[k]!;
    const up = wanted(Math.floor(k / groups), k % groups);
    slopes[k] = 0;
    const target = threshold * (up ? config.positive : config.negative);
    if (up ? g >= target : g <= target) continue;
    slopes[k] = -closedForm(g, target, config.strength) / (steepness * inputs);
  }
}
