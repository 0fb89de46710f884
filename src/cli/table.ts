import type { Colors } from './output.js';

/** A column: its heading, and whether numbers stand in it, which are aligned to the right. */
export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

/** A table for people: columns two spaces apart, the heading in bold, no spaces at the ends of lines. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], c: Colors): string {
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ right }, i) => (right ? (cells[i] ?? '').padStart(widths[i]!) : (cells[i] ?? '').padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [c.bold(line(columns.map(({ title }) => title))), ...rows.map(line)].join('\n');
}

/** A number of bytes for people: 512 B, 16 KB, 1 MB; exact, so that it is only shortened where nothing is lost. */
export function bytes(count: number | undefined): string {
  if (count === undefined) return '-';
  for (const [unit, size] of [
    ['MB', 1024 * 1024],
    ['KB', 1024],
  ] as const) {
    if (count >= size && count % size === 0) return `${count / size} ${unit}`;
  }
  return `${count} B`;
}
