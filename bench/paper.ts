/**
 * Hinton's table beside ours: `npm run bench:paper -- [--only ROW,ROW] [--seeds N] [--threads N] [--json] [--quick]`. Every row is a recipe in bench/paper,
 * trained by the command of the package itself, so that `goodness train --config bench/paper/ROW.json` gives the same figures. --quick trains small
 * networks on few samples for half a minute each: it says whether everything works, not how well. The whole table takes hours; bench/PAPER.md has it.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchOptions, median } from './options.js';
import { PAPER_ROWS, type PaperRow } from './paper-rows.js';

/** What a training of the package says of itself, as far as it matters here. */
interface Said {
  readonly layers: string;
  readonly samples: number;
  readonly seed: number;
  readonly epochs: number;
  readonly seconds: number;
  readonly float: Readonly<Record<string, number | undefined>>;
}

interface Turn {
  readonly seed: number;
  readonly seconds: number;
  readonly error: number;
  /** Other figures of the row, in percent. */
  readonly beside: Readonly<Record<string, number>>;
}

interface Result extends Omit<PaperRow, 'quick' | 'figure' | 'beside'> {
  readonly layers: string;
  readonly samples: number;
  readonly epochs: number;
  /** Medians. */
  readonly error: number;
  readonly seconds: number;
  readonly turns: readonly Turn[];
  readonly command: string;
}

const words = process.argv.slice(2);
const own = parseArgs({ args: words, options: { threads: { type: 'string' } }, strict: false, tokens: true });
const taken = own.tokens.flatMap((token) =>
  token.kind === 'option' && token.name === 'threads' ? [token.index, token.inlineValue ? -1 : token.index + 1] : [],
);
const rest = words.filter((_, index) => !taken.includes(index));
// A row takes up to an hour: one seed is what people have the patience for.
const seeds = rest.some((word) => word.startsWith('--seeds')) ? [] : ['--seeds', '1'];
const names = PAPER_ROWS.map(({ name }) => name);
const options = benchOptions('paper', names, [...rest, ...seeds], ' [--threads N]');
const threads = own.values.threads === undefined ? [] : ['--threads', String(own.values.threads)];

const say = (text: string): void => void process.stderr.write(`bench:paper: ${text}\n`);
const package_ = dirname(dirname(new URL(import.meta.resolve('goodness')).pathname));

/** Standard output of a program that must succeed; what it has to say besides goes on to the person. */
function run(words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, { cwd: package_, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(text);
      else reject(new Error(`goodness ${words.slice(1).join(' ')} ended with ${code}`));
    });
  });
}

async function train(row: PaperRow, seed: number): Promise<Said> {
  const out = join(package_, 'build/paper', `${row.name}-${seed}`);
  mkdirSync(dirname(out), { recursive: true });
  const recipe = join(package_, 'bench/paper', `${row.name}.json`);
  const quick = options.quick ? row.quick : [];
  const command = [join(package_, 'dist/cli/main.js'), 'train', '--config', recipe, '--seed', String(seed), ...quick];
  return JSON.parse(await run([...command, ...threads, '--out', out, '--json'])) as Said;
}

const results: Result[] = [];
for (const row of PAPER_ROWS) {
  if (options.only.length > 0 && !options.only.includes(row.name)) continue;
  const { quick: _, figure, beside, ...shown } = row;
  const turns: Turn[] = [];
  let said: Said | undefined;
  for (let seed = 1; seed <= options.seeds; seed++) {
    try {
      said = await train(row, seed);
    } catch (error) {
      say((error as Error).message);
      process.exit(1);
    }
    const { float, seconds } = said;
    const others = Object.entries(beside).flatMap(([text, name]) =>
      float[name] === undefined ? [] : [[text, float[name]] as const],
    );
    turns.push({ seed, seconds, error: float[figure]!, beside: Object.fromEntries(others) });
    say(`${row.name}, seed ${seed}: ${float[figure]!.toFixed(2)}% in ${Math.round(seconds)} s`);
  }
  const { layers, samples, epochs } = said!;
  results.push({
    ...shown,
    layers,
    samples,
    epochs,
    error: median(turns.map((turn) => turn.error)),
    seconds: median(turns.map((turn) => turn.seconds)),
    turns,
    command: `npm run bench:paper -- --only ${row.name}${options.quick ? ' --quick' : ''}`,
  });
}

const machine = { processor: cpus()[0]!.model, processors: availableParallelism(), load: loadavg()[1]! };
const version = (JSON.parse(readFileSync(join(package_, 'package.json'), 'utf8')) as { version: string }).version;
if (options.json) {
  process.stdout.write(
    `${JSON.stringify({ bench: 'paper', version, quick: options.quick, machine, rows: results })}\n`,
  );
} else print();

function print(): void {
  const out = [
    `${machine.processors} x ${machine.processor}, load average ${machine.load.toFixed(1)}${options.quick ? '; --quick: these errors only say that it works' : ''}`,
    '',
    '| experiment | paper | ours (each seed) | network, samples | epochs | seconds | command |',
    '|---|---|---|---|---|---|---|',
  ];
  for (const { experiment, paper, error, turns, layers, samples, epochs, seconds, command } of results) {
    const each = turns.map((turn) => {
      const more = Object.entries(turn.beside).map(([text, value]) => `, ${text} ${value.toFixed(2)}`);
      return `${turn.error.toFixed(2)}${more.join('')}`;
    });
    out.push(
      `| ${experiment} | ${paper} | **${error.toFixed(2)}%** (${each.join('; ')}) | ${layers}, ${samples} | ${epochs} | ${Math.round(seconds)} | \`${command}\` |`,
    );
  }
  process.stdout.write(`${out.join('\n')}\n`);
}
