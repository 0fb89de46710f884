import { defineCommand } from 'citty';
import { GoodnessError } from '../base/errors.js';
import { boardOf } from '../device/boards/boards.js';
import { doesNotFit, place, plan } from '../device/boards/planner.js';
import { WasmCore } from '../device/wasm/core.js';
import { formatHeader } from '../format/c-header.js';
import { encodeImage } from '../format/image.js';
import { OBJECT_KIND } from '../format/message.js';
import type { Model } from '../format/model.js';
import { encodeSlot } from '../format/slot.js';
import { stateLength } from '../format/state.js';
import { exportTflite } from '../tflite/network.js';
import { COMMON, oneOf } from './arguments.js';
import type { CliContext } from './context.js';
import { writeWhole } from './files.js';
import { readModel } from './model-file.js';
import type { Output } from './output.js';
import { LEARN, layersOf } from './plan-text.js';

/** Sequence number of a slot that comes with the firmware. */
const FIRST = 1;

export default defineCommand({
  meta: {
    name: 'export',
    description:
      'Writes a model for others. As a C header (--header): for sketches with the Goodness library (Arduino, PlatformIO) and for firmware of your own; with --board it is placed for that board first: layers that do not fit its RAM stay in flash and do not learn. As a TensorFlow Lite model (--tflite): the sensor’s bytes in, the goodness of each class out, nothing learns.',
  },
  args: {
    model: { type: 'positional', required: true, description: 'Model image (.ffm)' },
    header: { type: 'string', valueHint: 'model.h', description: 'Where to write the header' },
    tflite: { type: 'string', valueHint: 'model.tflite', description: 'Where to write the TensorFlow Lite model' },
    activations: {
      type: 'string',
      default: '8',
      valueHint: 'bits',
      description: '--tflite: bits of what goes into and out of the products, 8 or 16; weights have 8',
    },
    board: { type: 'string', valueHint: 'board', description: 'Place the model for this board: see `goodness boards`' },
    ...LEARN,
    ...COMMON,
  },
  async run({ args, data }) {
    const { output } = data as CliContext;
    if (args.learn !== undefined && args.board === undefined) {
      throw new GoodnessError('usage.option', '--learn needs --board', { fix: 'See `goodness boards`.' });
    }
    if ((args.header === undefined) === (args.tflite === undefined)) {
      throw new GoodnessError('usage.option', 'export writes one file', {
        expected: '--header model.h or --tflite model.tflite',
        got: args.header === undefined ? 'neither' : 'both',
      });
    }
    if (args.tflite !== undefined && args.board !== undefined) {
      throw new GoodnessError('usage.option', '--board goes with --header', {
        fix: 'A TensorFlow Lite model is the same for all machines: leave --board out.',
      });
    }
    const activations = Number(oneOf('activations', args.activations, ['8', '16'])) as 8 | 16;
    const { model } = await readModel(args.model);
    if (args.header !== undefined) await writeHeader(model, { ...args, header: args.header }, output);
    else await writeTflite(model, args.tflite!, activations, output);
  },
});

async function writeTflite(model: Model, path: string, activations: 8 | 16, output: Output): Promise<void> {
  const file = exportTflite(model, { activations });
  await writeWhole(path, file);
  const { rawInputs: inputs, classes } = model;
  output.result(
    { tflite: path, bytes: file.length, inputs, classes, activations },
    `${path}: ${shapeText(model)}; ${file.length} bytes; in: ${inputs} bytes of the sensor as int8 (byte - 128), out: the goodness of ${classes} classes`,
  );
}

interface HeaderOptions {
  readonly header: string;
  readonly board?: string | undefined;
  readonly learn?: string | undefined;
}

async function writeHeader(given: Model, { header, board, learn }: HeaderOptions, output: Output): Promise<void> {
  const model = board === undefined ? given : await placed(given, board, learn);
  const image = encodeImage(model);
  const slot = encodeSlot(image, FIRST, OBJECT_KIND.image);
  const arenaBytes = await arenaOf(image, model);
  const shape = shapeText(model);
  const learns = model.layers.flatMap((layer, l) => (layer.learns ? [l] : []));
  const where = board === undefined ? '' : `, placed for ${boardOf(board).name}`;
  const learning =
    learns.length === 0
      ? 'nothing learns'
      : learns.length === 1
        ? `layer ${learns[0]} learns`
        : `layers ${learns.join(' and ')} learn`;
  const about = `A goodness model: ${shape}, ${learning}${where}`;
  await writeWhole(header, formatHeader(model, slot, { arenaBytes, about }));
  output.result(
    {
      header,
      bytes: slot.length,
      arenaBytes,
      inputs: model.rawInputs,
      classes: model.classes,
      learns,
      ...(board === undefined ? {} : { board }),
    },
    `${header}: ${shape}, ${learning}; ${slot.length} bytes of flash, ${arenaBytes} bytes of RAM`,
  );
}

function shapeText({ layers }: Model): string {
  return [layers[0]!.inputs, ...layers.map((layer) => layer.outputs)].join('-');
}

async function placed(model: Model, id: string, learn: string | undefined): Promise<Model> {
  const planned = await plan(model, boardOf(id), layersOf(learn));
  if (!planned.fits) throw doesNotFit(planned);
  return place(model, planned);
}

/** RAM of the model on any target: where flash is far away, a model that doesn't learn has its state in RAM all the same. */
async function arenaOf(image: Uint8Array, model: Model): Promise<number> {
  const { weights, inference, learning } = (await WasmCore.withModel(image)).ram();
  const learns = model.layers.some((layer) => layer.learns);
  return weights + inference + (learns ? learning : Math.max(learning, stateLength(model)));
}
