/** The core's passes in WebAssembly, in time: `firmware/bench/passes.c`, one module for each set of kernels. */
import { median } from './options.js';
import type { Figures } from './table.js';
import { sourcesIn, wasmOf } from './wasm.js';

/** What is timed: function of `firmware/bench/passes.h`, and the image that it works on. */
const PASSES = {
  product: ['product', 'image'],
  dense: ['dense', 'image'],
  infer: ['infer', 'image'],
  learn: ['learn', 'image'],
  'product, 4 bits': ['product', 'nibbles'],
  'infer, 4 bits': ['infer', 'nibbles'],
} as const;
type Pass = keyof typeof PASSES;

/** Kernels by name, and how they are compiled; `auto` are the naive ones, and what vectors the compiler makes of them. */
const FLAGS = {
  naive: ['-O2', '-fno-vectorize', '-fno-slp-vectorize', '-DFF_KERNELS=naive'],
  auto: ['-O3', '-msimd128', '-DFF_KERNELS=naive'],
  shipped: ['-O3', '-msimd128'],
} as const;
export type Kernels = keyof typeof FLAGS;
export const KINDS = Object.keys(FLAGS) as Kernels[];

/** Files that the passes work on, as `firmware/bench/passes.h` has them. */
export interface PassFiles {
  readonly image: Uint8Array;
  /** The same with weights and inputs of 4 bits. */
  readonly nibbles: Uint8Array;
  readonly test: Uint8Array;
  readonly stream: Uint8Array;
}

type Exports = Readonly<Record<string, () => number>> & {
  readonly memory: WebAssembly.Memory;
  readonly passes_open: (bytes: number) => number;
};

const FUNCTIONS = ['open', 'infer_start', 'product_start', 'product', 'dense', 'infer', 'learn_start', 'learn']
  .concat(['product_mix', 'results_mix', 'hash'])
  .map((name) => `passes_${name}`);
const PLACES = ['image', 'test', 'stream'] as const;

async function start(kernels: Kernels, files: PassFiles): Promise<Exports> {
  const exported = [...FUNCTIONS, ...PLACES.map((place) => `passes_${place}`)].map((name) => `-Wl,--export=${name}`);
  const sources = [...sourcesIn('firmware/core'), 'firmware/bench/passes.c', 'firmware/bench/passes.h'];
  const module = await wasmOf(`passes-${kernels}`, sources, [...FLAGS[kernels], '-Ifirmware/bench', ...exported]);
  const passes = (await WebAssembly.instantiate(module)).exports as unknown as Exports;
  put(passes, 'test', files.test);
  put(passes, 'stream', files.stream);
  return passes;
}

function put(passes: Exports, place: (typeof PLACES)[number], bytes: Uint8Array): void {
  const { value } = passes[`passes_${place}`] as unknown as WebAssembly.Global;
  new Uint8Array(passes.memory.buffer).set(bytes, value);
}

function open(passes: Exports, image: Uint8Array): void {
  put(passes, 'image', image);
  const status = passes.passes_open(image.length);
  if (status !== 0) throw new Error(`the core refuses the image: status ${status}`);
  passes.passes_infer_start!();
}

/** Everything once, as the program for QEMU does it; the checksum of what was computed. */
function checksum(passes: Exports, files: PassFiles): number {
  const run = (...names: string[]): void => {
    for (const name of names) passes[`passes_${name}`]!();
  };
  open(passes, files.image);
  run('product_start', 'product', 'product_mix', 'dense', 'product_mix', 'infer', 'results_mix');
  run('learn_start', 'learn', 'results_mix');
  open(passes, files.nibbles);
  run('product_start', 'product', 'product_mix', 'infer', 'results_mix');
  return passes.passes_hash!() >>> 0;
}

/** Nanoseconds of a pass over all samples. `learn` begins with the image's weights each time, which isn't counted. */
function time(passes: Exports, pass: Pass): number {
  const [name] = PASSES[pass];
  if (name === 'product' || name === 'dense') passes.passes_product_start!();
  if (name === 'learn') passes.passes_learn_start!();
  const run = passes[`passes_${name}`]!;
  const from = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - from);
}

export interface Timed {
  /** Medians in nanoseconds, over all samples; as `hash` the checksum of what was computed. */
  readonly time: Readonly<Record<Kernels, Figures>>;
  /** How many times faster than the naive kernels: medians of what rounds say, each of which times all of them one after the other. */
  readonly ratio: Readonly<Record<Kernels, Figures>>;
}

/** Times all passes with all kernels, in turns. */
export async function timePasses(files: PassFiles, rounds: number): Promise<Timed> {
  const modules = {} as Record<Kernels, Exports>;
  const times = {} as Record<Kernels, Figures>;
  const ratio: Record<Kernels, Figures> = { naive: {}, auto: {}, shipped: {} };
  for (const kernels of KINDS) {
    modules[kernels] = await start(kernels, files);
    times[kernels] = { hash: checksum(modules[kernels], files) };
  }
  for (const pass of Object.keys(PASSES) as Pass[]) {
    const measured: Record<Kernels, number[]> = { naive: [], auto: [], shipped: [] };
    for (const kernels of KINDS) {
      open(modules[kernels], files[PASSES[pass][1]]);
      // Until the engine has compiled it as well as it can.
      for (let k = 0; k < 30; k++) time(modules[kernels], pass);
    }
    for (let round = 0; round < rounds; round++)
      for (const kernels of KINDS) measured[kernels].push(time(modules[kernels], pass));
    for (const kernels of KINDS) {
      times[kernels][pass] = median(measured[kernels]);
      ratio[kernels][pass] = median(measured[kernels].map((t, round) => measured.naive[round]! / t));
    }
  }
  return { time: times, ratio };
}
