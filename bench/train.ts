/**
 * How fast training is: `npm run bench:train -- [--only small,wide] [--seeds N] [--json] [--quick] [--python PATH]`. The trainer on each of its
 * backends, and PyTorch with the same recipe (bench/peers/torch_train.py), take turns at an epoch of MNIST in batches of 100 from new weights, once
 * per seed. The median of their samples per second counts, since a machine is never all idle; processor time per sample stands beside it. The error
 * after that epoch shows that both learned the same thing.
 *
 * PyTorch needs a Python that has it: --python, GOODNESS_PYTHON, or build/torch (bench/TRAIN.md says how to make that). Without, the trainer is measured alone.
 */
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type Backend, evaluateNetwork, loadMnist, selectBackend, slice, Trainer } from 'goodness';
import { library } from './library.js';
import { benchOptions, median } from './options.js';
import { Torch, torchPython } from './peers/torch.js';

type Config = typeof import('../dist/train/config.js');
type Forward = typeof import('../dist/train/forward.js');
const { shapeFor } = await library<Config>('train/config');
const { backendProduct } = await library<Forward>('train/forward');

const NETS: Readonly<Record<string, readonly number[]>> = { small: [120, 120], wide: [1000, 1000, 1000] };
const BATCH = 100;
/** Samples of the training that comes before those that count. */
const WARM_UP = 5000;

/** One training that was measured. */
interface Turn {
  readonly samplesPerSecond: number;
  readonly cpuMicroseconds: number;
  readonly error: number;
}

/** All trainings of one contender: medians, and each. */
interface Result extends Turn {
  readonly name: string;
  readonly what: string;
  readonly turns: readonly Turn[];
}

interface NetRow {
  readonly name: string;
  readonly net: string;
  readonly samples: number;
  readonly batch: number;
  /** Samples per second of the best of ours over those of the best of PyTorch. */
  readonly ratio: number | undefined;
  readonly results: readonly Result[];
}

/** Somebody who trains. */
interface Contender {
  readonly name: string;
  readonly what: string;
  train(hidden: readonly number[], samples: number, seed: number): Promise<Turn>;
}

const words = process.argv.slice(2);
const { values, tokens } = parseArgs({
  args: words,
  options: { python: { type: 'string' } },
  strict: false,
  tokens: true,
});
const own = tokens.filter((token) => token.kind === 'option' && token.name === 'python');
const taken = new Set(own.flatMap((t) => (t.kind === 'option' && !t.inlineValue ? [t.index, t.index + 1] : [t.index])));
const options = benchOptions(
  'train',
  Object.keys(NETS),
  words.filter((_, index) => !taken.has(index)),
  ' [--python PATH]',
);

const mnist = await loadMnist();
const cores = availableParallelism();
const say = (text: string): void => void process.stderr.write(`bench:train: ${text}\n`);

function ours(name: string, backend: Backend, what: string): Contender {
  return {
    name,
    what,
    async train(hidden, samples, seed) {
      const data = slice(mnist.train, 0, samples);
      const geometry = mnist.train.geometry!;
      const trainer = new Trainer({ backend, seed, shape: shapeFor(mnist.train, { hidden }), geometry });
      const cpu = process.cpuUsage();
      const begin = performance.now();
      await trainer.fit(data, { epochs: 1, batch: BATCH });
      const seconds = (performance.now() - begin) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      const { error } = evaluateNetwork(trainer.network(), mnist.test, { product: backendProduct(backend) });
      return { samplesPerSecond: samples / seconds, cpuMicroseconds: (user + system) / samples, error };
    },
  };
}

function theirs(name: string, torch: Torch): Contender {
  const { about } = torch;
  return {
    name,
    what: `PyTorch ${about.torch}, ${about.how}, ${about.threads} thread${about.threads > 1 ? 's' : ''}`,
    async train(hidden, samples, seed) {
      const request = { hidden, samples, batch: BATCH, steps: Math.ceil(samples / BATCH), seed };
      const { seconds, cpuSeconds, error } = await torch.train(request);
      return { samplesPerSecond: samples / seconds, cpuMicroseconds: (cpuSeconds * 1e6) / samples, error };
    },
  };
}

/** Each backend that loads, and PyTorch where there is one; with all processors and with one. */
async function contenders(stops: (() => void)[]): Promise<Contender[]> {
  const all: Contender[] = [];
  for (const threads of new Set([cores, 1])) {
    const backend = await selectBackend('simd', { threads });
    const name = threads === 1 && cores > 1 ? 'simd-1' : 'simd';
    all.push(ours(name, backend, `Goodness, backend simd, ${threads} thread${threads > 1 ? 's' : ''}`));
  }
  for (const name of ['node', 'wasm'] as const) {
    try {
      all.push(ours(name, await selectBackend(name), `Goodness, backend ${name} (TensorFlow.js)`));
    } catch (error) {
      say(`without the backend ${name}: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  const python = torchPython(values.python as string | undefined);
  if (python === undefined) {
    say('without PyTorch: no --python, no GOODNESS_PYTHON, no build/torch (see bench/TRAIN.md)');
    return all;
  }
  for (const threads of new Set([cores, 1])) {
    const torch = await Torch.start(python, threads);
    stops.push(() => torch.stop());
    all.push(theirs(threads === 1 && cores > 1 ? 'torch-1' : 'torch', torch));
  }
  return all;
}

const stops: (() => void)[] = [];
const field = await contenders(stops);
const samples = options.quick ? 3000 : 60_000;
const rows: NetRow[] = [];
for (const [name, hidden] of Object.entries(NETS)) {
  if (options.only.length > 0 && !options.only.includes(name)) continue;
  const turns = new Map<Contender, Turn[]>(field.map((contender) => [contender, []]));
  // The first steps compile: V8 while it runs, PyTorch before.
  for (const contender of field) await contender.train(hidden, WARM_UP, 1);
  for (let seed = 1; seed <= (options.quick ? 1 : options.seeds); seed++) {
    for (const contender of field) {
      const turn = await contender.train(hidden, samples, seed);
      turns.get(contender)!.push(turn);
      say(`784-${hidden.join('-')} seed ${seed} ${contender.name}: ${Math.round(turn.samplesPerSecond)}/s`);
    }
  }
  const results = field.map((contender): Result => {
    const all = turns.get(contender)!;
    const of = (key: keyof Turn): number => median(all.map((turn) => turn[key]));
    return {
      name: contender.name,
      what: contender.what,
      samplesPerSecond: of('samplesPerSecond'),
      cpuMicroseconds: of('cpuMicroseconds'),
      error: of('error'),
      turns: all,
    };
  });
  const best = (test: (name: string) => boolean): number | undefined => {
    const speeds = results.filter((r) => test(r.name)).map((r) => r.samplesPerSecond);
    return speeds.length > 0 ? Math.max(...speeds) : undefined;
  };
  const torch = best((n) => n.startsWith('torch'));
  const ratio = torch === undefined ? undefined : best((n) => !n.startsWith('torch'))! / torch;
  rows.push({ name, net: `784-${hidden.join('-')}`, samples, batch: BATCH, ratio, results });
}
for (const stop of stops) stop();

const machine = { processor: cpus()[0]!.model, processors: cores, load: loadavg()[1]! };
if (options.json) process.stdout.write(`${JSON.stringify({ bench: 'train', machine, rows })}\n`);
else print();

function print(): void {
  const out: string[] = [`${machine.processors} x ${machine.processor}, load average ${machine.load.toFixed(1)}`, ''];
  for (const { net, ratio, results } of rows) {
    out.push(
      `| ${net} | samples/s (each run) | processor time per sample | error after the epoch |`,
      '|---|---|---|---|',
    );
    for (const { what, samplesPerSecond, cpuMicroseconds, error, turns } of results) {
      const runs = turns.map((turn) => Math.round(turn.samplesPerSecond)).join(', ');
      out.push(
        `| ${what} | **${Math.round(samplesPerSecond)}** (${runs}) | ${cpuMicroseconds.toFixed(1)} us | ${error.toFixed(2)}% |`,
      );
    }
    out.push(
      '',
      ratio === undefined ? 'PyTorch was not there.' : `Ours / PyTorch, the best of each: ${ratio.toFixed(2)}`,
      '',
    );
  }
  process.stdout.write(out.join('\n'));
}
