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
import { COMMON } from './arguments.js';
import type { CliContext } from './context.js';
import { writeWhole } from './files.js';
import { readModel } from './model-file.js';
import { LEARN, layersOf } from './plan-text.js';

/** Sequence number of a slot that comes with the firmware. */
const FIRST = 1;

export default defineCommand({
  meta: {
    name: 'export',
    description:
      'Writes a model as a C header: for sketches with the Goodness library (Arduino, PlatformIO) and for firmware of your own. With --board it is placed for that board first: layers that do not fit its RAM stay in flash and do not learn.',
  },
  args: {
    model: { type: 'positional', required: true, description: 'Model image (.ffm)' },
    header: { type: 'string', valueHint: 'model.h', required: true, description: 'Where to write the header' },
    board: { type: 'string', valueHint: 'board', description: 'Place the model for this board: see `goodness boards`' },
    ...LEARN,
    ...COMMON,
  },
  async run({ args, data }) {
    const { output } = data as CliContext;
    if (args.learn !== undefined && args.board === undefined) {
      throw new GoodnessError('usage.option', '--learn needs --board', { fix: 'See `goodness boards`.' });
    }
    const { model: given } = await readModel(args.model);
    const model = args.board === undefined ? given : await placed(given, args.board, args.learn);
    const image = encodeImage(model);
    const slot = encodeSlot(image, FIRST, OBJECT_KIND.image);
    const arenaBytes = await arenaOf(image, model);
    const shape = [model.layers[0]!.inputs, ...model.layers.map((layer) => layer.outputs)].join('-');
    const learns = model.layers.flatMap((layer, l) => (layer.learns ? [l] : []));
    const where = args.board === undefined ? '' : `, placed for ${boardOf(args.board).name}`;
    const learning =
      learns.length === 0
        ? 'nothing learns'
        : learns.length === 1
          ? `layer ${learns[0]} learns`
          : `layers ${learns.join(' and ')} learn`;
    const about = `A goodness model: ${shape}, ${learning}${where}`;
    await writeWhole(args.header, formatHeader(model, slot, { arenaBytes, about }));
    output.result(
      {
        header: args.header,
        bytes: slot.length,
        arenaBytes,
        inputs: model.rawInputs,
        classes: model.classes,
        learns,
        ...(args.board === undefined ? {} : { board: args.board }),
      },
      `${args.header}: ${shape}, ${learning}; ${slot.length} bytes of flash, ${arenaBytes} bytes of RAM`,
    );
  },
});

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
