import { GoodnessError } from '../base/errors.js';
import { LIMIT } from '../format/model.js';
import type { Table } from './csv.js';
import { type Dataset, type Scaling, select } from './dataset.js';
import type { TrainTest } from './mnist.js';
import { encodeValues, fitScaling } from './scaling.js';
import { stratifiedSplit } from './split.js';

export interface TableOptions {
  readonly name?: string;
  readonly seed?: number;
  /** Part of each class that is kept for testing, 0.05 to 0.95; default 0.2. */
  readonly testFraction?: number;
  /** Range left free above and below what the train rows show; default 0. */
  readonly headroom?: number;
  /** Scaling of an existing model instead of one fitted to the train rows. */
  readonly scaling?: Scaling;
  /** Classes of an existing model instead of those found in the rows. */
  readonly classes?: readonly string[];
}

/**
 * The classes of a table: sorted by number where all labels are numbers (1 and 1.0 are the same class), else by code units.
 * @throws GoodnessError csv.classes
 */
export function classesOf(labels: readonly string[], name = 'the CSV'): string[] {
  const distinct = new Set(labels);
  const numeric = [...distinct].every(isNumber);
  const classes = numeric
    ? [...new Set([...distinct].map(Number))].sort((a, b) => a - b).map(String)
    : [...distinct].sort((a, b) => (a < b ? -1 : 1));
  if (classes.length < 2) {
    throw new GoodnessError('csv.classes', `${name} has rows of one class only`, {
      expected: 'two classes or more in the last column',
      got: JSON.stringify(classes[0] ?? ''),
      fix: 'Put the label into the last column.',
    });
  }
  if (classes.length > LIMIT.classes || (classes.length > labels.length / 2 && labels.length >= 8)) {
    throw new GoodnessError('csv.classes', `${name} has too many classes for its rows`, {
      expected: `at most ${LIMIT.classes}, and two rows or more of each`,
      got: `${classes.length} in ${labels.length} rows`,
      fix: 'Is the last column really the label?',
    });
  }
  return classes;
}

/**
 * All rows of a table as one data set, by an existing scaling and list of classes: values outside are clamped.
 * @throws GoodnessError csv.unknown-class, csv.width, and those of `encodeValues`
 */
export function encodeTable(table: Table, scaling: Scaling, classes: readonly string[], name = 'the CSV'): Dataset {
  if (scaling.offset.length !== 1 && scaling.offset.length !== table.width) {
    throw new GoodnessError('csv.width', `${name} does not fit the model`, {
      expected: `${scaling.offset.length} numbers and a label in each row`,
      got: `${table.width} numbers and a label`,
    });
  }
  return {
    name,
    inputs: encodeValues(table.values, table.width, scaling),
    labels: labelIndices(table.labels, classes, name),
    count: table.rows,
    width: table.width,
    classes,
    scaling,
    ...(table.features === undefined ? {} : { features: table.features }),
    ...(table.others === undefined ? {} : { others: table.others }),
  };
}

/**
 * Splits a table into train and test by seed and turns it into bytes; the scaling comes from the train rows alone.
 * @throws GoodnessError csv.rows, csv.classes, csv.fraction, and those of `encodeTable`
 */
export function splitTable(table: Table, options: TableOptions = {}): TrainTest {
  const name = options.name ?? 'the CSV';
  const fraction = options.testFraction ?? 0.2;
  if (!(fraction >= 0.05 && fraction <= 0.95)) {
    throw new GoodnessError('csv.fraction', 'the part kept for testing is out of range', {
      expected: '0.05 to 0.95',
      got: String(fraction),
    });
  }
  const classes = options.classes ?? classesOf(table.labels, name);
  const labels = labelIndices(table.labels, classes, name);
  if (options.classes === undefined) checkRows(labels, classes, name);
  const { train, test } = stratifiedSplit(labels, classes.length, fraction, options.seed ?? 1);
  const scaling = options.scaling ?? fitScaling(rowsOf(table, train), table.width, options.headroom ?? 0);
  const all = encodeTable(table, scaling, classes, name);
  return { train: select(all, train), test: { ...select(all, test), name: `${name} test` } };
}

function checkRows(labels: Uint8Array, classes: readonly string[], name: string): void {
  const counts = new Uint32Array(classes.length);
  for (const label of labels) counts[label]!++;
  const rare = counts.findIndex((n) => n < 2);
  if (rare < 0) return;
  throw new GoodnessError('csv.rows', `${name} has too few rows of class ${JSON.stringify(classes[rare])}`, {
    expected: 'two or more, so that one can be tested',
    got: String(counts[rare]),
    fix: 'Record more rows, or remove the class.',
  });
}

function labelIndices(labels: readonly string[], classes: readonly string[], name: string): Uint8Array {
  const index = new Map(classes.map((c, k) => [c, k]));
  return Uint8Array.from(labels, (label, row) => {
    const k = index.get(label) ?? (isNumber(label) ? index.get(String(Number(label))) : undefined);
    if (k !== undefined) return k;
    throw new GoodnessError('csv.unknown-class', `row ${row + 1} of ${name} has a class that the model doesn't know`, {
      expected: classes.length > 12 ? `one of ${classes.length} classes` : classes.join(', '),
      got: JSON.stringify(label),
    });
  });
}

function rowsOf(table: Table, rows: Uint32Array): Float64Array {
  const out = new Float64Array(rows.length * table.width);
  rows.forEach((row, k) => {
    out.set(table.values.subarray(row * table.width, (row + 1) * table.width), k * table.width);
  });
  return out;
}

function isNumber(text: string): boolean {
  return text.trim() !== '' && Number.isFinite(Number(text));
}
