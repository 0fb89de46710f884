import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GoodnessError } from '../../base/errors.js';
import type { Board, BoardId } from '../boards/board.js';
import { compose, modelSegments, readFirmware } from '../boards/composition.js';
import { firmwareFor, PACKAGE_ROOT } from '../boards/firmware.js';
import { openTransport } from '../resolve.js';
import { Session } from '../session.js';
import { flashModel } from '../transfer.js';
import type { EmulatedBoard } from './emulated-board.js';

export interface StartOptions {
  /** A placed and encoded model that the board has from the start. */
  readonly model?: Uint8Array;
  /** File that keeps its flash or EEPROM from one start to the next, where the emulator can. */
  readonly store?: string;
}

interface Emulation {
  /** Whether the emulator can put a model there before the board starts; else it is sent over the link. */
  readonly placesModel: boolean;
  /** Whether it has a use for `store`. */
  readonly keepsStore: boolean;
  start(board: Board, options: StartOptions): Promise<EmulatedBoard>;
}

/** Time for a board in an emulator to answer for the first time, in ms: QEMU looks at its terminal once a second. */
const GREET_MS = 15_000;

/** How each board is started; each emulator is loaded when it is needed. Boards that aren't here have none. */
const EMULATIONS: Readonly<Partial<Record<BoardId, Emulation>>> = {
  'mps2-an386': mps('mps2-an386'),
  'mps3-an547': mps('mps3-an547'),
  stm32f405: {
    placesModel: true,
    keepsStore: false,
    start: async (board, { model }) => {
      const { startStm32f405 } = await import('./qemu-stm32f405.js');
      return startStm32f405({ firmware: firmwareFor(board).path, ...(model === undefined ? {} : { model }) });
    },
  },
  microbit: {
    placesModel: true,
    keepsStore: false,
    start: async (_, { model }) => {
      const { startMicrobit } = await import('./microbit.js');
      const boot = built('boot/microbit/boot.bin', 'microbit');
      const firmware = built('boards/microbit/firmware.bin', 'microbit');
      return startMicrobit({ boot, firmware, ...(model === undefined ? {} : { model }) });
    },
  },
  pico: {
    placesModel: true,
    keepsStore: true,
    start: async (board, { model, store }) => {
      const { startPico } = await import('./rp2040.js');
      const { path } = firmwareFor(board);
      const code = await readFirmware(board, readFileSync(path), path);
      const firmware = await compose(board, code, model === undefined ? undefined : modelSegments(board, model));
      return startPico({ firmware, ...(store === undefined ? {} : { flash: store }) });
    },
  },
  uno: avr('uno'),
  mega: avr('mega'),
  'pi-arm64': pi('arm64'),
  'pi-armhf': pi('armhf'),
  linux: {
    placesModel: false,
    keepsStore: true,
    start: async (_, { store }) => {
      const { startNativeBoard } = await import('../native-board.js');
      return withoutReset(await startNativeBoard(store === undefined ? {} : { store }));
    },
  },
  wasm: {
    placesModel: false,
    keepsStore: true,
    start: async (_, { store }) => {
      const { startSimulated } = await import('./simulated.js');
      return startSimulated(store === undefined ? {} : { store });
    },
  },
};

/** Boards that `startBoard` can start. */
export const EMULATED_BOARDS = Object.keys(EMULATIONS) as BoardId[];

/**
 * Starts the firmware of a board in its emulator.
 * @throws GoodnessError `emulator.none` for a board without one, `emulator.missing` where its program isn't installed,
 * `emulator.store` for a store that it has no use for, `firmware.absent` where the firmware must be built first
 */
export async function startBoard(board: Board, options: StartOptions = {}): Promise<EmulatedBoard> {
  const emulation = EMULATIONS[board.id];
  if (emulation === undefined) {
    throw new GoodnessError('emulator.none', `there is no emulator for ${board.name}`, {
      expected: `one of ${EMULATED_BOARDS.join(', ')}`,
      got: board.id,
      fix: 'Use `goodness simulate` without --board: the simulated board runs the same core.',
    });
  }
  if (options.store !== undefined && !emulation.keepsStore) {
    throw new GoodnessError(
      'emulator.store',
      `the emulator of ${board.name} keeps nothing from one start to the next`,
      {
        fix: 'Leave the file out; a reset of the board keeps what the board would keep.',
      },
    );
  }
  const started = await emulation.start(board, options);
  if (options.model === undefined || emulation.placesModel) return started;
  try {
    await sendModel(started.address, options.model);
    return started;
  } catch (error) {
    await started.close();
    throw error;
  }
}

async function sendModel(address: string, model: Uint8Array): Promise<void> {
  const session = await Session.open(await openTransport(address), { openMs: GREET_MS });
  try {
    await flashModel(session, model, { verify: false });
  } finally {
    await session.close();
  }
}

function mps(machine: 'mps2-an386' | 'mps3-an547'): Emulation {
  return {
    placesModel: false,
    keepsStore: false,
    start: async (board) => (await import('./qemu-mps.js')).startMps({ machine, firmware: firmwareFor(board).path }),
  };
}

function avr(id: 'uno' | 'mega'): Emulation {
  return {
    placesModel: true,
    keepsStore: true,
    start: async (board, { model, store }) => {
      const { startAvrBoard } = await import('./avr-boards.js');
      return startAvrBoard(
        { ...board, id },
        {
          firmware: firmwareFor(board).path,
          ...(model === undefined ? {} : { model }),
          ...(store === undefined ? {} : { eeprom: store }),
        },
      );
    },
  };
}

function pi(architecture: 'arm64' | 'armhf'): Emulation {
  return {
    placesModel: false,
    keepsStore: true,
    start: async (board, { store }) => {
      const { startPi } = await import('./qemu-pi.js');
      return startPi(architecture, { program: firmwareFor(board).path, ...(store === undefined ? {} : { store }) });
    },
  };
}

/** A process has no reset button: who wants another start closes it and starts one. */
function withoutReset(board: Omit<EmulatedBoard, 'reset'>): EmulatedBoard {
  return {
    ...board,
    reset: () =>
      Promise.reject(new GoodnessError('emulator.reset', 'a Linux process has no reset', { fix: 'Start it again.' })),
  };
}

/** A file that building the firmware leaves in build/ beside the .hex, and that the package doesn't carry. */
function built(name: string, board: string): string {
  const path = join(PACKAGE_ROOT, 'build', name);
  if (existsSync(path)) return path;
  throw new GoodnessError('firmware.absent', 'the emulator needs firmware that was built on this machine', {
    expected: path,
    fix: `Build it with \`goodness firmware build ${board}\`.`,
  });
}
