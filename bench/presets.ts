/**
 * The presets of `goodness train --preset`: `npm run bench:presets -- [--seeds N] [--only digits-16k,...] [--json] [--quick]`. Each is trained from
 * its recipe once per seed and judged by the firmware core (WebAssembly) on the 10,000 test images; docs/presets.md has a card for each.
 */
import {
  CoreLearner,
  encodeImage,
  loadMnist,
  type Model,
  PRESETS,
  pool as poolImages,
  selectBackend,
  WasmCore,
} from 'goodness';
import { library } from './library.js';
import type { MnistLab } from './mnist-base.js';
import { benchOptions, median } from './options.js';
import { presetBase } from './preset-base.js';
import { type Figures, printRows, type Row } from './table.js';

type Layout = typeof import('../dist/format/layout.js');
const { weightsLength } = await library<Layout>('format/layout');

async function measure(lab: MnistLab, name: string, seed: number): Promise<Figures> {
  const pool = PRESETS[name]!.recipe.pool ?? 1;
  const { model } = await presetBase(lab, name, seed, 60000);
  const host = poolImages(lab.mnist.train, pool);
  const device = await CoreLearner.create(model, { backend: lab.backend, host, pool: 1, seed });
  const { error, falseReject, falseAccept } = await device.evaluate(poolImages(lab.mnist.test, pool));
  return { error, falseReject, falseAccept, ...(await sizes(model)), ...thresholds(model) };
}

/** Bytes: weights as they lie on the device, the whole image, and the split of RAM. */
async function sizes(model: Model): Promise<Figures> {
  const image = encodeImage(model);
  const weights = model.layers.reduce((sum, layer) => sum + weightsLength(layer), 0);
  const { inference, learning } = (await WasmCore.withModel(image)).ram();
  return { weightBytes: weights, imageBytes: image.length, inferenceRam: inference, learningRam: learning };
}

/** Smallest and largest class threshold, as scores. */
function thresholds({ state }: Model): Figures {
  return { lowestThreshold: Math.min(...state.thresholds), highestThreshold: Math.max(...state.thresholds) };
}

const TARGETS: Readonly<Record<string, string>> = {
  'digits-16k': 'error <= 2.0, weights <= 16,384 bytes',
  'digits-110k': 'error <= 1.5, weights <= 112,640 bytes',
};

const options = benchOptions('presets', Object.keys(PRESETS));
const lab: MnistLab = { backend: await selectBackend('auto'), mnist: await loadMnist(), quick: options.quick };
const rows: Row[] = [];
for (const [name, { what }] of Object.entries(PRESETS)) {
  if (options.only.length > 0 && !options.only.includes(name)) continue;
  const began = performance.now();
  const runs: Figures[] = [];
  for (let seed = 1; seed <= options.seeds; seed++) runs.push(await measure(lab, name, seed));
  const medians: Figures = {};
  for (const key of Object.keys(runs[0]!)) medians[key] = median(runs.map((run) => run[key]!));
  rows.push({
    name,
    what,
    target: TARGETS[name] ?? '',
    seconds: (performance.now() - began) / 1000,
    median: medians,
    runs,
  });
  process.stderr.write(`${name}: ${JSON.stringify(medians)}\n`);
}
if (options.json) process.stdout.write(`${JSON.stringify({ seeds: options.seeds, quick: options.quick, rows })}\n`);
else printRows(rows);
