/**
 * Digits on small boards: `npm run bench:digits -- [--only microbit,mega,...] [--seeds N] [--json] [--quick]`. Networks for MNIST at 14 x 14 (means of
 * 2 x 2 pixels) that the flash of a micro:bit or a Mega holds are trained on the first 40,000 train images; the planner decides what lies in flash and what
 * learns in RAM. The board's own firmware image runs in its emulator: it gets the model (over the link, or with the firmware), classifies, learns
 * images turned by 30 degrees from the rest of the train images, saves, and is reset.
 *
 * An emulated board takes a while for an image, so the device answers for as many test images as a row says. Each answer (class, flags, both
 * scores) and in the end each byte of the model is compared with the TypeScript reference. Errors on all 10,000 are the reference's: the
 * same bytes compute them.
 */
import {
  applyShift,
  type Backend,
  type Board,
  boardOf,
  buildFirmware,
  type Dataset,
  encodeImage,
  evaluate,
  evaluateModel,
  flashModel,
  learn,
  loadMnist,
  type Model,
  openTransport,
  place,
  plan,
  pool,
  pullImage,
  Reference,
  type Session,
  sample,
  save,
  selectBackend,
  slice,
  startBoard,
  type TrainTest,
} from 'goodness';
import { type Base, baseModel } from './base-model.js';
import { library } from './library.js';
import { benchOptions, median } from './options.js';

type Greet = typeof import('../dist/device/boards/greet.js');
const { greet } = await library<Greet>('device/boards/greet');

interface Setting {
  readonly board: 'microbit' | 'mega';
  readonly hidden: readonly number[];
  /** Test images that the device classifies before learning and at the end; between them, at most 1,000. */
  readonly images: number;
}

const SETTINGS: Readonly<Record<string, Setting>> = {
  microbit: { board: 'microbit', hidden: [320, 30], images: 10_000 },
  // Narrow below, so that its lower layer fits the RAM and learns.
  'microbit-lower': { board: 'microbit', hidden: [50, 120], images: 10_000 },
  mega: { board: 'mega', hidden: [140, 10], images: 1000 },
};

const POOL = 2;
const HOST = 40_000;
const SHIFT = 'rot30';
/** Percent of the test images, before anything is learned. */
const TARGET = 4;
/** QEMU looks once a second whether its terminal was opened; EEPROM takes 3.4 ms a byte. */
const SESSION = { openMs: 20_000, slowMs: 30_000 };

/** How the device did at one moment of its life. */
interface Stage {
  readonly what: string;
  /** Percent of all test images, by the reference. */
  readonly error: number;
  /** Percent of those that the device classified, by its own answers. */
  readonly deviceError: number;
  readonly deviceImages: number;
  /** Answers of the device that differ from the reference in any field. */
  readonly different: number;
}

interface Run {
  readonly seed: number;
  readonly floatError: number;
  readonly stages: readonly Stage[];
  /** Bytes of the model read back after learning, and again after save and reset, and those that differ from the reference. */
  readonly bytesCompared: number;
  readonly bytesDifferent: number;
}

interface Row {
  readonly name: string;
  readonly net: string;
  readonly image: { readonly need: number; readonly have: number };
  readonly ram: { readonly need: number; readonly have: number };
  /** Layers that learn in RAM; the others are used where they lie in flash. */
  readonly learns: readonly number[];
  readonly runs: readonly Run[];
  /** Medians over the seeds, in percent, by stage. */
  readonly median: Readonly<Record<string, number>>;
  readonly passes: boolean;
  readonly seconds: number;
}

const names = Object.keys(SETTINGS);
const options = benchOptions('digits', names);
const stops = options.quick ? [50] : [200, 1000, 5000];

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

const netOf = (hidden: readonly number[]): string => [784 / POOL ** 2, ...hidden].join('-');

function trained(hidden: readonly number[], mnist: TrainTest, backend: Backend, seed: number): Promise<Base> {
  const recipe = {
    name: `mnist-${netOf(hidden)}`,
    train: slice(mnist.train, 0, options.quick ? 6000 : HOST),
    test: mnist.test,
    pool: POOL,
    hidden,
    epochs: options.quick ? 3 : 20,
    seed,
  };
  return baseModel(recipe, backend, (d) => pool(d, POOL));
}

/** One device from its first model to what it holds after a reset. */
class Life {
  readonly stages: Stage[] = [];
  bytesCompared = 0;
  bytesDifferent = 0;
  private readonly reference: Reference;
  private readonly session: Session;

  constructor(reference: Reference, session: Session) {
    this.reference = reference;
    this.session = session;
  }

  /** Classifies the first `images` on the device, and all of them by the reference. */
  async look(what: string, data: Dataset, images: number): Promise<void> {
    const first = slice(data, 0, images);
    const got = await evaluate(this.session, first);
    const { classes, flags, scores, labelScores } = got.outcomes;
    let different = 0;
    for (let i = 0; i < first.count; i++) {
      const wanted = this.reference.infer(sample(first, i), first.labels[i]!);
      const same =
        wanted.class === classes[i] &&
        wanted.flags === flags[i] &&
        wanted.score === scores[i] &&
        wanted.labelScore === labelScores[i];
      if (!same) different++;
    }
    const { error } = evaluateModel(this.reference.toModel(), data);
    this.stages.push({ what, error, deviceError: got.error, deviceImages: images, different });
    say(
      `  ${what}: ${error.toFixed(2)}%; device ${got.error.toFixed(2)}% of ${images}, ${different} answers different`,
    );
  }

  async learn(stream: Dataset, from: number, to: number): Promise<void> {
    await learn(this.session, stream, { from, samples: to - from });
    for (let i = from; i < to; i++) this.reference.learn(sample(stream, i), stream.labels[i]!);
  }

  /** All bytes of the device's model against those of the reference. */
  async compare(): Promise<void> {
    const [wanted, got] = [this.reference.image(), await pullImage(this.session)];
    this.bytesCompared += wanted.length;
    for (const [i, byte] of wanted.entries()) if (byte !== got[i]) this.bytesDifferent++;
  }
}

async function live(
  board: Board,
  model: Model,
  floatError: number,
  images: number,
  mnist: TrainTest,
  seed: number,
): Promise<Run> {
  const turned = (d: Dataset): Dataset => pool(applyShift(d, SHIFT, 1000 + seed), POOL);
  const clean = pool(mnist.test, POOL);
  const shifted = turned(mnist.test);
  const stream = turned(slice(mnist.train, HOST, HOST + stops.at(-1)!));
  const all = options.quick ? 50 : images;
  const few = Math.min(all, 1000);
  const image = encodeImage(model);
  const byLink = board.modelBy === 'link';
  const emulated = await startBoard(board, byLink ? {} : { model: image });
  const open = (): Promise<Session> =>
    greet(() => openTransport(emulated.address), { ...SESSION, quietMs: board.quietMs ?? 0 });
  const reference = new Reference(model);
  let session = await open();
  try {
    if (byLink) await flashModel(session, image);
    const life = new Life(reference, session);
    await life.look('as trained', clean, all);
    await life.look('turned, before learning', shifted, few);
    for (const [k, stop] of stops.entries()) {
      await life.learn(stream, stops[k - 1] ?? 0, stop);
      await life.look(`turned, after ${stop}`, shifted, few);
    }
    await life.compare();
    await save(session);
    await session.close();
    await emulated.reset();
    session = await open();
    const again = new Life(reference, session);
    await again.compare();
    await again.look('turned, after save and reset', shifted, all);
    return {
      seed,
      floatError,
      stages: [...life.stages, ...again.stages],
      bytesCompared: life.bytesCompared + again.bytesCompared,
      bytesDifferent: life.bytesDifferent + again.bytesDifferent,
    };
  } finally {
    await session.close();
    await emulated.close();
  }
}

async function measure(name: string, mnist: TrainTest, backend: Backend): Promise<Row> {
  const start = performance.now();
  const { hidden, images, board: id } = SETTINGS[name]!;
  const board = boardOf(id);
  await buildFirmware(board, { path: process.env.PATH ?? '' });
  const runs: Run[] = [];
  let planned: Awaited<ReturnType<typeof plan>> | undefined;
  for (let seed = 1; seed <= (options.quick ? 1 : options.seeds); seed++) {
    const { model, floatError } = await trained(hidden, mnist, backend, seed);
    planned = await plan(model, board);
    say(`${name}, ${netOf(hidden)}, seed ${seed}: float ${floatError.toFixed(2)}%`);
    runs.push(await live(board, place(model, planned), floatError, images, mnist, seed));
  }
  const { layers, image, ram } = planned!;
  const medians = runs[0]!.stages.map(({ what }, k) => [what, median(runs.map((run) => run.stages[k]!.error))]);
  const faultless = runs.every((run) => run.bytesDifferent === 0 && run.stages.every((s) => s.different === 0));
  const good =
    options.quick || runs.every((run) => Math.max(run.stages[0]!.error, run.stages[0]!.deviceError) <= TARGET);
  return {
    name,
    net: netOf(hidden),
    image: { need: image.need, have: image.have },
    ram: { need: ram.need, have: ram.have },
    learns: layers.filter((layer) => layer.learns).map((layer) => layer.layer),
    runs,
    median: Object.fromEntries(medians) as Record<string, number>,
    passes: faultless && good,
    seconds: Math.round((performance.now() - start) / 1000),
  };
}

function print({ name, net, image, ram, learns, runs, median: medians, passes }: Row): void {
  const figures = Object.entries(medians).map(([what, value], k) => {
    const errors = runs.map(({ stages }) => stages[k]!.error.toFixed(2));
    const device = runs.map(({ stages }) => stages[k]!.deviceError.toFixed(2));
    return `${what} **${value.toFixed(2)}** (${errors.join(', ')}; ${runs[0]!.stages[k]!.deviceImages} on the device: ${device.join(', ')})`;
  });
  const sum = (of: (run: Run) => number): number => runs.reduce((total, run) => total + of(run), 0);
  const answers = sum((run) => run.stages.reduce((total, stage) => total + stage.deviceImages, 0));
  const wrong = sum((run) => run.stages.reduce((total, stage) => total + stage.different, 0));
  process.stdout.write(
    `| ${name} | ${net} | ${learns.join(', ')} | ${ram.need} of ${ram.have} | ${image.need} of ${image.have} | ${figures.join('; ')} | ${wrong} of ${answers} | ${sum((run) => run.bytesDifferent)} of ${sum((run) => run.bytesCompared)} | ${passes ? 'passes' : 'FAILS'} |\n`,
  );
}

const mnist = await loadMnist();
const backend = await selectBackend();
const rows: Row[] = [];
if (!options.json) {
  process.stdout.write(
    '| row | net | layers that learn | RAM of the arena | image in its slot | error in % of 10,000, by what the device has seen | answers different | bytes of the model different | |\n|---|---|---|---|---|---|---|---|---|\n',
  );
}
for (const name of names.filter((n) => options.only.length === 0 || options.only.includes(n))) {
  try {
    const row = await measure(name, mnist, backend);
    rows.push(row);
    if (!options.json) print(row);
  } catch (error) {
    // Without its compiler or emulator a board can't be measured here; the others can.
    const { code, message } = error as { code?: string; message: string };
    if (code !== 'firmware.compiler' && code !== 'emulator.missing') throw error;
    say(`${name} was not measured: ${message}`);
  }
}
if (options.json) {
  process.stdout.write(
    `${JSON.stringify({ bench: 'digits', quick: options.quick, shift: SHIFT, target: TARGET, rows })}\n`,
  );
}
if (rows.length === 0 || rows.some((row) => !row.passes)) process.exitCode = 1;
