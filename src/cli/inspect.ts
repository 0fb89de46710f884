import { defineCommand } from 'citty';
import { GoodnessError } from '../base/errors.js';
import { boardOf } from '../device/boards/boards.js';
import { doesNotFit, place, plan } from '../device/boards/planner.js';
import { type RamSplit, WasmCore } from '../device/wasm/core.js';
import { encodeImage } from '../format/image.js';
import { weightsLength } from '../format/layout.js';
import { metaOf } from '../format/meta.js';
import type { Model } from '../format/model.js';
import { COMMON } from './arguments.js';
import type { CliContext } from './context.js';
import { writeWhole } from './files.js';
import { readModel } from './model-file.js';
import type { Colors, Output } from './output.js';
import { LEARN, layersOf, planText } from './plan-text.js';

export default defineCommand({
  meta: {
    name: 'inspect',
    description:
      'Shows what a model image holds, and the RAM that it needs on a device: weights, inference, learning. With --board it shows the plan for that board: which layers stay in flash, which learn in RAM, and whether all fits.',
  },
  args: {
    model: { type: 'positional', required: true, description: 'Model image (.ffm)' },
    board: { type: 'string', valueHint: 'board', description: 'Plan for this board: see `goodness boards`' },
    ...LEARN,
    out: { type: 'string', valueHint: 'model.ffm', description: 'With --board: write the model as it goes there' },
    ...COMMON,
  },
  async run({ args, data }) {
    const { output } = data as CliContext;
    const { image, model } = await readModel(args.model);
    if (args.board !== undefined) {
      await inspectForBoard(model, args.board, args, output);
      return;
    }
    for (const name of ['learn', 'out'] as const) {
      if (args[name] !== undefined) {
        throw new GoodnessError('usage.option', `--${name} needs --board`, { fix: 'See `goodness boards`.' });
      }
    }
    const ram = (await WasmCore.withModel(image)).ram();
    output.result(inspection(args.model, image.length, model, ram), text(image.length, model, ram, output.colors));
  },
});

/** The plan for a board; it is shown whether it fits or not, but only one that fits is written. */
async function inspectForBoard(
  model: Model,
  id: string,
  args: { readonly learn?: string | undefined; readonly out?: string | undefined },
  output: Output,
): Promise<void> {
  const board = boardOf(id);
  const planned = await plan(model, board, layersOf(args.learn));
  output.result({ ...planned }, planText(planned, board, output.colors));
  if (args.out === undefined) return;
  if (!planned.fits) throw doesNotFit(planned);
  await writeWhole(args.out, encodeImage(place(model, planned)));
}

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
    `input       ${model.rawInputs} ${meta.extractor === undefined ? 'bytes per sample' : `features of ${meta.extractor.file}, a byte each`}${preprocessing === '' ? '' : `, ${preprocessing}`}`,
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
        [weightsLength(layer), 8],
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
