import type { Random } from '../../base/random.js';

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
 * A label for each sample, drawn from the softmax of what the network finds likely: among the wrong ones (Hinton 2022, section
 * 3.3), or among all of them.
 * @param likely goodness summed over layers, or logits, (count, classes)
 * @param target labels, (count), overwritten
 * @param temperature of the softmax, in units of `likely` (> 0)
 * @param all whether the true label may be drawn too
 */
export function drawnLabels(
  likely: Float32Array,
  labels: Uint8Array,
  target: Uint8Array,
  classes: number,
  temperature: number,
  random: Random,
  all = false,
): void {
  const weights = new Float64Array(classes);
  for (let s = 0; s < labels.length; s++) {
    const at = s * classes;
    const barred = all ? -1 : labels[s]!;
    let highest = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) if (c !== barred) highest = Math.max(highest, likely[at + c]!);
    let sum = 0;
    for (let c = 0; c < classes; c++) {
      weights[c] = c === barred ? 0 : Math.exp((likely[at + c]! - highest) / temperature);
      sum += weights[c]!;
    }
    let left = random.uniform() * sum;
    let chosen = barred === classes - 1 ? classes - 2 : classes - 1;
    for (let c = 0; c < classes; c++) {
      left -= weights[c]!;
      if (left < 0 && c !== barred) {
        chosen = c;
        break;
      }
    }
    target[s] = chosen;
  }
}
