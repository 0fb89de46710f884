/**
 * The same bytes on each board: `npm run bench:boards -- [--only pico,uno,...] [--json] [--quick]`. Every board that this machine can emulate runs
 * its own firmware image (the simulated one: the core as WebAssembly), and the whole contract is held against it with the largest model that it is made for: every activity, score and flag,
 * 200 learned samples, class statistics, sync, save and reload, frames and models that are damaged, all byte for byte against the TypeScript
 * reference. One more row per board: flash, learn and sync over a line that hurts 1 byte in 1,000. Small models with --quick.
 */
import { type Model, Random } from 'goodness';
import { library } from './library.js';
import { type NoisyLife, noisyLife } from './noisy-life.js';
import { benchOptions } from './options.js';
import { type RandomModelShape, randomModel } from './random-model.js';

type Boards = typeof import('../dist/device/boards/boards.js');
type Firmware = typeof import('../dist/device/boards/firmware.js');
type Planner = typeof import('../dist/device/boards/planner.js');
type Contract = typeof import('../dist/device/contract/contract.js');
type Emulated = typeof import('../dist/device/contract/emulated.js');
type Start = typeof import('../dist/device/emulated/start.js');

const { boardOf } = await library<Boards>('device/boards/boards');
const { buildFirmware } = await library<Firmware>('device/boards/firmware');
const { place, plan } = await library<Planner>('device/boards/planner');
const { runContract } = await library<Contract>('device/contract/contract');
const { startEmulatedTarget } = await library<Emulated>('device/contract/emulated');
const { EMULATED_BOARDS } = await library<Start>('device/emulated/start');

type BoardId = (typeof EMULATED_BOARDS)[number];

const WHOLE: RandomModelShape = { rawInputs: 784, classes: 10, hidden: [120, 120] };
const SMALL: RandomModelShape = { rawInputs: 25, classes: 4, hidden: [20, 12] };
/** What else than WHOLE a board is made for. */
const SHAPES: Readonly<Partial<Record<BoardId, RandomModelShape>>> = {
  // The lower layer is used where it lies in flash; the upper one learns in what RAM there is.
  microbit: { rawInputs: 784, classes: 10, hidden: [120, 60] },
  uno: { rawInputs: 16, classes: 4, hidden: [20, 20] },
  mega: { rawInputs: 32, classes: 4, hidden: [32, 24] },
};
/** Chance of a fault per byte of the noisy row. */
const NOISE = 1e-3;

interface Row {
  readonly board: BoardId;
  readonly model: string;
  /** Layers that learn there. */
  readonly learns: readonly number[];
  readonly passes: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly note?: string;
    readonly first?: string;
  }[];
  readonly bytesCompared: number;
  readonly bytesDifferent: number;
  readonly noise?: NoisyLife;
  readonly seconds: number;
  /** Why it didn't run. */
  readonly skipped?: string;
}

const options = benchOptions('boards', EMULATED_BOARDS);
const wanted = EMULATED_BOARDS.filter((id) => options.only.length === 0 || options.only.includes(id));

async function measure(id: BoardId): Promise<Row> {
  const board = boardOf(id);
  const shape = options.quick && board.budget?.store.kind !== 'records' ? SMALL : (SHAPES[id] ?? WHOLE);
  const start = performance.now();
  const facts = { board: id, model: [shape.rawInputs, ...shape.hidden].join('-') };
  const seconds = (): number => Math.round((performance.now() - start) / 100) / 10;
  const nothing = { learns: [], passes: false, checks: [], bytesCompared: 0, bytesDifferent: 0 };
  let model: Model;
  try {
    // The simulated board's core comes with the package.
    if (board.build !== undefined) await buildFirmware(board, { path: process.env.PATH ?? '' });
    const random = randomModel(shape, new Random(1));
    model = place(random, await plan(random, board));
  } catch (error) {
    return { ...facts, ...nothing, seconds: seconds(), skipped: (error as Error).message };
  }
  let running: Awaited<ReturnType<typeof startEmulatedTarget>>;
  try {
    running = await startEmulatedTarget(board, model);
  } catch (error) {
    return { ...facts, ...nothing, seconds: seconds(), skipped: (error as Error).message };
  }
  try {
    const report = await runContract(running.target, model, {
      ...(options.quick ? {} : { samples: 10, flips: 4 }),
      onCheck: ({ name, ok, compared }) => say(`${id}: ${name}: ${ok ? 'ok' : 'FAILED'}, ${compared} bytes`),
    });
    const takesImages = running.target.transfer === 'link' && running.target.savesTo === 'store';
    const noise = takesImages ? await noisyLife(running.address, model, options.seeds, NOISE) : undefined;
    if (noise !== undefined) say(`${id}: noise: ${noise.error ?? 'ok'}, ${noise.faults} bytes hit`);
    return {
      ...facts,
      learns: model.layers.flatMap((layer, l) => (layer.learns ? [l] : [])),
      passes: report.ok && (noise === undefined || (noise.error === undefined && noise.bytesDifferent === 0)),
      checks: report.checks.map(({ name, ok, note, first }) => ({
        name,
        ok,
        ...(note === undefined ? {} : { note }),
        ...(first === undefined ? {} : { first }),
      })),
      bytesCompared: report.bytesCompared + (noise?.bytesCompared ?? 0),
      bytesDifferent: report.bytesDifferent + (noise?.bytesDifferent ?? 0),
      ...(noise === undefined ? {} : { noise }),
      seconds: seconds(),
    };
  } finally {
    await running.stop();
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function print(row: Row): void {
  const outcome = row.skipped !== undefined ? 'skipped' : row.passes ? 'passes' : 'FAILS';
  const notes =
    row.skipped ??
    row.checks
      .flatMap(({ name, note, first }) => [note, first].filter((t) => t).map((t) => `${name}: ${t}`))
      .join('; ');
  process.stdout.write(
    `| ${row.board} | ${row.model} | ${row.learns.join(', ') || '-'} | ${outcome} | ${row.bytesCompared} | ${row.bytesDifferent} | ${row.noise?.faults ?? '-'} | ${row.seconds} | ${notes} |\n`,
  );
}

const rows: Row[] = [];
if (!options.json) {
  process.stdout.write(
    '| board | model | layers that learn | contract | bytes compared | bytes different | bytes hit by noise | seconds | notes |\n|---|---|---|---|---|---|---|---|---|\n',
  );
}
for (const id of wanted) {
  const row = await measure(id);
  rows.push(row);
  if (!options.json) print(row);
}
const ran = rows.filter((row) => row.skipped === undefined);
const summary = {
  boards: rows.length,
  passing: rows.filter((row) => row.passes).length,
  skipped: rows.length - ran.length,
  bytesCompared: ran.reduce((sum, row) => sum + row.bytesCompared, 0),
  bytesDifferent: ran.reduce((sum, row) => sum + row.bytesDifferent, 0),
};
if (options.json) process.stdout.write(`${JSON.stringify({ bench: 'boards', ...summary, rows })}\n`);
else {
  process.stdout.write(
    `\n${summary.passing} of ${summary.boards} boards pass, ${summary.skipped} skipped; ${summary.bytesCompared} bytes compared, ${summary.bytesDifferent} different\n`,
  );
}
if (ran.some((row) => !row.passes)) process.exitCode = 1;
