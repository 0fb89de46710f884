/**
 * What vectors are worth: `npm run bench:simd -- [--only arm64,arm64-dot,cortex-m55,wasm] [--json] [--quick]`. A trained 784-120-120 and real
 * digits; the core with the kernels that it ships, against itself with the naive kernels that define them: as scalar code, and with what
 * vectors the compiler makes of it. Instructions in QEMU; for WebAssembly time in this process, medians of many rounds in which all take turns.
 * A checksum over all products, results and learned weights must be the same everywhere.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { applyShift, type Dataset, encodeImage, loadMnist, selectBackend, slice } from 'goodness';
import { HOST, mnistBase } from './mnist-base.js';
import { benchOptions } from './options.js';
import { buildCounted, countPasses, lacking, PROCESSORS, type ProcessorId } from './passes-counted.js';
import { KERNELS, type Kernels, type Pass, type PassFiles, timePasses } from './passes-timed.js';

const FOLDER = 'build/bench-vectors/files';
const SAMPLES = 500;
/** How many times fewer instructions, or less time, the first layer's product must take than its naive scalar twin. */
const TARGET = 8;
const ROWS = [...(Object.keys(PROCESSORS) as ProcessorId[]), 'wasm'] as const;
const PASSES: readonly Pass[] = ['product', 'infer', 'learn'];
const KINDS = Object.keys(KERNELS) as Kernels[];

interface Row {
  readonly id: (typeof ROWS)[number];
  readonly name: string;
  readonly unit: 'instructions' | 'ns';
  /** Per sample. */
  readonly passes: Readonly<Record<Pass, Readonly<Record<Kernels, number>>>>;
  /** How many times less than the naive kernels take. */
  readonly ratio: Readonly<Record<Pass, Readonly<Record<Kernels, number>>>>;
  /** A naive loop that doesn't skip zeros, against the kernel. */
  readonly denseRatio: number;
  readonly hashes: Readonly<Record<Kernels, number>>;
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

async function files(): Promise<PassFiles> {
  const mnist = await loadMnist();
  const backend = await selectBackend('auto');
  const { model } = await mnistBase({ backend, mnist, quick: options.quick }, 1, 1);
  return {
    image: encodeImage(model),
    test: samples(slice(mnist.test, 0, count)),
    stream: samples(applyShift(slice(mnist.train, HOST, HOST + count), 'rot30', 1001)),
  };
}

function perPass<T>(of: (pass: Pass, kernels: Kernels) => T): Record<Pass, Record<Kernels, T>> {
  const row = (pass: Pass) => Object.fromEntries(KINDS.map((kernels) => [kernels, of(pass, kernels)]));
  return Object.fromEntries(PASSES.map((pass) => [pass, row(pass)])) as Record<Pass, Record<Kernels, T>>;
}

function counted(id: ProcessorId): Row {
  buildCounted(id);
  const runs = Object.fromEntries(KINDS.map((kernels) => [kernels, countPasses(id, kernels, FOLDER)]));
  const figure = (kernels: Kernels, name: string): number => runs[kernels]![name]!;
  const ratio = perPass((pass, kernels) => figure('naive', pass) / figure(kernels, pass));
  return {
    id,
    name: PROCESSORS[id].name,
    unit: 'instructions',
    passes: perPass((pass, kernels) => figure(kernels, pass) / count),
    ratio,
    denseRatio: figure('naive', 'dense') / figure('vector', 'product'),
    hashes: { naive: figure('naive', 'hash'), auto: figure('auto', 'hash'), vector: figure('vector', 'hash') },
    ...(id === 'cortex-m55' ? {} : { reached: ratio.product.vector >= TARGET }),
  };
}

async function timed(input: PassFiles): Promise<Row> {
  const { time, ratio, hashes } = await timePasses(input, options.quick ? 15 : 101);
  return {
    id: 'wasm',
    name: `WebAssembly SIMD (V8 ${process.versions.v8})`,
    unit: 'ns',
    passes: perPass((pass, kernels) => time[pass][kernels] / count),
    ratio,
    denseRatio: time.dense.naive / time.product.vector,
    hashes,
    reached: ratio.product.vector >= TARGET,
  };
}

function print(row: Row): void {
  const { name, unit, passes, ratio, denseRatio } = row;
  const number = (value: number): string => Math.round(value).toLocaleString('en-US');
  process.stdout.write(
    `\n${name}, ${unit} per sample\n\n| pass | naive, scalar | naive, by the compiler | vectors |\n|---|---|---|---|\n`,
  );
  for (const pass of PASSES) {
    const { naive, auto, vector } = passes[pass];
    const times = (kernels: Kernels): string => `${ratio[pass][kernels].toFixed(1)} times less`;
    process.stdout.write(
      `| ${pass} | ${number(naive)} | ${number(auto)} (${times('auto')}) | ${number(vector)} (**${times('vector')}**) |\n`,
    );
  }
  process.stdout.write(
    `\nA naive product that doesn't skip zeros takes ${denseRatio.toFixed(0)} times as much as the kernel.\n`,
  );
}

const input = await files();
mkdirSync(FOLDER, { recursive: true });
writeFileSync(`${FOLDER}/image.ffm`, input.image);
writeFileSync(`${FOLDER}/test.bin`, input.test);
writeFileSync(`${FOLDER}/stream.bin`, input.stream);

const rows: Row[] = [];
for (const id of wanted) {
  const lacks = id === 'wasm' ? [] : lacking(PROCESSORS[id]);
  if (lacks.length > 0) {
    process.stderr.write(`bench:simd: ${id} is not measured: there is no ${lacks.join(', ')}\n`);
    continue;
  }
  const row = id === 'wasm' ? await timed(input) : counted(id);
  rows.push(row);
  if (!options.json) print(row);
}
const hashes = new Set(rows.flatMap((row) => Object.values(row.hashes)));
if (options.json)
  process.stdout.write(
    `${JSON.stringify({ bench: 'simd', samples: count, target: TARGET, sameBytes: hashes.size <= 1, rows })}\n`,
  );
else
  process.stdout.write(hashes.size <= 1 ? '\nAll computed the same bytes.\n' : '\nNOT all computed the same bytes.\n');
for (const row of rows.filter((r) => r.reached === false)) {
  process.stderr.write(`bench:simd: ${row.name}: the product misses ${TARGET} times\n`);
}
if (rows.length === 0 || hashes.size > 1 || rows.some((row) => row.reached === false)) process.exitCode = 1;
