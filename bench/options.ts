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

/** Seeds that most benches take the median of. */
const SEEDS = 3;

/**
 * Reads the words after `npm run bench:NAME --`.
 * @param seeds if no word says how many
 * @returns undefined if help is wanted
 * @throws Error that says which word is wrong
 */
export function readOptions(
  rows: readonly string[],
  words: readonly string[],
  seeds = SEEDS,
): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...words],
    options: {
      seeds: { type: 'string', default: String(seeds) },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const runs = /^\d+$/.test(values.seeds) ? Number(values.seeds) : 0;
  if (runs < 1 || runs > MOST_SEEDS)
    throw new Error(`--seeds takes a whole number from 1 to ${MOST_SEEDS}, not ${values.seeds}`);
  const only = values.only === '' ? [] : values.only.split(',');
  for (const row of only) {
    if (!rows.includes(row)) throw new Error(`no row is called ${row}; there are ${rows.join(', ')}`);
  }
  return { seeds: runs, only, json: values.json, quick: values.quick };
}

/**
 * The options of this process; ends it where they are wrong, or only ask for help.
 * @param words those of the process, but for options that the bench has for itself
 * @param more how these look in the help
 * @param seeds if no word says how many
 */
export function benchOptions(
  name: string,
  rows: readonly string[],
  words: readonly string[] = process.argv.slice(2),
  more = '',
  seeds = SEEDS,
): BenchOptions {
  try {
    const options = readOptions(rows, words, seeds);
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
