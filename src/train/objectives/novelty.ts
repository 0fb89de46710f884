/**
 * Chance that a random one of the higher values lies above a random one of the lower ones (the area under the ROC curve); ties
 * count half. 0.5 without values on both sides.
 */
export function auroc(higher: Float32Array, lower: Float32Array): number {
  if (higher.length === 0 || lower.length === 0) return 0.5;
  const below = lower.slice().sort();
  let wins = 0;
  for (const value of higher) wins += (countBelow(below, value, false) + countBelow(below, value, true)) / 2;
  return wins / (higher.length * lower.length);
}

/** How many of the ascending values lie below one, or at most at it. */
function countBelow(ascending: Float32Array, value: number, orAt: boolean): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! < value || (orAt && ascending[middle]! === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The value below which this part of the values lies: the novelty threshold of so many false alarms. */
export function quantile(values: Float32Array, part: number): number {
  const sorted = values.slice().sort();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.floor(part * sorted.length)))] ?? 0;
}
