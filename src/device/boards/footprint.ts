import { classStatisticsLength } from '../../format/class-statistics.js';
import { encodeImage } from '../../format/image.js';
import { weightsLength } from '../../format/layout.js';
import { type Model, padded } from '../../format/model.js';
import { SLOT_HEADER } from '../../format/slot.js';
import { stateLength } from '../../format/state.js';
import { WasmCore } from '../wasm/core.js';
import type { CoreExports } from '../wasm/exports.js';
import { coreModule } from '../wasm/module.js';
import type { Budget } from './board.js';
import type { Plan, Room } from './plan.js';

/** LEARN carries u32 index and u8 label in front of a sample (SPEC.md 9.2). */
const SAMPLE_HEAD = 5;
/** A learned record begins with the CRC of the image that it belongs to. */
const RECORD_HEAD = 4;

/** What a model with its layers placed takes on a board, against what there is. */
export interface Footprint {
  readonly ram: Plan['ram'];
  readonly image: Room;
  readonly record: Room | undefined;
  readonly sample: Room;
  /** What a stage hands on to the next board, in an answer. */
  readonly answer: Room | undefined;
  readonly layers: Room;
}

/** Measures a placed model. RAM is what the firmware core says that it takes. */
export async function footprint(model: Model, budget: Budget): Promise<Footprint> {
  const image = encodeImage(model);
  const core = (await WasmCore.withModel(image)).ram();
  const learns = model.layers.some((layer) => layer.learns);
  // The core in this process reads the state in place when nothing learns; where flash is far away it can't.
  const learning = !learns && budget.farFlash ? stateLength(model) : core.learning;
  const need = core.weights + core.inference + learning;
  const left = budget.arenaBytes - need;
  const level = ([2, 1] as const).find((l) => classStatisticsLength(l, model.classes, model.rawInputs) <= left) ?? 0;
  const { store } = budget;
  return {
    ram: {
      need,
      have: budget.arenaBytes,
      weights: core.weights,
      inference: core.inference,
      learning,
      statistics: core.statistics,
      statisticsLevel: level,
    },
    image: { need: SLOT_HEADER + image.length, have: store.kind === 'slots' ? store.slotBytes : store.imageBytes },
    record: store.kind === 'records' && learns ? { need: recordBytes(model), have: store.slotBytes } : undefined,
    sample: { need: SAMPLE_HEAD + model.rawInputs, have: budget.payload },
    answer: model.above === undefined ? undefined : { need: answerBytes(model), have: budget.answer },
    layers: { need: model.layers.length, have: budget.layers },
  };
}

/** Bytes of a learned record in its slot: header, CRC of the base, state, and the weights of each layer that learns. */
function recordBytes(model: Model): number {
  const weights = model.layers.reduce((sum, layer) => sum + (layer.learns ? padded(weightsLength(layer)) : 0), 0);
  return SLOT_HEADER + RECORD_HEAD + stateLength(model) + weights;
}

/** Bytes of a stage's answer to LEARN: status, index, result, scores, and the input of the layer above. */
function answerBytes({ classes, layers }: Model): number {
  return 1 + 4 + 12 + 4 * classes + layers.at(-1)!.outputs;
}

/** RAM of one link's buffer, as the firmware core says. */
export async function linkBytes({ payload, answer }: Pick<Budget, 'payload' | 'answer'>): Promise<number> {
  const { exports } = await WebAssembly.instantiate(await coreModule(), {});
  return (exports as unknown as CoreExports).port_link_bytes(payload, answer);
}

/** What is too small, each as a sentence with its numbers; nothing if all fits. */
export function shortages(footprint: Footprint): string[] {
  const { ram, image, record, sample, answer, layers } = footprint;
  const found: string[] = [];
  const check = ({ need, have }: Room, what: string, unit = 'bytes'): void => {
    if (need > have) found.push(`${what}: ${need} of ${have} ${unit}`);
  };
  check(ram, `RAM for weights (${ram.weights}), inference (${ram.inference}) and learning (${ram.learning})`);
  check(image, 'flash for the image');
  if (record !== undefined) check(record, 'memory for what it learned');
  check(sample, 'a sample in a frame');
  if (answer !== undefined) check(answer, 'what is handed on in a frame');
  check(layers, 'layers', 'that the firmware holds');
  return found;
}
