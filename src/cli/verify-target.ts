import { greet } from '../device/boards/greet.js';
import type { ContractTarget } from '../device/contract/contract.js';
import { flashFile } from '../device/flash-file.js';
import { openTransport } from '../device/resolve.js';
import { Session } from '../device/session.js';
import { connectSimulated } from '../device/simulated.js';
import { SimulatedBoard } from '../device/simulated-board.js';
import { flashModel } from '../device/transfer.js';
import type { CoreOptions } from '../device/wasm/core.js';
import { MESSAGES, RESET_MODE } from '../format/message.js';
import type { Model } from '../format/model.js';
import type { ModelFile } from './model-file.js';

const PAGE = 4096;
/** Bytes of a slot beside its image, and of a LEARN beside its sample, with room to spare. */
const SLOT_EXTRA = 64;
const LEARN_EXTRA = 64;
const LEAST_PAYLOAD = 8192;

/** The device that `verify` checks: that of a port, or the firmware core in this process. */
export async function verifyTarget(
  port: string | undefined,
  baud: number,
  { image, model }: ModelFile,
): Promise<ContractTarget> {
  if (port === undefined || port === 'sim' || port.startsWith('sim:')) return simulatedTarget(port, image, model);
  const open = (): Promise<Session> => greet(() => openTransport(port, { baud }));
  const session = await open();
  const { imageWithFirmware, canRestart } = session.hello;
  await session.close();
  const reset = async (): Promise<void> => {
    const asking = await open();
    try {
      await asking.request(MESSAGES.reset, { mode: RESET_MODE.restart });
    } finally {
      await asking.close();
    }
  };
  return {
    name: port,
    openSession: open,
    ...(canRestart ? { reset } : {}),
    transfer: imageWithFirmware ? 'with firmware' : 'link',
    savesTo: 'store',
  };
}

/** A simulated board starts empty, or from its file: what it is to be checked with has to come from here. */
async function simulatedTarget(port: string | undefined, image: Uint8Array, model: Model): Promise<ContractTarget> {
  const file = port?.slice('sim:'.length) ?? '';
  const store = file === '' ? undefined : flashFile(file);
  const board = await SimulatedBoard.start(port === undefined ? roomFor(image, model) : {}, store);
  const openSession = async (): Promise<Session> => Session.open(await connectSimulated(board, port ?? 'sim'));
  const session = await openSession();
  if (!session.hello.modelLoaded) await flashModel(session, image);
  await session.close();
  return { name: port ?? 'wasm', openSession, transfer: 'link', savesTo: 'store' };
}

/** A board on which any model fits: without a port it is the arithmetic that is checked, and not a board. */
function roomFor(image: Uint8Array, model: Model): CoreOptions {
  const slotBytes = Math.ceil((image.length + SLOT_EXTRA) / PAGE) * PAGE;
  const statistics = model.classes * (8 + 4 * model.rawInputs);
  const maxPayload = Math.min(65535, Math.max(LEAST_PAYLOAD, model.rawInputs + LEARN_EXTRA));
  return { slotBytes, pageBytes: PAGE, arenaBytes: 2 * image.length + (1 << 20) + statistics, maxPayload };
}
