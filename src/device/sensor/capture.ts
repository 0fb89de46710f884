import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { GoodnessError } from '../../base/errors.js';
import { type FeatureKind, featureNames, featuresOf } from './features.js';
import { type RecordOptions, type RecordReport, record } from './recorder.js';
import type { SampleSource } from './source.js';

export interface CaptureOptions extends RecordOptions {
  /** Class of the rows: what the sensor senses meanwhile. */
  readonly label: string;
  /** CSV to write. */
  readonly out: string;
  /** Add to the file if it is there; else a file that is there is left alone and refused. */
  readonly append?: boolean;
  /** What becomes of a window; `raw` if left out. */
  readonly features?: FeatureKind;
  readonly onWindow?: (done: number) => void;
}

/**
 * Records labelled windows into a CSV that `goodness train` takes as it is: a header, one row per window, the label last. Each row is written
 * whole when its window is complete, so whatever ends the program, the file is good.
 *
 * @throws GoodnessError `capture.exists`, `capture.header` if the file holds other columns, `capture.label`, and what the source throws
 */
export async function capture(source: SampleSource, options: CaptureOptions): Promise<RecordReport> {
  const { label, out, length, append = false, features: kind = 'raw', onWindow, ...rest } = options;
  const plan = { kind, channels: source.channels, length };
  const file = await openCsv(source, out, [...featureNames(plan), 'label'], label, append);
  try {
    return await record(source, { ...rest, length }, (window, index) => {
      appendFileSync(file, `${[...Array.from(featuresOf(plan, window), text), cell(label)].join(',')}\n`);
      onWindow?.(index + 1);
    });
  } finally {
    fsyncSync(file);
    closeSync(file);
  }
}

/** Opens the CSV for rows: new with its header, or an existing one with the same header. Whatever is wrong frees the sensor. */
async function openCsv(
  source: SampleSource,
  path: string,
  columns: readonly string[],
  label: string,
  append: boolean,
): Promise<number> {
  try {
    if (label.trim() === '' || label !== label.trim() || /[\r\n]/.test(label)) {
      throw new GoodnessError('capture.label', 'a label is a word or a few, on one line', {
        got: JSON.stringify(label),
      });
    }
    const header = columns.map(cell).join(',');
    if (existsSync(path) && statSync(path).size > 0) {
      if (!append) {
        throw new GoodnessError('capture.exists', `${path} is there already`, {
          fix: 'Add to it with --append, or name another file with --out.',
        });
      }
      checkHeader(path, header, columns.length);
      return openSync(path, 'a');
    }
    const file = openSync(path, 'a');
    appendFileSync(file, `${header}\n`);
    return file;
  } catch (error) {
    await source.close();
    throw error;
  }
}

function checkHeader(path: string, header: string, columns: number): void {
  const text = readFileSync(path, 'utf8');
  const first = text.slice(0, Math.max(0, text.indexOf('\n'))).trimEnd();
  if (first !== header) {
    throw new GoodnessError('capture.header', `${path} holds other columns`, {
      expected: `${columns} columns: ${header.slice(0, 60)}${header.length > 60 ? '...' : ''}`,
      got: `${first.split(',').length} columns: ${first.slice(0, 60)}${first.length > 60 ? '...' : ''}`,
      fix: 'Use the same sensor, pins and --window as before, or another file.',
    });
  }
  // A row that a crash cut off has no end of line: it would swallow the next one.
  if (!text.endsWith('\n')) truncateSync(path, Buffer.byteLength(text.slice(0, text.lastIndexOf('\n') + 1)));
}

/** Up to 6 significant digits: more than any of these converters has. */
function text(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function cell(value: string): string {
  return /[",;\t]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
