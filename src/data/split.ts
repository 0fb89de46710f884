import { Random } from '../base/random.js';

/**
 * Splits samples into train and test so that each class keeps its share (stratified). Every class with two samples or more
 * has at least one on each side; a class with a single one keeps it for training. Order inside both parts is shuffled.
 * @param labels class index per sample
 * @param testFraction between 0 and 1
 */
export function stratifiedSplit(
  labels: Uint8Array,
  classes: number,
  testFraction: number,
  seed: number,
): { readonly train: Uint32Array; readonly test: Uint32Array } {
  const random = new Random(seed);
  const order = random.permutation(labels.length);
  const counts = new Uint32Array(classes);
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  const quota = counts.map((n) => (n < 2 ? 0 : Math.min(n - 1, Math.max(1, Math.round(n * testFraction)))));
  const train: number[] = [];
  const test: number[] = [];
  for (const i of order) {
    const label = labels[i]!;
    if (quota[label]! > 0) {
      quota[label]!--;
      test.push(i);
    } else {
      train.push(i);
    }
  }
  return { train: Uint32Array.from(train), test: Uint32Array.from(test) };
}
