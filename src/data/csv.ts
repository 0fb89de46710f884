import { parse } from 'csv-parse/sync';
import { GoodnessError } from '../base/errors.js';

/** Rows of numbers with a label each, as a CSV holds them. */
export interface Table {
  /** Shape (rows, width), row by row; all finite. */
  readonly values: Float64Array;
  /** One label per row, as text. */
  readonly labels: readonly string[];
  readonly rows: number;
  /** Features per row: columns without the label. */
  readonly width: number;
  /** Names of the features, where there was a header. */
  readonly features?: readonly string[];
  /** Class whose rows were made up as negative data (see withOthers), where there are some. */
  readonly others?: string;
  /** Name of the label column, where there was a header. */
  readonly labelName?: string;
}

export interface CsvOptions {
  /** Whether the first row names the columns; default: found out from the rows. */
  readonly header?: boolean;
  /** What to call the source in messages. */
  readonly name?: string;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const MISSING = /^(nan|na|n\/a|null|none|\?|[+-]?inf(inity)?)$/i;
const LABEL = /^(label|class|target|y)$/i;

interface Line {
  readonly cells: readonly string[];
  /** Line in the file, from 1: what an editor shows. */
  readonly line: number;
}

/**
 * Parses a CSV whose last column is the label (text or number) and whose other columns are numbers. Comma, semicolon and tab
 * separate; a header is recognised by itself. Every message names the line and the column.
 * @throws GoodnessError csv.syntax, csv.empty, csv.columns, csv.ragged, csv.cell-empty, csv.nan, csv.number, csv.label
 */
export function parseCsv(text: string, options: CsvOptions = {}): Table {
  const name = options.name ?? 'the CSV';
  const lines = splitLines(text, name);
  const first = lines[0];
  if (first === undefined) throw new GoodnessError('csv.empty', `${name} is empty`, { expected: 'rows of numbers' });
  const columns = first.cells.length;
  if (columns < 2) {
    throw new GoodnessError('csv.columns', `${name} has a single column`, {
      expected: 'numbers, and the label in the last column',
      got: JSON.stringify(first.cells[0] ?? ''),
      fix: 'Separate columns by comma, semicolon or tab.',
    });
  }
  const header = (options.header ?? looksLikeHeader(lines)) ? first.cells : undefined;
  const body = header === undefined ? lines : lines.slice(1);
  if (body.length === 0) {
    throw new GoodnessError('csv.empty', `${name} has a header and no rows`, { expected: 'rows of numbers' });
  }
  const width = columns - 1;
  const values = new Float64Array(body.length * width);
  const labels: string[] = [];
  body.forEach(({ cells, line }, i) => {
    if (cells.length !== columns) {
      throw new GoodnessError('csv.ragged', `line ${line} of ${name} has another number of columns`, {
        expected: `${columns} columns, as in line ${first.line}`,
        got: `${cells.length}`,
      });
    }
    for (let j = 0; j < width; j++) values[i * width + j] = number(cells[j]!, line, j, header, name);
    const label = cells[width]!;
    if (label === '' || MISSING.test(label)) {
      throw new GoodnessError(
        'csv.label',
        `the label in line ${line}, ${columnName(width, header)} of ${name} is missing`,
        {
          expected: 'a class name or number in the last column',
          got: JSON.stringify(label),
        },
      );
    }
    labels.push(label);
  });
  const table = { values, labels, rows: body.length, width };
  return header === undefined ? table : { ...table, features: header.slice(0, width), labelName: header[width]! };
}

/** A table as CSV text with header; numbers are written with up to `digits` significant digits. */
export function formatCsv(table: Table, digits = 6): string {
  const names = table.features ?? Array.from({ length: table.width }, (_, j) => `x${j}`);
  const rows = [[...names, table.labelName ?? 'label'].map(quote).join(',')];
  for (let i = 0; i < table.rows; i++) {
    const cells = Array.from(table.values.subarray(i * table.width, (i + 1) * table.width), (v) =>
      String(Number(v.toPrecision(digits))),
    );
    cells.push(quote(table.labels[i]!));
    rows.push(cells.join(','));
  }
  return `${rows.join('\n')}\n`;
}

function quote(cell: string): string {
  return /[",;\t\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function splitLines(text: string, name: string): Line[] {
  try {
    const records = parse(text, {
      bom: true,
      delimiter: delimiterOf(text),
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as { readonly record: string[]; readonly info: { readonly lines: number } }[];
    return records.map(({ record, info }) => ({ cells: record, line: info.lines }));
  } catch (cause) {
    throw new GoodnessError('csv.syntax', `${name} can't be read as CSV`, {
      got: cause instanceof Error ? cause.message : String(cause),
      fix: 'Check quotes and that it is a text file.',
      cause,
    });
  }
}

function delimiterOf(text: string): string {
  const line = /[^\r\n]+/.exec(text)?.[0] ?? '';
  return line.includes(';') ? ';' : line.includes('\t') && !line.includes(',') ? '\t' : ',';
}

/**
 * A header is a first row without any number among its features, or one whose features are numbers (pandas writes 0, 1, 2
 * ...) while its last cell is a usual name for labels, or is text where all other labels are numbers. A first row that mixes
 * numbers and text is a row with a bad cell, and is reported as such.
 */
function looksLikeHeader(lines: readonly Line[]): boolean {
  const cells = lines[0]!.cells;
  const features = cells.slice(0, -1);
  const label = cells[cells.length - 1]!;
  if (features.every((c) => !NUMBER.test(c) && !MISSING.test(c)) && features.some((c) => c !== '')) return true;
  if (NUMBER.test(label) || !features.every((c) => NUMBER.test(c))) return false;
  return LABEL.test(label) || (lines.length > 1 && lines.slice(1).every((l) => NUMBER.test(l.cells.at(-1) ?? '')));
}

function number(cell: string, line: number, j: number, header: readonly string[] | undefined, name: string): number {
  const value = NUMBER.test(cell) ? Number(cell) : Number.NaN;
  if (Number.isFinite(value)) return value;
  const where = `line ${line}, ${columnName(j, header)} of ${name}`;
  if (cell === '') {
    throw new GoodnessError('csv.cell-empty', `the cell in ${where} is empty`, {
      expected: 'a number',
      fix: 'Fill it in or remove the row.',
    });
  }
  if (MISSING.test(cell)) {
    throw new GoodnessError('csv.nan', `the cell in ${where} is not a finite number`, {
      expected: 'a number',
      got: cell,
      fix: 'Fill it in or remove the row.',
    });
  }
  throw new GoodnessError('csv.number', `the cell in ${where} is not a number`, {
    expected: 'a number, with a point for decimals',
    got: JSON.stringify(cell.length > 40 ? `${cell.slice(0, 40)}...` : cell),
  });
}

function columnName(j: number, header: readonly string[] | undefined): string {
  return header?.[j] ? `column ${j + 1} (${header[j]})` : `column ${j + 1}`;
}
