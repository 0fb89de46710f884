import { parseArgs } from 'node:util';

/** Options that all benches share. */
export interface BenchOptions {
  /** Runs with seeds 1 to this. */
  readonly seeds: number;
  /** Names of the rows to run; all if empty. */
  readonly only: readonly string[];
  /** One JSON line on standard output instead of a table. */
  readonly json: boolean;
  /** Small settings that say whether it works, not how well. */
  readonly quick: boolean;
}

export function benchOptions(name: string, rows: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '3' },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(
      `usage: npm run bench:${name} -- [--seeds N] [--only ROW,ROW] [--json] [--quick]\nrows: ${rows.join(', ')}\n`,
    );
    process.exit(0);
  }
  const only = values.only === '' ? [] : values.only.split(',');
  for (const row of only) {
    if (rows.includes(row)) continue;
    process.stderr.write(`bench:${name}: no row is called ${row}; there are ${rows.join(', ')}\n`);
    process.exit(2);
  }
  return { seeds: Number(values.seeds), only, json: values.json, quick: values.quick };
}

/** The middle value, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
