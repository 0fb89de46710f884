import { defineCommand } from 'citty';
import { type RamSplit, WasmCore } from '../device/wasm/core.js';
import { metaOf } from '../format/meta.js';
import type { Model } from '../format/model.js';
import { COMMON } from './arguments.js';
import type { CliContext } from './context.js';
import { readModel } from './model-file.js';
import type { Colors } from './output.js';

export default defineCommand({
  meta: {
    name: 'inspect',
    description: 'Shows what a model image holds, and the RAM that it needs on a device: weights, inference, learning.',
  },
  args: { model: { type: 'positional', required: true, description: 'Model image (.ffm)' }, ...COMMON },
  async run({ args, data }) {
    const { output } = data as CliContext;
    const { image, model } = await readModel(args.model);
    const ram = (await WasmCore.withModel(image)).ram();
    output.result(inspection(args.model, image.length, model, ram), text(image.length, model, ram, output.colors));
  },
});

function inspection(file: string, imageBytes: number, model: Model, ram: RamSplit): object {
  const { classes: names, ...meta } = metaOf(model);
  const { layers, thresholds, counts, means: _, ...state } = model.state;
  return {
    file,
    imageBytes,
    rawInputs: model.rawInputs,
    objective: model.objective,
    encoding: model.encoding,
    subtractMin: model.subtractMin,
    layers: model.layers.map(({ weights, ...layer }, l) => ({ ...layer, weights: weights.length, ...layers[l] })),
    classes: names.map((name, c) => ({ name, threshold: thresholds[c], samples: counts[c] })),
    state,
    ram,
    meta,
  };
}

function text(imageBytes: number, model: Model, ram: RamSplit, c: Colors): string {
  const meta = metaOf(model);
  const { state } = model;
  const shape = [model.layers[0]!.inputs, ...model.layers.map((layer) => layer.outputs)].join('-');
  const from = meta.dataset === undefined ? '' : ` for ${meta.dataset}`;
  const preprocessing = [
    model.subtractMin ? 'smallest byte subtracted' : '',
    model.encoding === 'complement' ? 'with complements' : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
  const learning = ram.weights + ram.inference + ram.learning;
  return [
    `${c.bold(shape)}${from}, ${model.objective === 'label' ? 'label in the input' : 'class-partitioned'}`,
    `input       ${model.rawInputs} bytes per sample${preprocessing === '' ? '' : `, ${preprocessing}`}`,
    `image       ${imageBytes} bytes`,
    `RAM         ${learning} bytes: weights ${ram.weights}, inference ${ram.inference}, learning ${ram.learning}; class statistics ${ram.statistics} more`,
    `base        ${state.baseId.toString(16).padStart(8, '0')}, ${state.samples} samples learned`,
    '',
    c.bold('layer  inputs  neurons   weights    scale  length  shift       theta  score  rate  learns'),
    ...model.layers.map((layer, l) => {
      const { theta, scoreFactor, rate } = state.layers[l]!;
      const cells: [string | number, number][] = [
        [l, 5],
        [layer.inputs, 6],
        [layer.outputs, 7],
        [layer.weights.length, 8],
        [layer.scale.toPrecision(3), 7],
        [2 ** layer.lengthShift, 6],
        [layer.outputShift, 5],
        [theta, 10],
        [scoreFactor, 5],
        [rate, 4],
        [layer.learns ? 'yes' : 'no', 6],
      ];
      return cells.map(([cell, width]) => String(cell).padStart(width)).join('  ');
    }),
    '',
    c.bold('class            threshold  learned'),
    ...meta.classes.map(
      (name, k) =>
        `${name.slice(0, 14).padEnd(14)} ${String(state.thresholds[k]).padStart(11)} ${String(state.counts[k]).padStart(8)}`,
    ),
    `${'(novel below)'.padEnd(14)} ${String(state.noveltyThreshold).padStart(11)}`,
  ].join('\n');
}
