import { GoodnessError } from '../base/errors.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { padded } from './model.js';

/** What is kept of the learned samples of one class. */
export interface ClassSummary {
  readonly count: number;
  /** Mean of each raw input, Q8 (rawInputs). */
  readonly means: Uint16Array;
  /** Mean square of each raw input, Q0 (rawInputs); empty at level 1. */
  readonly squares: Uint16Array;
}

/** Per-class statistics of a device's inputs (SPEC.md, "Class statistics"). */
export interface ClassStatistics {
  /** 1 means, 2 means and squares. */
  readonly level: 1 | 2;
  readonly rawInputs: number;
  readonly classes: readonly ClassSummary[];
}

/** Bytes of the region. */
export function classStatisticsLength(level: 0 | 1 | 2, classes: number, rawInputs: number): number {
  return level === 0 ? 0 : 4 + classes * padded(4 + 2 * level * rawInputs);
}

export function encodeClassStatistics(statistics: ClassStatistics): Uint8Array {
  const { level, rawInputs, classes } = statistics;
  const w = new ByteWriter(classStatisticsLength(level, classes.length, rawInputs), 'statistics');
  w.u8(level, 'level').u8(classes.length, 'classes').u16(rawInputs, 'raw inputs');
  for (const summary of classes) {
    w.u32(summary.count, 'count');
    for (const mean of summary.means) w.u16(mean, 'mean');
    for (const square of summary.squares) w.u16(square, 'square');
    w.at = padded(w.at);
  }
  return w.bytes;
}

/** @throws GoodnessError `statistics.length`, `statistics.level` */
export function decodeClassStatistics(bytes: Uint8Array): ClassStatistics {
  const r = new ByteReader(bytes, 'statistics');
  const level = r.u8();
  if (level !== 1 && level !== 2) {
    throw new GoodnessError('statistics.level', 'unknown level of statistics', {
      expected: '1 or 2',
      got: String(level),
    });
  }
  const count = r.u8();
  const rawInputs = r.u16();
  const values = (n: number): Uint16Array => {
    const list = new Uint16Array(n);
    for (let i = 0; i < n; i++) list[i] = r.u16();
    return list;
  };
  const classes = Array.from({ length: count }, (): ClassSummary => {
    const summary = { count: r.u32(), means: values(rawInputs), squares: values(level === 2 ? rawInputs : 0) };
    const length = 4 + 2 * level * rawInputs;
    r.raw(padded(length) - length);
    return summary;
  });
  r.end();
  return { level, rawInputs, classes };
}
