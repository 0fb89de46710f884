/**
 * How fast samples go to boards: `npm run bench:stream -- [--only line,chain,boards,threads] [--seeds N] [--json] [--quick]`.
 *
 * - line: samples over a serial line against the line's own limit, one at a time and streamed. The bytes on the line are real: the real
 *   host talks to the real core. Time is not this machine's: it passes only from one event to the next, the line takes 10 bits per byte,
 *   and the processor takes what its instructions take, counted in QEMU with the board's own main program.
 * - chain: the same with a network on two boards.
 * - boards: learning frames on two emulated boards with half of the layers each, on one board, and in the reference: bytes that differ.
 * - threads: the Linux port's pipeline over threads against one sample after the other, in turn, by the clock of this machine.
 *
 * Weights are random, so that about every sample is learned in every layer; samples are MNIST's test images, turned by 30 degrees.
 */
import { applyShift, type Dataset, loadMnist, type Model, parseShift, pool, Random, slice } from 'goodness';
import { type ChainRate, chainRate, costsOf, countedInputs, type LineRate, lineRate, SPEEDS } from './line-rate.js';
import { benchOptions } from './options.js';
import { type RandomModelShape, randomModel } from './random-model.js';
import { type ThreadRate, threadRate } from './thread-rate.js';
import { compareBoards, type TwoBoards } from './two-boards.js';

const PARTS = ['line', 'chain', 'boards', 'threads'] as const;
const options = benchOptions('stream', PARTS);
const wanted = (part: (typeof PARTS)[number]): boolean => options.only.length === 0 || options.only.includes(part);

/** Delays from a board to the host's program: a tuned USB adapter, and the usual timer of an FTDI. */
const LATENCIES_MS = [1, 16];
const LINE_FRAMES = options.quick ? 100 : 400;
const BOARD_FRAMES = options.quick ? 60 : 1000;
const THREAD_SAMPLES = options.quick ? 200 : 2000;
/** Boards that a network is split over, and the one that has it whole. */
const PAIRS = [
  { boards: ['mps2-an386', 'stm32f405'], single: 'mps2-an386', hidden: [120, 120] },
  { boards: ['pico', 'mps2-an386'], single: 'mps2-an386', hidden: [120, 120] },
  { boards: ['linux', 'linux', 'linux'], single: 'linux', hidden: [120, 120, 120, 120] },
] as const;
const DEEP = [
  [400, 400, 400, 400],
  [200, 200, 200, 200, 200, 200],
] as const;

const world = applyShift((await loadMnist()).test, parseShift('rot30'), 1);
const images = (count: number): Dataset => slice(world, 0, count);
const model = (data: Dataset, hidden: readonly number[], learns?: RandomModelShape['learns']): Model =>
  randomModel({ rawInputs: data.width, classes: 10, hidden, ...(learns && { learns }) }, new Random(1));

interface LineRow extends LineRate {
  readonly model: string;
  readonly instructions: { readonly keepPerByte: number; readonly decodePerByte: number; readonly model: number };
}

async function lines(): Promise<LineRow[]> {
  const rows: LineRow[] = [];
  const whole = images(LINE_FRAMES);
  for (const data of options.quick ? [whole] : [whole, pool(whole, 2)]) {
    for (const speed of SPEEDS) {
      for (const kind of ['learn', 'infer'] as const) {
        // A micro:bit has no RAM for weights of this size: it infers in place.
        if (kind === 'learn' && speed.board === 'microbit') continue;
        const net = model(data, [120, 120], kind === 'learn' ? undefined : [false, false]);
        const instructions = await costsOf(speed.processor, net, countedInputs(data), data.labels, kind);
        for (const baud of speed.bauds) {
          for (const latencyMs of LATENCIES_MS) {
            for (const streamed of [false, true]) {
              const rate = await lineRate(speed, instructions, net, data, kind, baud, latencyMs, streamed);
              rows.push({ model: `${data.width}-120-120`, instructions, ...rate });
            }
          }
        }
      }
    }
  }
  return rows;
}

async function chains(): Promise<ChainRate[]> {
  const data = images(LINE_FRAMES);
  const rows: ChainRate[] = [];
  for (const speed of SPEEDS.filter(({ board }) => board === 'mps2-an386' || board === 'pico')) {
    for (const baud of speed.bauds) {
      rows.push(await chainRate(speed, model(data, [120, 120, 120]), [1], data, baud, LATENCIES_MS[0]!));
    }
  }
  return rows;
}

async function boards(): Promise<TwoBoards[]> {
  const data = images(BOARD_FRAMES);
  const rows: TwoBoards[] = [];
  for (const pair of PAIRS) {
    const name = ['784', ...pair.hidden].join('-');
    rows.push(await compareBoards(name, pair.boards, pair.single, model(data, pair.hidden), data));
    say(`${pair.boards.join(' and ')}: ${rows.at(-1)!.bytesDifferent} bytes differ`);
  }
  return rows;
}

async function threads(): Promise<ThreadRate[]> {
  const data = images(THREAD_SAMPLES);
  const rows: ThreadRate[] = [];
  for (const hidden of DEEP) {
    for (const count of [2, 3]) {
      rows.push(await threadRate(['784', ...hidden].join('-'), model(data, hidden), data, count, options.seeds));
    }
  }
  return rows;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |\n`;
  process.stdout.write(`\n${line(head)}|${'---|'.repeat(head.length)}\n${rows.map(line).join('')}`);
}

const result = {
  line: wanted('line') ? await lines() : [],
  chain: wanted('chain') ? await chains() : [],
  boards: wanted('boards') ? await boards() : [],
  threads: wanted('threads') ? await threads() : [],
};

if (options.json) process.stdout.write(`${JSON.stringify({ bench: 'stream', ...result })}\n`);
else print();
if (result.boards.some((row) => row.bytesDifferent > 0 || row.referenceDifferent > 0)) process.exitCode = 1;

function print(): void {
  const percent = (value: number): string => `${value.toFixed(1)}%`;
  if (result.line.length > 0) {
    table(
      [
        'board',
        'model',
        'baud',
        'does',
        'latency',
        'line’s limit, frames/s',
        'one at a time',
        'streamed',
        'processor',
        'samples / bytes',
      ],
      result.line
        .filter((row) => row.streamed)
        .map((row) => {
          const one = result.line.find(
            (other) =>
              !other.streamed &&
              (['board', 'model', 'baud', 'kind', 'latencyMs'] as const).every((key) => other[key] === row[key]),
          )!;
          return [
            row.board,
            row.model,
            row.baud,
            row.kind,
            `${row.latencyMs} ms`,
            row.limit.toFixed(1),
            percent(one.ofLimit),
            `**${percent(row.ofLimit)}**`,
            percent(row.processor),
            percent(row.payload),
          ];
        }),
    );
  }
  if (result.chain.length > 0) {
    table(
      ['boards', 'cut at', 'baud', 'frames/s', 'one board with all layers', 'processors'],
      result.chain.map((row) => [
        row.boards.join(', '),
        row.cuts.join(', '),
        row.baud,
        `**${row.framesPerSecond.toFixed(1)}**`,
        row.single.toFixed(1),
        row.processors.map(percent).join(', '),
      ]),
    );
  }
  if (result.boards.length > 0) {
    table(
      [
        'boards',
        'one board',
        'model',
        'cut at',
        'frames',
        'layer updates',
        'bytes compared',
        'different',
        'from the reference',
        'seconds',
      ],
      result.boards.map((row) => [
        row.boards.join(', '),
        row.single,
        row.model,
        row.cuts.join(', '),
        row.frames,
        row.updates,
        row.bytesCompared,
        `**${row.bytesDifferent}**`,
        row.referenceDifferent,
        row.seconds.toFixed(0),
      ]),
    );
  }
  if (result.threads.length > 0) {
    const ratio = ({ ratio, busiest }: ThreadRate['infer']): string =>
      `**${ratio.toFixed(2)}** (${busiest.toFixed(2)})`;
    const times = ({ one, threads: many }: ThreadRate['infer']): string => `${one.toFixed(0)} / ${many.toFixed(0)}`;
    table(
      [
        'model',
        'threads',
        'cores',
        'infer, µs one by one / threads',
        'ratio (by processor time)',
        'learn, µs',
        'ratio (by processor time)',
      ],
      result.threads.map((row) => [
        row.model,
        row.threads,
        row.cores,
        times(row.infer),
        ratio(row.infer),
        times(row.learn),
        ratio(row.learn),
      ]),
    );
  }
}
