/**
 * What 2 KB of RAM hold: `npm run bench:uno -- [--only 16-24-24,16-24-24-int4,...] [--json] [--quick]`. The Uno's own firmware image runs in simavr, its RAM
 * filled with a pattern at power on, while the contract is held against it; what the pattern has lost in the end is what was used. Each check
 * starts on a board of its own, so that its stack is its own. All models learn in layer 0. What 16-24-24 learned takes 564 bytes, more than
 * a slot of EEPROM has: it learns until the power goes, and SAVE must be refused. With weights of 4 bits it is saved.
 */
import { execFileSync } from 'node:child_process';
import { encodeImage, type Model, Random, type Session } from 'goodness';
import { library } from './library.js';
import { benchOptions } from './options.js';
import { randomModel } from './random-model.js';

type Boards = typeof import('../dist/device/boards/boards.js');
type Firmware = typeof import('../dist/device/boards/firmware.js');
type Greet = typeof import('../dist/device/boards/greet.js');
type Checks = typeof import('../dist/device/contract/checks.js');
type Contract = typeof import('../dist/device/contract/contract.js');
type AvrBoards = typeof import('../dist/device/emulated/avr-boards.js');
type Resolve = typeof import('../dist/device/resolve.js');
type Format = typeof import('../dist/format/model.js');
type Messages = typeof import('../dist/format/message.js');

const { boardOf } = await library<Boards>('device/boards/boards');
const { buildFirmware, firmwareFor } = await library<Firmware>('device/boards/firmware');
const { greet } = await library<Greet>('device/boards/greet');
const { CHECKS } = await library<Checks>('device/contract/checks');
const { runContract } = await library<Contract>('device/contract/contract');
const { startAvrBoard } = await library<AvrBoards>('device/emulated/avr-boards');
const { openTransport } = await library<Resolve>('device/resolve');
const { withLearning } = await library<Format>('format/model');
const { MESSAGES } = await library<Messages>('format/message');

/** Where the RAM of an ATmega328P ends, and how much there is. */
const RAM_END = 0x900;
const RAM_BYTES = 2048;
/** RAM that must be left over, with what the model leaves of the arena. */
const TARGET_BYTES = 300;

const MODELS = {
  '16-24-24': { hidden: [24, 24], weightBits: 8, saves: false },
  '16-24-24-int4': { hidden: [24, 24], weightBits: 4, saves: true },
  '16-20-20': { hidden: [20, 20], weightBits: 8, saves: true },
} as const;
const names = Object.keys(MODELS) as (keyof typeof MODELS)[];

interface Part {
  readonly check: string;
  readonly ok: boolean;
  readonly bytesCompared: number;
  /** Deepest stack, interrupts, bootloader and all, from power on to the check's end. */
  readonly stack: number;
  readonly first?: string;
  readonly note?: string;
}

interface Row {
  readonly model: string;
  readonly arena: { readonly bytes: number; readonly used: number };
  readonly saves: boolean;
  readonly parts: readonly Part[];
  readonly stack: number;
  /** Bytes of RAM that nothing ever wrote to, and these with the rest of the arena. */
  readonly untouched: number;
  readonly spare: number;
  readonly passes: boolean;
}

const options = benchOptions('uno', names);
const uno = { ...boardOf('uno'), id: 'uno' as const };
const built = await buildFirmware(uno, { path: process.env.PATH ?? '' }).then(
  () => undefined,
  (error: Error) => error.message,
);
if (built !== undefined) {
  process.stderr.write(`bench:uno measured nothing: ${built}\n`);
  process.exit(1);
}
const firmware = firmwareFor(uno).path;
const [text, data, bss] = execFileSync('avr-size', [firmware.replace(/\.hex$/, '.elf')], { encoding: 'utf8' })
  .trim()
  .split('\n')[1]!
  .trim()
  .split(/\s+/)
  .map(Number) as [number, number, number];

type Board = Awaited<ReturnType<typeof startAvrBoard>>;

/** Stack and untouched RAM since power on. */
async function used(board: Board): Promise<{ stack: number; untouched: number }> {
  const [untouched, , to] = (await board.control('stack')).split(' ').map(Number) as [number, number, number];
  return { stack: RAM_END - to, untouched };
}

/** Does something with a board that was never used, and says what RAM it took. */
async function onBoard<T>(
  model: Model,
  action: (board: Board) => Promise<T>,
): Promise<{ result: T; stack: number; untouched: number }> {
  const board = await startAvrBoard(uno, { firmware, model: encodeImage(model), fill: true });
  try {
    const result = await action(board);
    return { result, ...(await used(board)) };
  } finally {
    await board.close();
  }
}

const open = (board: Board): Promise<Session> =>
  greet(() => openTransport(board.address), { openMs: 20_000, slowMs: 30_000, quietMs: 0 });

async function check(model: Model, name: (typeof CHECKS)[number]['name']): Promise<Part & { untouched: number }> {
  const { result, stack, untouched } = await onBoard(model, (board) =>
    runContract(
      {
        name: 'uno',
        openSession: () => open(board),
        reset: () => board.reset(),
        transfer: 'with firmware',
        savesTo: 'store',
      },
      model,
      { checks: [name], ...(options.quick ? { samples: 3, steps: 40 } : {}) },
    ),
  );
  const { ok, compared, first, note } = result.checks[0]!;
  return {
    check: name,
    ok,
    bytesCompared: compared,
    stack,
    untouched,
    ...(first === undefined ? {} : { first }),
    ...(note === undefined ? {} : { note }),
  };
}

/** SAVE where what was learned does not fit its slot. */
async function refusedSave(model: Model): Promise<Part & { untouched: number }> {
  const { result, stack, untouched } = await onBoard(model, async (board) => {
    const session = await open(board);
    try {
      await session.request(MESSAGES.save, undefined);
      return 'it was not refused';
    } catch (error) {
      return (error as { code?: string }).code === 'device.slot' ? undefined : (error as Error).message;
    } finally {
      await session.close();
    }
  });
  return {
    check: 'SAVE is refused',
    ok: result === undefined,
    bytesCompared: 0,
    stack,
    untouched,
    ...(result === undefined ? {} : { first: result }),
  };
}

async function arenaOf(model: Model): Promise<Row['arena']> {
  const { result } = await onBoard(model, async (board) => {
    const session = await open(board);
    const { arenaBytes, arenaUsed } = session.hello;
    await session.close();
    return { bytes: arenaBytes, used: arenaUsed };
  });
  return result;
}

async function measure(name: (typeof names)[number]): Promise<Row> {
  const { hidden, weightBits, saves } = MODELS[name];
  const model = withLearning(
    randomModel({ rawInputs: 16, classes: 4, hidden, weightBits }, new Random(1)),
    new Set([0]),
  );
  const arena = await arenaOf(model);
  const parts: (Part & { untouched: number })[] = [];
  for (const { name: checkName } of CHECKS) {
    if (!saves && (checkName === 'save and reload' || checkName === 'put back')) continue;
    parts.push(await check(model, checkName));
    say(name, parts.at(-1)!);
  }
  if (!saves) {
    parts.push(await refusedSave(model));
    say(name, parts.at(-1)!);
  }
  const untouched = Math.min(...parts.map((part) => part.untouched));
  const spare = untouched + arena.bytes - arena.used;
  return {
    model: name,
    arena,
    saves,
    parts: parts.map(({ untouched: _, ...part }) => part),
    stack: Math.max(...parts.map((part) => part.stack)),
    untouched,
    spare,
    passes: parts.every((part) => part.ok) && spare >= TARGET_BYTES,
  };
}

function say(model: string, { check: name, ok, stack, first }: Part): void {
  process.stderr.write(`${model}: ${name}: ${ok ? 'ok' : `FAILED: ${first}`}, ${stack} bytes of stack\n`);
}

const rows: Row[] = [];
for (const name of names.filter((n) => options.only.length === 0 || options.only.includes(n))) {
  rows.push(await measure(name));
}
const fixed = { flash: text + data, flashRoom: uno.regions[0]!.bytes, staticRam: data + bss };
if (options.json) process.stdout.write(`${JSON.stringify({ bench: 'uno', ...fixed, rows })}\n`);
else {
  process.stdout.write(
    `firmware ${fixed.flash} of ${fixed.flashRoom} bytes of flash, ${fixed.staticRam} of ${RAM_BYTES} bytes of RAM with the arena in it\n\n` +
      '| model | arena used | deepest stack | never written | and with the rest of the arena | contract |\n|---|---|---|---|---|---|\n',
  );
  for (const { model, arena, stack, untouched, spare, passes } of rows) {
    process.stdout.write(
      `| ${model} | ${arena.used} of ${arena.bytes} | ${stack} | ${untouched} | **${spare}** | ${passes ? 'passes' : 'FAILS'} |\n`,
    );
  }
  process.stdout.write('\n| check | stack |\n|---|---|\n');
  for (const { model, parts } of rows) {
    for (const part of parts) process.stdout.write(`| ${model}: ${part.check} | ${part.stack} |\n`);
  }
}
if (rows.some((row) => !row.passes)) process.exitCode = 1;
