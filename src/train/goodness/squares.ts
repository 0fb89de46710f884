/**
 * Goodness of groups of neurons: the sum of their squared activities (Hinton 2022, section 2) times `share` / size. With the
 * share 1 it is their mean, which makes one threshold fit layers of any size; with the share `size` the sum. The groups of a
 * layer are equally large and lie side by side.
 * @param activities (rows, outputs), the outputs of relu
 * @param goodness (rows, groups), overwritten
 */
export function meanSquares(
  activities: Float32Array,
  goodness: Float32Array,
  rows: number,
  outputs: number,
  groups: number,
  share = 1,
): void {
  const size = outputs / groups;
  const factor = share / size;
  let at = 0;
  for (let g = 0; g < rows * groups; g++) {
    let sum = 0;
    for (const end = at + size; at < end; at++) {
      const y = activities[at]!;
      sum += y * y;
    }
    goodness[g] = sum * factor;
  }
}

/**
 * Slope of the loss over the pre-activations, in place: since y = relu(z) and G = share * mean of y^2 over `size` neurons,
 * dL/dz = dL/dG * share * 2 y / size (and 0 where relu cuts, as y is 0 there).
 * @param activities (rows, outputs), replaced by the slopes
 * @param slopes dL/dG, (rows, groups)
 */
export function squaresBackward(
  activities: Float32Array,
  slopes: Float32Array,
  rows: number,
  outputs: number,
  groups: number,
  share = 1,
): void {
  const size = outputs / groups;
  let at = 0;
  for (let g = 0; g < rows * groups; g++) {
    const factor = (2 * share * slopes[g]!) / size;
    for (const end = at + size; at < end; at++) activities[at] = activities[at]! * factor;
  }
}
