/** Figures of one run, by name; in percent unless the row says otherwise. */
export type Figures = Record<string, number>;

export interface Row {
  readonly name: string;
  readonly what: string;
  readonly target: string;
  readonly seconds: number;
  readonly median: Figures;
  readonly runs: readonly Figures[];
}

/** The rows as a Markdown table on standard output: medians, with all runs in brackets. */
export function printRows(rows: readonly Row[]): void {
  process.stdout.write('| row | what | target | median (runs) |\n|---|---|---|---|\n');
  for (const { name, what, target, median, runs } of rows) {
    const cells = Object.entries(median).map(
      ([key, value]) => `${key} **${round(value)}** (${runs.map((r) => round(r[key]!)).join(', ')})`,
    );
    process.stdout.write(`| ${name} | ${what} | ${target} | ${cells.join('; ')} |\n`);
  }
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}
