import { encodeImage } from '../../format/image.js';
import type { Model } from '../../format/model.js';
import type { Board, BoardId } from '../boards/board.js';
import { greet } from '../boards/greet.js';
import { startBoard } from '../emulated/start.js';
import { openTransport } from '../resolve.js';
import type { SessionOptions } from '../session.js';
import type { Transport } from '../transport.js';
import type { ContractTarget } from './contract.js';

/** Boards whose emulator has no flash that can be written: what the firmware does about that is checked instead. */
const WITHOUT_STORE: Readonly<Partial<Record<BoardId, string>>> = {
  stm32f405: 'QEMU has no flash controller for this board, so erasing and writing is refused',
};

/**
 * An emulated board answers late at first: QEMU looks once a second whether its terminal was opened. And what a chip does in a second,
 * its emulation may take several for.
 */
const SESSION: SessionOptions = { openMs: 20_000, slowMs: 30_000 };

export interface EmulatedTarget {
  readonly target: ContractTarget;
  /** What to give as `--port`. */
  readonly address: string;
  stop(): Promise<void>;
}

/**
 * Starts a board in its emulator for the contract, with nothing in its store; or with the model, where it can't come over the link.
 *
 * @param model placed for this board
 * @param line what to put between host and board: the line as it is if left out
 * @throws GoodnessError as `startBoard`
 */
export async function startEmulatedTarget(
  board: Board,
  model: Model,
  line: (transport: Transport) => Transport = (transport) => transport,
): Promise<EmulatedTarget> {
  const why = WITHOUT_STORE[board.id];
  const withFirmware = board.budget?.store.kind === 'records';
  const running = await startBoard(board, withFirmware || why !== undefined ? { model: encodeImage(model) } : {});
  return {
    address: running.address,
    target: {
      name: board.id,
      openSession: () =>
        greet(async () => line(await openTransport(running.address)), { ...SESSION, quietMs: board.quietMs ?? 0 }),
      // A Linux process on this machine has no reset.
      ...(board.id === 'linux' ? {} : { reset: () => running.reset() }),
      transfer: withFirmware ? 'with firmware' : 'link',
      savesTo: why === undefined ? 'store' : { nothing: why },
    },
    stop: () => running.close(),
  };
}
