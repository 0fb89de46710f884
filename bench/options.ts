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

/** A sweep of more seeds than this is a slip of the finger: one takes minutes. */
const MOST_SEEDS = 1000;

/**
 * Reads the words after `npm run bench:NAME --`.
 * @returns undefined if help is wanted
 * @throws Error that says which word is wrong
 */
export function readOptions(rows: readonly string[], words: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...words],
    options: {
      seeds: { type: 'string', default: '3' },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const seeds = /^\d+$/.test(values.seeds) ? Number(values.seeds) : 0;
  if (seeds < 1 || seeds > MOST_SEEDS)
    throw new Error(`--seeds takes a whole number from 1 to ${MOST_SEEDS}, not ${values.seeds}`);
  const only = values.only === '' ? [] : values.only.split(',');
  for (const row of only) {
    if (!rows.includes(row)) throw new Error(`no row is called ${row}; there are ${rows.join(', ')}`);
  }
  return { seeds, only, json: values.json, quick: values.quick };
}

/**
 * The options of this process; ends it where they are wrong, or only ask for help.
 * @param words those of the process, but for options that the bench has for itself
 * @param more how these look in the help
 */
export function benchOptions(
  name: string,
  rows: readonly string[],
  words: readonly string[] = process.argv.slice(2),
  more = '',
): BenchOptions {
  try {
    const options = readOptions(rows, words);
    if (options !== undefined) return options;
  } catch (error) {
    process.stderr.write(`bench:${name}: ${(error as Error).message}\n`);
    process.exit(2);
  }
  process.stdout.write(
    `usage: npm run bench:${name} -- [--seeds N] [--only ROW,ROW] [--json] [--quick]${more}\nrows: ${rows.join(', ')}\n`,
  );
  process.exit(0);
}

/** The middle value, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
