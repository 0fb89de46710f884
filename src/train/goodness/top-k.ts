/**
 * Mean of the k largest squared activities of each group: only the neurons that a sample excites most are asked, so that
 * the others are free to stand for something else.
 */

/** Neurons that count among `size`: a share below 1, or a number. */
export function countOf(k: number, size: number): number {
  return Math.max(1, Math.min(size, Math.round(k < 1 ? k * size : k)));
}

/**
 * @param activities (rows, outputs), the outputs of relu
 * @param goodness (rows, groups), overwritten
 */
export function topSquares(
  k: number,
  activities: Float32Array,
  goodness: Float32Array,
  rows: number,
  outputs: number,
  groups: number,
): void {
  const size = outputs / groups;
  const count = countOf(k, size);
  const scratch = new Float32Array(size);
  for (let g = 0; g < rows * groups; g++) {
    const least = kthLargest(activities, g * size, size, count, scratch);
    // Those above the least of the k count; the rest of the k are equal to it.
    let sum = 0;
    let left = count;
    for (let i = g * size; i < (g + 1) * size; i++) {
      const y = activities[i]!;
      if (!(y > least)) continue;
      sum += y * y;
      left--;
    }
    goodness[g] = (sum + left * least * least) / count;
  }
}

/**
 * Slope of the loss over the pre-activations, in place: dL/dG * 2 y / k for the k most active neurons of a group (the first
 * ones among equals), 0 for the others.
 * @param activities (rows, outputs), replaced by the slopes
 * @param slopes dL/dG, (rows, groups)
 */
export function topBackward(
  k: number,
  activities: Float32Array,
  slopes: Float32Array,
  rows: number,
  outputs: number,
  groups: number,
): void {
  const size = outputs / groups;
  const count = countOf(k, size);
  const scratch = new Float32Array(size);
  for (let g = 0; g < rows * groups; g++) {
    const from = g * size;
    const least = kthLargest(activities, from, size, count, scratch);
    let left = count;
    for (let i = from; i < from + size; i++) if (activities[i]! > least) left--;
    const factor = (2 * slopes[g]!) / count;
    for (let i = from; i < from + size; i++) {
      const y = activities[i]!;
      const counts = y > least || (y === least && left-- > 0);
      activities[i] = counts ? y * factor : 0;
    }
  }
}

/** The k-th largest of `size` values from `from` on (quickselect on a copy). */
function kthLargest(values: Float32Array, from: number, size: number, k: number, scratch: Float32Array): number {
  for (let i = 0; i < size; i++) scratch[i] = values[from + i]!;
  const wanted = k - 1;
  let [low, high] = [0, size - 1];
  while (low < high) {
    const pivot = scratch[(low + high) >> 1]!;
    let [i, j] = [low, high];
    while (i <= j) {
      while (scratch[i]! > pivot) i++;
      while (scratch[j]! < pivot) j--;
      if (i > j) break;
      const held = scratch[i]!;
      scratch[i++] = scratch[j]!;
      scratch[j--] = held;
    }
    if (wanted <= j) high = j;
    else if (wanted >= i) low = i;
    else break;
  }
  return scratch[wanted]!;
}
