import { GoodnessError } from '../base/errors.js';
import { Random } from '../base/random.js';
import type { Table } from './csv.js';

export interface OthersOptions {
  /** Name of the class; `other` if left out. */
  readonly name?: string;
  readonly seed?: number;
}

/** How far beyond the largest value seen a made-up one may lie, in parts of the range. */
const BEYOND = 0.3;

/**
 * Adds a class of made-up rows, as many as there are real ones: each is a real row of which up to half the values were replaced
 * by others from the sensor's whole range. They are the negative data of Forward-Forward for somebody who has recorded only what is
 * normal: what is near to it, but isn't it. So a network learns where normal ends, and not only how it differs from another class.
 *
 * @throws GoodnessError `others.name` if there is such a class already
 */
export function withOthers(table: Table, options: OthersOptions = {}): Table {
  const { name = 'other', seed = 1 } = options;
  if (table.labels.includes(name)) {
    throw new GoodnessError('others.name', `there are rows of class ${name} already`, {
      fix: 'Leave --other out, or give the made-up class another name.',
    });
  }
  const { rows, width } = table;
  const random = new Random(seed);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of table.values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  // Columns of one sensor have one range: a frequency at which nothing ever moved may yet carry all there is.
  const range = high - low;
  const values = new Float64Array(2 * rows * width);
  values.set(table.values);
  for (let i = 0; i < rows; i++) {
    const row = values.subarray((rows + i) * width, (rows + i + 1) * width);
    const from = random.integer(rows);
    row.set(table.values.subarray(from * width, (from + 1) * width));
    for (let k = 1 + random.integer(Math.max(1, width >> 1)); k > 0; k--) {
      row[random.integer(width)] = low + random.uniform() * (1 + BEYOND) * range;
    }
  }
  return { ...table, others: name, values, labels: [...table.labels, ...table.labels.map(() => name)], rows: 2 * rows };
}
