/**
 * Positive and negative phases that lie apart in time: `npm run bench:phases -- [--seeds N] [--only plain,...] [--json] [--quick]`.
 * Each row is a recipe, each column a length of the phases; every run takes the same number of steps, and the rate stays as it is, so
 * that the last phases count as much as the first.
 */
import {
  type Backend,
  type Dataset,
  evaluateNetwork,
  loadMnist,
  type ObjectiveName,
  type PartialTrainConfig,
  phaseAt,
  Random,
  select,
  selectBackend,
  shapeFor,
  slice,
  Trainer,
  type TrainTest,
} from 'goodness';
import { benchOptions, median } from './options.js';

/** What is trained in a row, and how. */
interface RecipeRow {
  readonly what: string;
  readonly objective: ObjectiveName;
  readonly hidden: readonly number[];
  readonly config: PartialTrainConfig;
}

const PARTITIONED = { objective: 'partitioned', hidden: [120, 120] } as const;
const LABEL = { objective: 'label', hidden: [200, 200] } as const;
/** Without the cross-entropy, which compares both sides in every step. */
const FORWARD_FORWARD: PartialTrainConfig = { loss: { contrast: 0 } };
/** A network with the label in its input learns badly where the label may be dropped. */
const WHOLE: PartialTrainConfig = { negatives: 'random', dropout: 0, inputDropout: 0 };

function partitioned(what: string, config: PartialTrainConfig): RecipeRow {
  return { what, ...PARTITIONED, config: { ...FORWARD_FORWARD, ...config } };
}

function label(what: string, config: PartialTrainConfig): RecipeRow {
  return { what, ...LABEL, config: { ...WHOLE, ...config } };
}

const ROWS: Readonly<Record<string, RecipeRow>> = {
  plain: partitioned('Adam 1e-3', { learningRate: 1e-3 }),
  low: partitioned('Adam 1e-4', { learningRate: 1e-4 }),
  sgd: partitioned('gradient descent 0.02, momentum 0.9', {
    optimizer: { kind: 'sgd', momentum: 0.9 },
    learningRate: 0.02,
  }),
  momentum: partitioned('gradient descent 2e-5, momentum 0.9999', {
    optimizer: { kind: 'sgd', momentum: 0.9999 },
    learningRate: 2e-5,
  }),
  norm: partitioned('Adam 1e-4, lengths of weights kept', { learningRate: 1e-4, stabilisers: { norm: 'neuron' } }),
  follow: partitioned('Adam 1e-4, thresholds follow', {
    learningRate: 1e-4,
    threshold: { kind: 'follow', rate: 0.02 },
  }),
  centred: partitioned('Adam 1e-3, centred inputs', { learningRate: 1e-3, stabilisers: { centring: 1 } }),
  'centred-low': partitioned('Adam 1e-4, centred inputs', { learningRate: 1e-4, stabilisers: { centring: 1 } }),
  settled: partitioned('Adam 1e-4, centred inputs, margin 0.25', {
    learningRate: 1e-4,
    stabilisers: { centring: 1, margin: 0.25 },
  }),
  'label-plain': label('Adam 1e-3', { learningRate: 1e-3 }),
  'label-momentum': label('gradient descent 2e-5, momentum 0.9999', {
    optimizer: { kind: 'sgd', momentum: 0.9999 },
    learningRate: 2e-5,
  }),
  'label-centred': label('Adam 3e-4, centred inputs', { learningRate: 3e-4, stabilisers: { centring: 1 } }),
  'label-settled': label('Adam 3e-4, centred inputs, margin 0.25', {
    learningRate: 3e-4,
    stabilisers: { centring: 1, margin: 0.25 },
  }),
};

/** Rows that are tried with phases of different lengths. */
const RATIO_ROWS = ['plain', 'settled'] as const;
/** Steps of a positive and a negative phase together, and the parts of both. */
const RATIO_CYCLE = 512;
const RATIOS = [
  [1, 15],
  [1, 3],
  [1, 1],
  [3, 1],
  [15, 1],
] as const;

interface Lab {
  readonly backend: Backend;
  readonly train: Dataset;
  readonly test: Dataset;
  readonly steps: number;
  readonly batch: number;
}

/** Errors in percent of the test images. */
interface Outcome {
  readonly positive: number;
  readonly negative: number;
  /** In the end, which is that of a negative phase. */
  readonly error: number;
  /** At the end of the positive phase before it; that in the end where both are interleaved. */
  readonly afterPositive: number;
}

/** Trains with phases of so many steps; 0 and 0 for both in every step. */
function trained(lab: Lab, row: RecipeRow, positive: number, negative: number, seed: number): Outcome {
  const { backend, train, test, batch } = lab;
  const { objective, hidden, config } = row;
  const cycle = positive + negative;
  const trainer = new Trainer({
    backend,
    seed,
    shape: shapeFor(train, { hidden, objective }),
    geometry: train.geometry!,
    config: { ...config, ...(cycle === 0 ? {} : { phases: { kind: 'separated', positive, negative } }) },
  });
  const error = (): number => evaluateNetwork(trainer.network(), test, { product: trainer.product }).error;
  const random = new Random(seed);
  const steps = cycle === 0 ? lab.steps : Math.max(1, Math.round(lab.steps / cycle)) * cycle;
  let order: Uint32Array = new Uint32Array(0);
  let at = 0;
  let afterPositive: number | undefined;
  for (let step = 0; step < steps; step++) {
    if (at + batch > order.length) {
      order = random.permutation(train.count);
      at = 0;
    }
    const part = select(train, order.subarray(at, at + batch));
    at += batch;
    if (cycle > 0 && step === steps - negative) afterPositive = error();
    trainer.step(part.inputs, part.labels, trainer.config.learningRate, {
      phase: phaseAt(trainer.config.phases, step),
    });
  }
  const last = error();
  return { positive, negative, error: last, afterPositive: afterPositive ?? last };
}

/** All of MNIST by the recipe that stands long phases best, with its usual schedule, beside the same without phases. */
async function whole(lab: Lab, mnist: TrainTest, quick: boolean, seed: number): Promise<Outcome[]> {
  const train = quick ? lab.train : mnist.train;
  const test = quick ? lab.test : mnist.test;
  const epochs = quick ? 2 : 40;
  const length = quick ? 5 : 1000;
  const outcomes: Outcome[] = [];
  for (const steps of [0, length]) {
    const trainer = new Trainer({
      backend: lab.backend,
      seed,
      shape: shapeFor(train, { hidden: PARTITIONED.hidden }),
      geometry: train.geometry!,
      config: {
        ...ROWS.settled!.config,
        schedule: { decay: 'constant', warmup: 0 },
        ...(steps === 0 ? {} : { phases: { kind: 'separated', positive: steps, negative: steps } }),
      },
    });
    await trainer.fit(train, { epochs, batch: lab.batch });
    const { error } = evaluateNetwork(trainer.network(), test, { product: trainer.product });
    outcomes.push({ positive: steps, negative: steps, error, afterPositive: error });
  }
  return outcomes;
}

interface BenchRow {
  readonly name: string;
  readonly what: string;
  readonly outcomes: readonly Outcome[];
  readonly seconds: number;
}

/** Medians of the seeds, outcome by outcome. */
function medians(runs: readonly (readonly Outcome[])[]): Outcome[] {
  return runs[0]!.map((first, k) => ({
    ...first,
    error: round(median(runs.map((run) => run[k]!.error))),
    afterPositive: round(median(runs.map((run) => run[k]!.afterPositive))),
  }));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function print(title: string, rows: readonly BenchRow[]): void {
  if (rows.length === 0) return;
  const columns = rows[0]!.outcomes.map(({ positive, negative }) =>
    positive === 0 ? 'interleaved' : positive === negative ? String(positive) : `${positive} : ${negative}`,
  );
  process.stdout.write(
    `\n${title}\n\n| row | recipe | ${columns.join(' | ')} |\n|---|---|${columns.map(() => '---|').join('')}\n`,
  );
  for (const { name, what, outcomes } of rows) {
    const cells = outcomes.map(({ positive, error, afterPositive }) =>
      positive === 0 ? error.toFixed(1) : `${error.toFixed(1)} (${afterPositive.toFixed(1)})`,
    );
    process.stdout.write(`| ${name} | ${what} | ${cells.join(' | ')} |\n`);
  }
}

async function main(): Promise<void> {
  const names = [...Object.keys(ROWS), ...RATIO_ROWS.map((row) => `ratio-${row}`), 'whole'];
  const { seeds, only, json, quick } = benchOptions('phases', names, process.argv.slice(2), '', 1);
  const wanted = (name: string): boolean => only.length === 0 || only.includes(name);
  const backend = await selectBackend();
  const mnist = await loadMnist();
  const lab: Lab = {
    backend,
    train: slice(mnist.train, 0, quick ? 2000 : 20000),
    test: slice(mnist.test, 0, quick ? 500 : 10000),
    steps: quick ? 128 : 4096,
    batch: 100,
  };
  const lengths = quick ? [0, 4, 64] : [0, 1, 4, 16, 64, 256, 1024, 2048];
  const map: BenchRow[] = [];
  const ratios: BenchRow[] = [];
  const all: BenchRow[] = [];
  const measure = async (
    into: BenchRow[],
    name: string,
    what: string,
    run: (seed: number) => Outcome[] | Promise<Outcome[]>,
  ): Promise<void> => {
    if (!wanted(name)) return;
    const start = performance.now();
    const runs: Outcome[][] = [];
    for (let seed = 1; seed <= seeds; seed++) runs.push(await run(seed));
    const row = { name, what, outcomes: medians(runs), seconds: Math.round((performance.now() - start) / 1000) };
    into.push(row);
    process.stderr.write(
      `${name}: ${row.outcomes.map(({ error }) => error.toFixed(1)).join(' ')} (${row.seconds} s)\n`,
    );
  };
  for (const [name, row] of Object.entries(ROWS)) {
    await measure(map, name, row.what, (seed) => lengths.map((length) => trained(lab, row, length, length, seed)));
  }
  for (const name of RATIO_ROWS) {
    const row = ROWS[name]!;
    const cycle = quick ? 32 : RATIO_CYCLE;
    await measure(ratios, `ratio-${name}`, row.what, (seed) =>
      RATIOS.map(([a, b]) => trained(lab, row, (cycle * a) / (a + b), (cycle * b) / (a + b), seed)),
    );
  }
  await measure(all, 'whole', `all of MNIST, ${ROWS.settled!.what}`, (seed) => whole(lab, mnist, quick, seed));
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ backend: backend.name, quick, seeds, steps: lab.steps, map, ratios, whole: all })}\n`,
    );
    return;
  }
  print('Error in % by steps of a phase (at the end of the positive phase before)', map);
  print('Error in % by steps of positive : negative phases', ratios);
  print('All of MNIST', all);
}

await main();
