/**
 * How well devices adapt: `npm run bench:adapt -- [--seeds N] [--only rot30,...] [--json] [--quick]`. Everything after training is computed by the
 * firmware core (WebAssembly) from the int8 image; syncs are those of `goodness sync`. Medians over the seeds; bench/ADAPT.md holds the last full run.
 */
import {
  type AnswerOptions,
  applyShift,
  CoreLearner,
  type Dataset,
  encodeImage,
  encodeTable,
  fitScaling,
  flashModel,
  GESTURES,
  generateGestures,
  loadMnist,
  type Model,
  openTransport,
  PRESETS,
  pool as poolImages,
  runSchedule,
  Session,
  type Stop,
  sample,
  select,
  selectBackend,
  selectClasses,
  slice,
  splitTable,
  startNativeBoard,
  verifyLearning,
  verifyModel,
  WasmCore,
} from 'goodness';
import { type Base, baseModel } from './base-model.js';
import { HOST, type MnistLab, mnistBase } from './mnist-base.js';
import { benchOptions, median } from './options.js';
import { presetBase } from './preset-base.js';
import { type Figures, printRows, type Row } from './table.js';

type Lab = MnistLab;

type Runner = (lab: Lab, seed: number) => Promise<Figures>;

async function baseline(lab: Lab, seed: number): Promise<Figures> {
  const { model, floatError } = await mnistBase(lab, 1, seed, 60000);
  const device = await CoreLearner.create(model, syncOptions(lab, lab.mnist.train, 1, seed));
  const { error, falseReject, falseAccept } = await device.evaluate(lab.mnist.test);
  return { float: floatError, int8: error, falseReject, falseAccept };
}

function syncOptions(lab: Lab, host: Dataset, pool: number, seed: number): AnswerOptions {
  return { backend: lab.backend, host, pool, seed };
}

/** 784-120-120 or 196-120-120 on a shifted stream. */
function adapt(shift: string, pool: number, stops: readonly Stop[], hides = false): Runner {
  return follow((lab, seed) => mnistBase(lab, pool, seed), shift, pool, stops, hides);
}

/** A preset's network on a shifted stream. */
function adaptPreset(name: string, shift: string, stops: readonly Stop[]): Runner {
  return follow((lab, seed) => presetBase(lab, name, seed, HOST), shift, PRESETS[name]!.recipe.pool ?? 1, stops);
}

/** Learns a shifted stream with stops and syncs; a control along with it where there are syncs. */
function follow(
  base: (lab: Lab, seed: number) => Promise<Base>,
  shift: string,
  pool: number,
  stops: readonly Stop[],
  hides = false,
): Runner {
  return async (lab, seed) => {
    const { model } = await base(lab, seed);
    const look = (d: Dataset): Dataset => poolImages(applyShift(d, shift, 1000 + seed), pool);
    const host = slice(lab.mnist.train, 0, lab.quick ? 6000 : HOST);
    const options = { ...syncOptions(lab, host, pool, seed), hides };
    const device = await CoreLearner.create(model, options);
    const synced = stops.some((s) => s.sync);
    const control = synced ? await CoreLearner.control(model, options) : undefined;
    const last = stops.at(-1)!.samples;
    const data = {
      stream: look(slice(lab.mnist.train, HOST, HOST + last)),
      shifted: look(lab.mnist.test),
      clean: poolImages(lab.mnist.test, pool),
    };
    return figures(await runSchedule(device, control, data, stops));
  };
}

function figures(result: Awaited<ReturnType<typeof runSchedule>>): Figures {
  const out: Figures = { frozen: result.frozenError };
  for (const point of result.learn) {
    out[`at${point.samples}`] = point.error;
    out[`at${point.samples}FalseAccept`] = point.falseAccept;
  }
  result.syncs.forEach((sync, k) => {
    const name = `sync${k + 1}`;
    out[name] = sync.error;
    out[`${name}Control`] = sync.controlError;
    out[`${name}FalseAccept`] = sync.falseAccept;
    out[`${name}Clean`] = sync.cleanError;
    const { proxy } = result.reports[k]!;
    if (proxy !== undefined) out[`${name}Misfit`] = proxy.misfit;
  });
  return out;
}

async function gestures(lab: Lab, seed: number): Promise<Figures> {
  const table = generateGestures({ seed, perClass: lab.quick ? 60 : 400 });
  const scaling = fitScaling(table.values, table.width, 0.25);
  const { train, test } = splitTable(table, { seed, name: 'gestures', scaling });
  const base = await baseModel(
    { name: 'gestures', train, test, pool: 1, hidden: [48, 48], seed },
    lab.backend,
    (d) => d,
  );
  const drifted = (from: number, perClass: number): Dataset =>
    encodeTable(generateGestures({ seed: from, perClass, drift: 0.6, driftSeed: 70 + seed }), scaling, [...GESTURES]);
  const options = syncOptions(lab, train, 1, seed);
  const device = await CoreLearner.create(base.model, options);
  const control = await CoreLearner.control(base.model, options);
  const data = { stream: drifted(500 + seed, 170), shifted: drifted(900 + seed, 300), clean: test };
  const stops = [{ samples: 100 }, { samples: 300, sync: true }, { samples: 1000, sync: true }];
  return { float: base.floatError, ...figures(await runSchedule(device, control, data, stops)) };
}

/** A model of the digits 0 to 7 meets 8 and 9: 500 positives of these, a sync every 100. */
async function newClasses(lab: Lab, seed: number): Promise<Figures> {
  const known = (d: Dataset): Dataset => selectClasses(d, [0, 1, 2, 3, 4, 5, 6, 7]);
  const host = known(slice(lab.mnist.train, 0, lab.quick ? 6000 : HOST));
  const recipe = {
    name: 'mnist-0to7',
    train: host,
    test: known(lab.mnist.test),
    pool: 1,
    hidden: [120, 120],
    epochs: lab.quick ? 3 : 20,
    seed,
  };
  const { model } = await baseModel(recipe, lab.backend, (d) => d);
  const device = await CoreLearner.create(model, syncOptions(lab, host, 1, seed));
  const rest = selectClasses(slice(lab.mnist.train, HOST, 60000), [8, 9]);
  const stream = select(
    rest,
    Uint32Array.from({ length: 500 }, (_, i) => i),
  );
  const stops = [100, 200, 300, 400, 500].map((samples) => ({ samples, sync: true }));
  const data = { stream, shifted: lab.mnist.test, clean: known(lab.mnist.test) };
  return figures(await runSchedule(device, undefined, data, stops));
}

/** The reference against a device: answers of 10,000 inferences and 5,000 learning steps that differ in any field, and bytes of the model after them. */
async function parityWith(
  lab: Lab,
  seed: number,
  open: (model: Model) => Promise<[Session | WasmCore, () => Promise<void>]>,
): Promise<Figures> {
  const { model } = await mnistBase(lab, 1, seed);
  const { test } = lab.mnist;
  const stream = applyShift(slice(lab.mnist.train, HOST, HOST + (lab.quick ? 500 : 5000)), 'rot30', seed);
  const samples = (d: Dataset) =>
    Array.from({ length: d.count }, (_, i) => ({ input: sample(d, i), label: d.labels[i]! }));
  const [target, close] = await open(model);
  try {
    const inferred = await verifyModel(model, target, samples(test));
    const learned = await verifyLearning(model, target, samples(stream));
    return {
      inferences: inferred.samples,
      inferenceMismatches: inferred.mismatches,
      steps: learned.samples,
      learningMismatches: learned.mismatches,
    };
  } finally {
    await close();
  }
}

const parity: Runner = (lab, seed) =>
  parityWith(lab, seed, async (model) => [await WasmCore.withModel(encodeImage(model)), async () => {}]);

const parityLinux: Runner = (lab, seed) =>
  parityWith(lab, seed, async (model) => {
    const board = await startNativeBoard();
    const session = await Session.open(await openTransport(board.address));
    await flashModel(session, encodeImage(model), { verify: false });
    return [
      session,
      async () => {
        await session.close();
        await board.close();
      },
    ];
  });

async function ram(lab: Lab, seed: number): Promise<Figures> {
  const { model } = await mnistBase(lab, 1, seed);
  return { ...(await WasmCore.withModel(encodeImage(model))).ram() };
}

const POSITIVES: readonly Stop[] = [{ samples: 200 }, { samples: 1000 }, { samples: 5000 }];
const SYNCED: readonly Stop[] = [{ samples: 200 }, { samples: 1000, sync: true }, { samples: 5000, sync: true }];

interface AdaptRow {
  readonly what: string;
  readonly target: string;
  readonly run: Runner;
}

/** The main rows with the networks of the presets. */
function presetRows(): Record<string, AdaptRow> {
  const rows: Record<string, AdaptRow> = {};
  for (const name of Object.keys(PRESETS)) {
    rows[`${name}-sync`] = {
      what: `preset ${name}, rot30, sync after 1,000`,
      target: '',
      run: adaptPreset(name, 'rot30', [{ samples: 200 }, { samples: 1000, sync: true }]),
    };
    rows[`${name}-rot30`] = {
      what: `preset ${name}, rot30, positives only`,
      target: '',
      run: adaptPreset(name, 'rot30', POSITIVES),
    };
    rows[`${name}-none`] = {
      what: `preset ${name}, no shift, 20,000 positives`,
      target: 'at20000 <= frozen + 0.3',
      run: adaptPreset(name, 'none', [{ samples: 20000 }]),
    };
  }
  return rows;
}

const ROWS: Readonly<Record<string, AdaptRow>> = {
  base: { what: '784-120-120 on 60,000, 20 epochs', target: 'float <= 2.0, int8 within 0.1', run: baseline },
  rot30: { what: 'rot30, positives only', target: 'at200/1000/5000 <= 22/14/10', run: adapt('rot30', 1, POSITIVES) },
  thick: { what: 'thick strokes, positives only', target: 'at5000 <= 6.3', run: adapt('thick', 1, POSITIVES) },
  'rot30-sync': {
    what: 'rot30, syncs after 1,000 and 5,000',
    target: 'sync1 <= 4.3, clean <= 3.2, false accepts <= 4; sync2 <= 4.1',
    run: adapt('rot30', 1, SYNCED),
  },
  'thick-sync': { what: 'thick strokes, the same', target: '', run: adapt('thick', 1, SYNCED) },
  jitter35: {
    what: '196, each turned by its own angle within +-35, the same',
    target: 'sync2 <= 9.9, control >= 0.4 worse',
    run: adapt('jitter35', 2, SYNCED),
  },
  hidden: {
    what: '196, turned by 20 and a 12x12 patch hidden, the same',
    target: 'sync2 <= 21, control >= 10 worse',
    run: adapt('rot20+occlude12', 2, SYNCED),
  },
  covered: {
    what: 'the same, and the host is told that the view may be covered (`sync --covered`)',
    target: '',
    run: adapt('rot20+occlude12', 2, SYNCED, true),
  },
  warp: { what: '196, smooth warp, the same', target: '', run: adapt('warp', 2, SYNCED) },
  noise: { what: '196, turned by 20 and noisy, the same', target: '', run: adapt('rot20+noise40', 2, SYNCED) },
  gestures: { what: 'drifting gestures from a CSV', target: 'sync beats device and control', run: gestures },
  none: {
    what: 'no shift, 20,000 positives',
    target: 'at20000 <= frozen + 0.3',
    run: adapt('none', 1, [{ samples: 20000 }]),
  },
  classes: { what: '8 and 9 added to 0-7, 500 positives, 5 syncs', target: 'sync5 <= 5.0', run: newClasses },
  parity: { what: 'reference against WebAssembly, all activities and answers', target: '0 and 0', run: parity },
  'parity-linux': {
    what: 'reference against the Linux port over a pty, the same',
    target: '0 and 0',
    run: parityLinux,
  },
  ram: { what: 'RAM of 784-120-120 in bytes', target: 'learning <= 2,048', run: ram },
  ...presetRows(),
};

const options = benchOptions('adapt', Object.keys(ROWS));
const lab: Lab = { backend: await selectBackend('auto'), mnist: await loadMnist(), quick: options.quick };
const rows: Row[] = [];
for (const [name, { what, target, run }] of Object.entries(ROWS)) {
  if (options.only.length > 0 && !options.only.includes(name)) continue;
  const began = performance.now();
  const runs: Figures[] = [];
  for (let seed = 1; seed <= options.seeds; seed++) runs.push(await run(lab, seed));
  const medians: Figures = {};
  for (const key of Object.keys(runs[0]!)) medians[key] = median(runs.map((r) => r[key]!));
  rows.push({ name, what, target, seconds: (performance.now() - began) / 1000, median: medians, runs });
  process.stderr.write(`${name}: ${JSON.stringify(medians)}\n`);
}
if (options.json) process.stdout.write(`${JSON.stringify({ seeds: options.seeds, quick: options.quick, rows })}\n`);
else printRows(rows);
