/**
 * Goodness of groups of neurons: the mean of their squared activities (Hinton 2022, section 2; the mean instead of the sum
 * makes one threshold fit layers of any size). The groups of a layer are equally large and lie side by side.
 * @param activities (rows, outputs), the outputs of relu
 * @param goodness (rows, groups), overwritten
 */
export function meanSquares(
  activities: Float32Array,
  goodness: Float32Array,
  rows: number,
  outputs: number,
  groups: number,
): void {
  const size = outputs / groups;
  const share = 1 / size;
  let at = 0;
  for (let g = 0; g < rows * groups; g++) {
    let sum = 0;
    for (const end = at + size; at < end; at++) {
      const y = activities[at]!;
      sum += y * y;
    }
    goodness[g] = sum * share;
  }
}

/**
 * Slope of the loss over the pre-activations, in place: since y = relu(z) and G = mean of y^2 over `size` neurons,
 * dL/dz = dL/dG * 2 y / size (and 0 where relu cuts, as y is 0 there).
 * @param activities (rows, outputs), replaced by the slopes
 * @param slopes dL/dG, (rows, groups)
 */
export function goodnessBackward(
  activities: Float32Array,
  slopes: Float32Array,
  rows: number,
  outputs: number,
  groups: number,
): void {
  const size = outputs / groups;
  let at = 0;
  for (let g = 0; g < rows * groups; g++) {
    const factor = (2 * slopes[g]!) / size;
    for (const end = at + size; at < end; at++) activities[at] = activities[at]! * factor;
  }
}

/** Index of the largest of `count` values from `from` on; the first one among equals. */
export function argmax(values: ArrayLike<number>, from: number, count: number): number {
  let best = 0;
  for (let c = 1; c < count; c++) if (values[from + c]! > values[from + best]!) best = c;
  return best;
}
