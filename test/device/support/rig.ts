import { Random } from '../../../src/base/random.js';
import type { Dataset } from '../../../src/data/dataset.js';
import { BYTE_SCALING } from '../../../src/data/dataset.js';
import { Session, type SessionOptions } from '../../../src/device/session.js';
import { connectSimulated } from '../../../src/device/simulated.js';
import { SimulatedBoard } from '../../../src/device/simulated-board.js';
import { flashModel } from '../../../src/device/transfer.js';
import type { CoreOptions } from '../../../src/device/wasm/core.js';
import { encodeImage } from '../../../src/format/image.js';
import type { Model } from '../../../src/format/model.js';
import { randomInputs, randomModel } from '../../golden/random-model.js';

export const MODEL = randomModel({ seed: 11, rawInputs: 24, classes: 4, hidden: [20, 12] });
export const IMAGE = encodeImage(MODEL);

/** Samples of random bytes and labels for a model. */
export function randomData(model: Model, seed: number, count: number): Dataset {
  const inputs = new Uint8Array(count * model.rawInputs);
  for (const [i, x] of randomInputs(seed, count, model.rawInputs).entries()) inputs.set(x, i * model.rawInputs);
  const random = new Random(seed + 1);
  return {
    name: 'random bytes',
    inputs,
    labels: Uint8Array.from({ length: count }, () => random.integer(model.classes)),
    count,
    width: model.rawInputs,
    classes: Array.from({ length: model.classes }, (_, c) => `class ${c}`),
    scaling: BYTE_SCALING,
  };
}

/** A simulated board with a session to it, and with MODEL flashed unless `image` says otherwise. */
export async function openRig(
  options: { board?: CoreOptions; session?: SessionOptions; image?: Uint8Array | null } = {},
): Promise<{ board: SimulatedBoard; session: Session }> {
  const board = await SimulatedBoard.start(options.board);
  const session = await Session.open(await connectSimulated(board), options.session);
  const image = options.image === undefined ? IMAGE : options.image;
  if (image !== null) await flashModel(session, image);
  return { board, session };
}
