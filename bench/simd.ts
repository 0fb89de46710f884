/**
 * What kernels for a processor are worth: `npm run bench:simd -- [--only arm64,arm64-dot,cortex-m55,wasm,avr] [--json] [--quick]`. A trained
 * 784-120-120 and real digits; the core with the kernels that it ships, against itself with the naive kernels that define them: as scalar code,
 * and with what vectors the compiler makes of it. Instructions in QEMU; for WebAssembly time in this process, medians of many rounds in which all
 * take turns; a small net on an ATmega328P in simavr, in cycles. A checksum over all products, results and learned weights must be the same.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { applyShift, type Dataset, encodeImage, loadMnist, quantize, selectBackend, slice } from 'goodness';
import { AVR_MODEL, AVR_SAMPLES, buildAvr, countCycles, lackingForAvr } from './avr-cycles.js';
import { HOST, mnistBase } from './mnist-base.js';
import { benchOptions } from './options.js';
import { buildCounted, countPasses, lacking, PROCESSORS, type ProcessorId } from './passes-counted.js';
import { type Kernels, KINDS, type PassFiles, timePasses } from './passes-timed.js';
import type { Figures } from './table.js';

const FOLDER = 'build/bench-vectors/files';
const SAMPLES = 500;
/** How many times fewer instructions, or less time, the first layer's product must take with vectors than its naive scalar twin. */
const TARGET = 8;
const ROWS = [...(Object.keys(PROCESSORS) as ProcessorId[]), 'wasm', 'avr'] as const;
type Id = (typeof ROWS)[number];

/** Of one pass, with each set of kernels that was measured. */
type PerKernels = Readonly<Partial<Record<Kernels, number>>>;

interface Row {
  readonly id: Id;
  readonly name: string;
  readonly unit: 'instructions' | 'ns' | 'cycles';
  /** Of one sample. */
  readonly passes: Readonly<Record<string, PerKernels>>;
  /** How many times less than the naive kernels take. */
  readonly ratio: Readonly<Record<string, PerKernels>>;
  /** Of what was computed, with each set of kernels. */
  readonly checksums: readonly number[];
  /** Whether it reaches the target, where there is one. */
  readonly reached?: boolean;
}

const options = benchOptions('simd', ROWS);
const wanted = ROWS.filter((id) => options.only.length === 0 || options.only.includes(id));
const count = options.quick ? 50 : SAMPLES;

/** Samples as `passes_samples` in firmware/bench/passes.h. */
function samples(data: Dataset): Uint8Array {
  const bytes = new Uint8Array(8 + data.count * (data.width + 1));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.count, true);
  view.setUint32(4, data.width, true);
  bytes.set(data.inputs.subarray(0, data.count * data.width), 8);
  bytes.set(data.labels.subarray(0, data.count), 8 + data.count * data.width);
  return bytes;
}

/** The model and its samples, in memory and as files for emulators. */
async function prepare(): Promise<PassFiles> {
  const mnist = await loadMnist();
  const backend = await selectBackend('auto');
  const { model, network } = await mnistBase({ backend, mnist, quick: options.quick }, 1, 1);
  const image = encodeImage(model);
  const small = { calibration: slice(mnist.train, 0, 1000), seed: 1, bits: 4, inputBits: 4 } as const;
  const nibbles = encodeImage(quantize(network, small).model);
  const test = samples(slice(mnist.test, 0, count));
  const stream = samples(applyShift(slice(mnist.train, HOST, HOST + count), 'rot30', 1001));
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}/image.ffm`, image);
  writeFileSync(`${FOLDER}/nibbles.ffm`, nibbles);
  writeFileSync(`${FOLDER}/test.bin`, test);
  writeFileSync(`${FOLDER}/stream.bin`, stream);
  return { image, nibbles, test, stream };
}

function table(passes: readonly string[], kinds: readonly Kernels[], of: (pass: string, kernels: Kernels) => number) {
  const row = (pass: string): PerKernels => Object.fromEntries(kinds.map((kernels) => [kernels, of(pass, kernels)]));
  return Object.fromEntries(passes.map((pass) => [pass, row(pass)]));
}

/** A row of sums over all samples. A dense product is measured with the naive kernels only: what it costs not to skip zeros. */
function rowOf(id: Id, name: string, unit: Row['unit'], runs: Partial<Record<Kernels, Figures>>): Row {
  const kinds = Object.keys(runs) as Kernels[];
  const passes = Object.keys(runs.naive!).filter((pass) => pass !== 'hash' && pass !== 'dense');
  const ratio = table(passes, kinds, (pass, kernels) => runs.naive![pass]! / runs[kernels]![pass]!);
  const samplesOf = (pass: string): number => (id !== 'avr' ? count : pass === 'load' ? 1 : AVR_SAMPLES);
  const dense = runs.naive!.dense;
  return {
    id,
    name,
    unit,
    passes: {
      ...table(passes, kinds, (pass, kernels) => runs[kernels]![pass]! / samplesOf(pass)),
      ...(dense === undefined ? {} : { 'product without skipping zeros': { naive: dense / count } }),
    },
    ratio,
    checksums: kinds.map((kernels) => runs[kernels]!.hash!),
  };
}

async function measure(id: Id): Promise<Row> {
  if (id === 'avr') {
    buildAvr();
    const name = `ATmega328P, ${AVR_MODEL} that learns in its lower layer`;
    return rowOf(id, name, 'cycles', { naive: countCycles('naive'), shipped: countCycles('shipped') });
  }
  if (id === 'wasm') {
    const { time, ratio } = await timePasses(input!, options.quick ? 15 : 101);
    const row = rowOf(id, `WebAssembly SIMD (V8 ${process.versions.v8})`, 'ns', time);
    // Medians of the rounds' own ratios: what else the machine does hits all that take turns alike.
    const own = table(Object.keys(row.ratio), KINDS, (pass, kernels) => ratio[kernels][pass]!);
    return { ...row, ratio: own, reached: own.product!.shipped! >= TARGET };
  }
  buildCounted(id);
  const runs = Object.fromEntries(KINDS.map((kernels) => [kernels, countPasses(id, kernels, FOLDER)]));
  const row = rowOf(id, PROCESSORS[id].name, 'instructions', runs);
  return id === 'cortex-m55' ? row : { ...row, reached: row.ratio.product!.shipped! >= TARGET };
}

const TITLES: Readonly<Record<Kernels, string>> = {
  naive: 'naive, scalar',
  auto: 'naive, by the compiler',
  shipped: 'shipped',
};

function print({ name, unit, passes, ratio }: Row): void {
  const kinds = Object.keys(passes.product!) as Kernels[];
  const cells = (words: readonly string[]): string => `| ${words.join(' | ')} |\n`;
  const cell = (pass: string, kernels: Kernels): string => {
    const value = passes[pass]![kernels];
    if (value === undefined) return '';
    const figure = Math.round(value).toLocaleString('en-US');
    if (kernels === 'naive') return figure;
    const times = `${ratio[pass]![kernels]!.toFixed(1)} times less`;
    return `${figure} (${kernels === 'shipped' ? `**${times}**` : times})`;
  };
  process.stdout.write(`\n${name}: ${unit}\n\n${cells(['pass', ...kinds.map((k) => TITLES[k])])}`);
  process.stdout.write(`|${'---|'.repeat(1 + kinds.length)}\n`);
  for (const pass of Object.keys(passes)) process.stdout.write(cells([pass, ...kinds.map((k) => cell(pass, k))]));
}

const input = wanted.some((id) => id !== 'avr') ? await prepare() : undefined;
const rows: Row[] = [];
for (const id of wanted) {
  const lacks = id === 'wasm' ? [] : id === 'avr' ? lackingForAvr() : lacking(PROCESSORS[id]);
  if (lacks.length > 0) {
    process.stderr.write(`bench:simd: ${id} is not measured: there is no ${lacks.join(', ')}\n`);
    continue;
  }
  const row = await measure(id);
  rows.push(row);
  if (!options.json) print(row);
}
// The Uno's is another model.
const same = (ids: (id: Id) => boolean): boolean =>
  new Set(rows.filter((row) => ids(row.id)).flatMap((row) => row.checksums)).size <= 1;
const sameBytes = same((id) => id === 'avr') && same((id) => id !== 'avr');
if (options.json) {
  process.stdout.write(`${JSON.stringify({ bench: 'simd', samples: count, target: TARGET, sameBytes, rows })}\n`);
} else process.stdout.write(`\n${sameBytes ? 'All' : 'NOT all'} computed the same bytes.\n`);
const missed = rows.filter((row) => row.reached === false);
for (const { name } of missed) process.stderr.write(`bench:simd: ${name}: the product misses ${TARGET} times\n`);
if (rows.length === 0 || !sameBytes || missed.length > 0) process.exitCode = 1;
