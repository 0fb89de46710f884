import {
  boardOf,
  type Dataset,
  encodeImage,
  evaluate,
  learn,
  type Model,
  Reference,
  Session,
  slice,
  WasmCore,
} from 'goodness';
import { frameCost, type Processor } from './frame-cost.js';
import { library } from './library.js';
import { TimedLine, VirtualTime } from './timed-line.js';

type Frames = typeof import('../dist/format/frame.js');
type Messages = typeof import('../dist/format/message.js');
type Datasets = typeof import('../dist/data/dataset.js');
type Chains = typeof import('../dist/device/chain/chain.js');
type ChainStreams = typeof import('../dist/device/chain/stream.js');
type Stages = typeof import('../dist/format/stages.js');

const { encodeFrame } = await library<Frames>('format/frame');
const { MESSAGES } = await library<Messages>('format/message');
const { sample } = await library<Datasets>('data/dataset');
const { Chain } = await library<Chains>('device/chain/chain');
const { learnChain } = await library<ChainStreams>('device/chain/stream');
const { splitModel } = await library<Stages>('format/stages');

/** A board's processor as far as its speed goes. Cycles per instruction are an assumption: QEMU counts instructions. */
export interface Speed {
  readonly board: 'mps2-an386' | 'stm32f405' | 'pico' | 'microbit';
  readonly processor: Processor;
  readonly megahertz: number;
  readonly cyclesPerInstruction: number;
  /** Bits per second that its port can be built for. */
  readonly bauds: readonly number[];
}

export const SPEEDS: readonly Speed[] = [
  {
    board: 'mps2-an386',
    processor: 'cortex-m4',
    megahertz: 25,
    cyclesPerInstruction: 1.5,
    bauds: [115_200, 921_600],
  },
  { board: 'stm32f405', processor: 'cortex-m4', megahertz: 168, cyclesPerInstruction: 1.5, bauds: [115_200, 921_600] },
  { board: 'pico', processor: 'cortex-m0plus', megahertz: 125, cyclesPerInstruction: 1.7, bauds: [115_200, 921_600] },
  { board: 'microbit', processor: 'cortex-m0', megahertz: 16, cyclesPerInstruction: 2, bauds: [115_200] },
];

/** The processor's entry into an interrupt and its exit, in cycles (Cortex-M technical reference manuals: 12 to 16 each). */
const INTERRUPT_CYCLES = 30;
/** Instructions of any other request: it happens a few times in a run. */
const OTHER_INSTRUCTIONS = 2000;
const BITS_PER_BYTE = 10;
/** Samples after which the host knows that the line loses nothing. */
const WARM_UP = 100;

/** Requests that are counted, one after the other. */
const COUNTED = 40;

export type Kind = 'learn' | 'infer';

/** Mean instructions of requests, as the board's processor takes them. */
export interface Costs {
  readonly keepPerByte: number;
  readonly decodePerByte: number;
  readonly model: number;
}

/** What requests with these samples cost a processor, by QEMU. */
export async function costsOf(
  processor: Processor,
  model: Model,
  inputs: readonly Uint8Array[],
  labels: Uint8Array,
  kind: Kind,
): Promise<Costs> {
  const requests = inputs.slice(0, COUNTED).map((input, i) => {
    const label = labels[i]!;
    const { type } = MESSAGES[kind];
    const payload =
      kind === 'learn' ? MESSAGES.learn.encode({ index: i, label, input }) : MESSAGES.infer.encode({ label, input });
    return encodeFrame(type, i & 255, payload);
  });
  const cost = await frameCost(processor, encodeImage(model), requests);
  const bytes = requests.reduce((sum, request) => sum + request.length, 0) / requests.length;
  return { keepPerByte: cost.keep / bytes, decodePerByte: cost.link / bytes, model: cost.model };
}

/** The samples of a data set, as many as are counted. */
export function countedInputs(data: Dataset): Uint8Array[] {
  return Array.from({ length: Math.min(COUNTED, data.count) }, (_, i) => sample(data, i));
}

export interface LineRate {
  readonly board: string;
  readonly baud: number;
  readonly latencyMs: number;
  readonly kind: Kind;
  /** Whether requests go ahead of their answers. */
  readonly streamed: boolean;
  readonly frames: number;
  readonly framesPerSecond: number;
  /** What the line can carry: bits per second / bits of a frame on it, in the busier direction. */
  readonly limit: number;
  /** The first in percent of the second. */
  readonly ofLimit: number;
  /** Bytes of samples in percent of all bytes down. */
  readonly payload: number;
  /** Percent of the time in which the processor works, interrupts included. */
  readonly processor: number;
  readonly framesLost: number;
}

/** A board in virtual time: the core with what the board's HELLO says, behind a line with its speed. */
async function timedBoard(
  time: VirtualTime,
  { board, megahertz, cyclesPerInstruction }: Speed,
  costs: Costs,
  model: Model,
  kind: Kind,
  baud: number,
  latencyMs: number,
): Promise<TimedLine> {
  const { payload, answer, window, ahead, arenaBytes } = boardOf(board).budget!;
  const core = await WasmCore.create({ maxPayload: payload, maxAnswer: answer, window, ahead, arenaBytes });
  core.load(encodeImage(model));
  const ms = (instructions: number): number => (instructions * cyclesPerInstruction) / (1000 * megahertz);
  return new TimedLine(time, core, {
    baud,
    latencyMs,
    // What HELLO promises, a question and a zero; where several requests of any length may be under way, those too.
    ringBytes: Math.max(ahead, (window - 1) * (payload + payload / 254 + 9)) + 32,
    keepMs: ms(costs.keepPerByte) + INTERRUPT_CYCLES / (1000 * megahertz),
    decodeMs: ms(costs.decodePerByte),
    workMs: (type) => ms(type === MESSAGES[kind].type ? costs.model : OTHER_INSTRUCTIONS),
  });
}

/** Plays samples to a board whose line and processor take their time. */
export async function lineRate(
  speed: Speed,
  costs: Costs,
  model: Model,
  data: Dataset,
  kind: Kind,
  baud: number,
  latencyMs: number,
  streamed: boolean,
): Promise<LineRate> {
  const time = new VirtualTime();
  const line = await timedBoard(time, speed, costs, model, kind, baud, latencyMs);
  const session = await time.during(Session.open(line, { clock: time, ...(streamed ? {} : { window: 1 }) }));
  const work = (part: Dataset): Promise<unknown> => (kind === 'learn' ? learn(session, part) : evaluate(session, part));
  // The host first has to find out that the line loses nothing.
  await time.during(work(slice(data, 0, Math.min(WARM_UP, data.count))));
  line.lap();
  const before = { ...line.traffic, retries: session.line.retries };
  await time.during(work(data));
  const use = line.lap();
  const down = line.traffic.down - before.down;
  const up = line.traffic.up - before.up;
  const framesPerSecond = (1000 * data.count) / use.ms;
  const limit = (baud / BITS_PER_BYTE) * (data.count / Math.max(down, up));
  await session.close();
  return {
    board: speed.board,
    baud,
    latencyMs,
    kind,
    streamed,
    frames: data.count,
    framesPerSecond,
    limit,
    ofLimit: (100 * framesPerSecond) / limit,
    payload: (100 * data.count * data.width) / down,
    processor: (100 * use.busyMs) / use.ms,
    framesLost: session.line.retries - before.retries,
  };
}

export interface ChainRate {
  readonly boards: readonly string[];
  readonly cuts: readonly number[];
  readonly baud: number;
  readonly framesPerSecond: number;
  /** The same frames on one board with the whole network. */
  readonly single: number;
  /** Percent of the time in which each processor works. */
  readonly processors: readonly number[];
}

/** Plays learning samples through boards with a stage each, whose lines and processors take their time. */
export async function chainRate(
  speed: Speed,
  model: Model,
  cuts: readonly number[],
  data: Dataset,
  baud: number,
  latencyMs: number,
): Promise<ChainRate> {
  const time = new VirtualTime();
  const stages = splitModel(model, cuts);
  let inputs = countedInputs(data);
  const lines: TimedLine[] = [];
  const sessions: Session[] = [];
  for (const stage of stages) {
    const costs = await costsOf(speed.processor, stage, inputs, data.labels, 'learn');
    const line = await timedBoard(time, speed, costs, stage, 'learn', baud, latencyMs);
    lines.push(line);
    sessions.push(await time.during(Session.open(line, { clock: time })));
    const reference = new Reference(stage);
    inputs = inputs.map((input) => reference.infer(input).onward ?? new Uint8Array(0));
  }
  const chain = await time.during(Chain.of(sessions));
  await time.during(learnChain(chain, slice(data, 0, Math.min(WARM_UP, data.count))));
  for (const line of lines) line.lap();
  await time.during(learnChain(chain, data));
  const laps = lines.map((line) => line.lap());
  const ms = Math.max(...laps.map((lap) => lap.last)) - Math.min(...laps.map((lap) => lap.first));
  const costs = await costsOf(speed.processor, model, countedInputs(data), data.labels, 'learn');
  const single = await lineRate(speed, costs, model, data, 'learn', baud, latencyMs, true);
  return {
    boards: stages.map(() => speed.board),
    cuts,
    baud,
    framesPerSecond: (1000 * data.count) / ms,
    single: single.framesPerSecond,
    processors: laps.map((lap) => (100 * lap.busyMs) / ms),
  };
}
