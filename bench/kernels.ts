/**
 * What a forward pass and a learning step cost on Cortex-M4 and Cortex-M0: `npm run bench:kernels -- [--cmsis-nn DIR] [--only ROW,ROW] [--json]
 * [--quick]`. Trained nets and real digits; instructions in QEMU, of the core as it ships and with the naive kernels that define it, beside those
 * of CMSIS-NN's two products alone, whose sources are not in the project: `--cmsis-nn` or the variable CMSIS_NN names their folder. What was
 * computed and learned is compared with the core in this process, byte for byte.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import {
  applyShift,
  boardOf,
  type Dataset,
  encodeImage,
  loadMnist,
  type Model,
  place,
  plan,
  pool,
  sample,
  selectBackend,
  slice,
  WasmCore,
} from 'goodness';
import { buildPrograms, type Cpu, codeBytes, countOn, lackingFor } from './kernels-counted.js';
import { HOST, mnistBase } from './mnist-base.js';
import { benchOptions } from './options.js';

const FOLDER = 'build/bench-kernels/files';
/** For each processor a board whose kernels and layouts these are. */
const BOARDS = { 'cortex-m4': 'mps2-an386', 'cortex-m0': 'pico' } as const satisfies Record<Cpu, string>;
const NAMES = { 'cortex-m4': 'Cortex-M4', 'cortex-m0': 'Cortex-M0' } as const satisfies Record<Cpu, string>;

/** Least ratio to CMSIS-NN, largest ratio of a learning step to a forward pass, most code of kernels in bytes. */
const TARGETS = {
  'm4-784': { cpu: 'cortex-m4', pool: 1, fewer: 6, step: 1.25, code: 6144 },
  'm4-196': { cpu: 'cortex-m4', pool: 2, fewer: 4.5, step: 1.25, code: 6144 },
  'm0-784': { cpu: 'cortex-m0', pool: 1, fewer: 7.5, step: 1.2, code: 3072 },
  'm0-196': { cpu: 'cortex-m0', pool: 2, fewer: 5.5, step: 1.2, code: 3072 },
} as const satisfies Record<string, { cpu: Cpu; pool: number; fewer: number; step: number; code: number }>;
type RowId = keyof typeof TARGETS;
const ROWS = Object.keys(TARGETS) as RowId[];

interface Counts {
  /** Instructions of a forward pass, of one over the stream, and of a learning step over the stream: means. */
  readonly forward: number;
  readonly streamForward: number;
  readonly step: number;
  /** RAM of inference. */
  readonly ram: number;
}

interface Row {
  readonly id: RowId;
  readonly name: string;
  readonly layouts: readonly number[];
  readonly naive: Counts;
  readonly shipped: Counts;
  /** Instructions of CMSIS-NN's two products. */
  readonly peer?: number;
  readonly fewerThanPeer?: number;
  readonly fewerThanNaive: number;
  /** A learning step, its forward pass included, against the forward pass. */
  readonly stepRatio: number;
  readonly learnedShare: number;
  /** Code of the whole program beyond that with naive kernels. */
  readonly kernelsCode: number;
  readonly missed: readonly string[];
}

/** The word that the other benches don't know. */
function ownOptions(): { folder: string | undefined; rest: string[] } {
  const words = process.argv.slice(2);
  const at = words.findIndex((word) => word === '--cmsis-nn' || word.startsWith('--cmsis-nn='));
  if (at < 0) return { folder: process.env.CMSIS_NN, rest: words };
  const [, joined] = words[at]!.split('=', 2);
  const path = joined ?? words[at + 1];
  if (path === undefined || path === '') {
    process.stderr.write('bench:kernels: --cmsis-nn takes a folder\n');
    process.exit(2);
  }
  return { folder: path, rest: words.filter((_, k) => k !== at && (joined !== undefined || k !== at + 1)) };
}

const { folder, rest } = ownOptions();
const options = benchOptions('kernels', ROWS, rest, ' [--cmsis-nn DIR]');
const peerFolder = folder === undefined || folder === '' ? undefined : resolve(folder);
const peerVersion = peerFolder === undefined ? undefined : versionOf(peerFolder);
const [count, life] = options.quick ? [20, 40] : [50, 200];

/** What the sources of CMSIS-NN say that they are. */
function versionOf(path: string): string {
  const revision = (file: string): string => {
    const at = join(path, file);
    if (!existsSync(at)) {
      process.stderr.write(`bench:kernels: ${path} is no folder of CMSIS-NN: there is no ${file}\n`);
      process.exit(2);
    }
    return /\$Revision:\s*(\S+)/.exec(readFileSync(at, 'utf8'))?.[1] ?? 'of unknown revision';
  };
  return `arm_nnfunctions.h ${revision('Include/arm_nnfunctions.h')}, arm_fully_connected_s8.c ${revision('Source/FullyConnectedFunctions/arm_fully_connected_s8.c')}`;
}

/** Samples as `firmware/bench/kernels.c` reads them. */
function samples(data: Dataset): Uint8Array {
  const bytes = new Uint8Array(8 + data.count * (data.width + 1));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.count, true);
  view.setUint32(4, data.width, true);
  bytes.set(data.inputs.subarray(0, data.count * data.width), 8);
  bytes.set(data.labels.subarray(0, data.count), 8 + data.count * data.width);
  return bytes;
}

/** A layer's weights as CMSIS-NN wants them: neuron by neuron. */
function neuronMajor({ inputs, outputs, weights }: Model['layers'][number]): Int8Array {
  return Int8Array.from(
    { length: inputs * outputs },
    (_, k) => weights[(k % inputs) * outputs + Math.floor(k / inputs)]!,
  );
}

interface Task {
  readonly model: Model;
  readonly test: Dataset;
  readonly stream: Dataset;
}

function writeFiles(path: string, { model, test, stream }: Task): void {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'image.ffm'), encodeImage(model));
  writeFileSync(join(path, 'test.bin'), samples(test));
  writeFileSync(join(path, 'stream.bin'), samples(stream));
  model.layers.forEach((layer, l) => {
    writeFileSync(join(path, `rows${l}.bin`), neuronMajor(layer));
  });
}

const mixed = (hash: number, { score, class: label, flags }: { score: number; class: number; flags: number }): number =>
  Math.imul(Math.imul(hash ^ score, 16777619) ^ label ^ (flags << 8), 16777619) >>> 0;

/** What the core in this process computes and learns. */
async function expected({ model, test, stream }: Task): Promise<Record<string, number>> {
  const image = encodeImage(model);
  const core = await WasmCore.withModel(image);
  const numbers = Array.from({ length: test.count }, (_, i) => i);
  const inferred = numbers.reduce((hash, i) => mixed(hash, core.infer(sample(test, i), test.labels[i])), 2166136261);
  let [hash, learned] = [2166136261, 0];
  for (let i = 0; i < stream.count; i++) {
    const outcome = core.learn(sample(stream, i), stream.labels[i]!);
    hash = mixed(hash, outcome);
    if (outcome.flags & 16) learned++;
  }
  const weightsAt = new DataView(image.buffer, image.byteOffset).getUint32(48 + 8, true);
  const after = crc32(core.image().subarray(weightsAt));
  return { 'infer hash': inferred, 'stream learned': learned, 'stream hash': hash, 'stream image': after };
}

async function count1(cpu: Cpu, kernels: 'naive' | 'shipped', path: string, task: Task) {
  writeFiles(path, task);
  const figures = countOn(cpu, kernels, path);
  for (const [name, value] of Object.entries(await expected(task))) {
    if (figures[name] !== value) throw new Error(`${cpu} ${kernels}: ${name} is ${figures[name]}, and not ${value}`);
  }
  return figures;
}

const countsOf = (figures: Readonly<Record<string, number>>): Counts => ({
  forward: figures.infer! / count,
  streamForward: figures['stream infer']! / life,
  step: figures['stream learn']! / life,
  ram: figures.ram!,
});

const mnist = await loadMnist();
const backend = await selectBackend('auto');

async function measure(id: RowId): Promise<Row> {
  const { cpu, pool: factor, fewer, step, code } = TARGETS[id];
  const pooled = (data: Dataset): Dataset => (factor === 1 ? data : pool(data, factor));
  const { model } = await mnistBase({ backend, mnist, quick: options.quick }, factor, 1);
  const test = pooled(slice(mnist.test, 0, count));
  const stream = pooled(applyShift(slice(mnist.train, HOST, HOST + life), 'rot30', 1001));
  const board = boardOf(BOARDS[cpu]);
  const placed = place(model, await plan(model, board));
  const naive = await count1(cpu, 'naive', `${FOLDER}/${id}-naive`, { model, test, stream });
  const shipped = await count1(cpu, 'shipped', `${FOLDER}/${id}`, { model: placed, test, stream });
  const counts = { naive: countsOf(naive), shipped: countsOf(shipped) };
  const peer = peerFolder === undefined ? undefined : (shipped['peer layer 0']! + shipped['peer layer 1']!) / count;
  const fewerThanPeer = peer === undefined ? undefined : peer / counts.shipped.forward;
  const stepRatio = counts.shipped.step / counts.shipped.streamForward;
  const kernelsCode = codeBytes(cpu, 'shipped') - codeBytes(cpu, 'naive');
  const missed = [
    ...(fewerThanPeer !== undefined && fewerThanPeer < fewer ? [`${fewer} times fewer than CMSIS-NN`] : []),
    ...(stepRatio > step ? [`a learning step of ${step} forward passes`] : []),
    ...(kernelsCode > code ? [`${code} bytes of kernels`] : []),
  ];
  return {
    id,
    name: `${[placed.rawInputs, ...placed.layers.map((layer) => layer.outputs)].join('-')}, ${NAMES[cpu]}`,
    layouts: placed.layers.map((layer) => layer.layout),
    ...counts,
    ...(peer === undefined ? {} : { peer, fewerThanPeer: fewerThanPeer! }),
    fewerThanNaive: counts.naive.forward / counts.shipped.forward,
    stepRatio,
    learnedShare: shipped['stream learned']! / life,
    kernelsCode,
    missed,
  };
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

function print(rows: readonly Row[]): void {
  const cells = (words: readonly string[]): string => `| ${words.join(' | ')} |\n`;
  const head = [
    'net, processor',
    'layouts',
    'CMSIS-NN, its two products',
    'naive core',
    'shipped core',
    'fewer than CMSIS-NN (target)',
  ];
  const more = [
    'learning step, naive and shipped',
    'step / forward (target)',
    'kernels, bytes (target)',
    'RAM of inference',
  ];
  process.stdout.write(cells([...head, ...more]) + cells(Array.from({ length: 10 }, () => '---')));
  for (const row of rows) {
    const { naive, shipped, peer, fewerThanPeer, stepRatio, kernelsCode } = row;
    const { fewer, step, code } = TARGETS[row.id];
    process.stdout.write(
      cells([
        row.name,
        row.layouts.join(', '),
        peer === undefined ? '' : whole(peer),
        whole(naive.forward),
        `**${whole(shipped.forward)}**`,
        fewerThanPeer === undefined ? '' : `**${fewerThanPeer.toFixed(2)}** (${fewer})`,
        `${whole(naive.step)}, **${whole(shipped.step)}**`,
        `**${stepRatio.toFixed(2)}** (${step})`,
        `${whole(kernelsCode)} (${whole(code)})`,
        whole(shipped.ram),
      ]),
    );
  }
}

const wanted = ROWS.filter((id) => options.only.length === 0 || options.only.includes(id));
const lacks = lackingFor();
if (lacks.length > 0) {
  process.stderr.write(`bench:kernels: nothing is measured: there is no ${lacks.join(', ')}\n`);
  process.exit(1);
}
if (peerVersion === undefined) {
  process.stderr.write(
    'bench:kernels: without CMSIS-NN to measure against (--cmsis-nn DIR, or the variable CMSIS_NN)\n',
  );
}
const rows: Row[] = [];
for (const cpu of new Set(wanted.map((id) => TARGETS[id].cpu))) {
  buildPrograms(cpu, peerFolder);
  for (const id of wanted.filter((row) => TARGETS[row].cpu === cpu)) rows.push(await measure(id));
}
if (options.json) {
  process.stdout.write(
    `${JSON.stringify({ bench: 'kernels', samples: count, stream: life, peer: peerVersion ?? null, rows })}\n`,
  );
} else {
  print(rows);
  process.stdout.write(
    `\n${peerVersion === undefined ? '' : `CMSIS-NN: ${peerVersion}. `}All results and learned bytes are those of the core in this process.\n`,
  );
}
for (const { name, missed } of rows)
  if (missed.length > 0) process.stderr.write(`bench:kernels: ${name} misses ${missed.join(', ')}\n`);
if (rows.some(({ missed }) => missed.length > 0)) process.exitCode = 1;
