/**
 * Mean absolute activity of each group; behind relu the absolute value is the activity itself. Its slope does not fade as
 * activities do, so neurons that are hardly active move as fast as busy ones.
 * @param activities (rows, outputs), the outputs of relu
 * @param goodness (rows, groups), overwritten
 */
export function meanAbsolute(
  activities: Float32Array,
  goodness: Float32Array,
  rows: number,
  outputs: number,
  groups: number,
): void {
  const size = outputs / groups;
  let at = 0;
  for (let g = 0; g < rows * groups; g++) {
    let sum = 0;
    for (const end = at + size; at < end; at++) sum += Math.abs(activities[at]!);
    goodness[g] = sum / size;
  }
}

/**
 * Slope of the loss over the pre-activations, in place: dL/dG / size where a neuron is active, else 0.
 * @param activities (rows, outputs), replaced by the slopes
 * @param slopes dL/dG, (rows, groups)
 */
export function absoluteBackward(
  activities: Float32Array,
  slopes: Float32Array,
  rows: number,
  outputs: number,
  groups: number,
): void {
  const size = outputs / groups;
  let at = 0;
  for (let g = 0; g < rows * groups; g++) {
    const slope = slopes[g]! / size;
    for (const end = at + size; at < end; at++) activities[at] = activities[at]! > 0 ? slope : 0;
  }
}
