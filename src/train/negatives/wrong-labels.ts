import type { Random } from '../../base/random.js';

/**
 * Where negative data come from.
 * - Class-partitioned layers need none of their own: a sample is negative for the groups of all other classes.
 * - With the label in the input, a negative is the same sample with a wrong label: any wrong one (`random`), or one that the
 *   network finds likely (`hard`, Hinton 2022, section 3.3).
 */
export type NegativeKind = 'random' | 'hard';

/**
 * A wrong label for each sample, all equally likely.
 * @param labels true labels, (count)
 * @param target wrong labels, (count), overwritten
 */
export function randomWrongLabels(labels: Uint8Array, target: Uint8Array, classes: number, random: Random): void {
  for (let s = 0; s < labels.length; s++) {
    const other = random.integer(classes - 1);
    target[s] = other < labels[s]! ? other : other + 1;
  }
}

/**
 * A wrong label for each sample, drawn from the softmax of the goodness that the wrong labels get.
 * @param goodness summed over layers, (count, classes)
 * @param temperature of the softmax, in units of goodness (> 0)
 */
export function hardWrongLabels(
  goodness: Float32Array,
  labels: Uint8Array,
  target: Uint8Array,
  classes: number,
  temperature: number,
  random: Random,
): void {
  const weights = new Float64Array(classes);
  for (let s = 0; s < labels.length; s++) {
    const at = s * classes;
    const truth = labels[s]!;
    let highest = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) if (c !== truth) highest = Math.max(highest, goodness[at + c]!);
    let sum = 0;
    for (let c = 0; c < classes; c++) {
      weights[c] = c === truth ? 0 : Math.exp((goodness[at + c]! - highest) / temperature);
      sum += weights[c]!;
    }
    let left = random.uniform() * sum;
    let chosen = truth === classes - 1 ? classes - 2 : classes - 1;
    for (let c = 0; c < classes; c++) {
      left -= weights[c]!;
      if (left < 0 && c !== truth) {
        chosen = c;
        break;
      }
    }
    target[s] = chosen;
  }
}
