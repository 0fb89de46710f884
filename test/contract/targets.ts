import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BoardId, EmulatorFacts } from '../../src/device/boards/board.js';
import { boardOf } from '../../src/device/boards/boards.js';
import { place, plan } from '../../src/device/boards/planner.js';
import type { ContractTarget } from '../../src/device/contract/contract.js';
import { startEmulatedTarget } from '../../src/device/contract/emulated.js';
import type { FlashStore } from '../../src/device/flash-file.js';
import { startNativeBoard } from '../../src/device/native-board.js';
import { openTransport } from '../../src/device/resolve.js';
import { Session } from '../../src/device/session.js';
import { connectSimulated } from '../../src/device/simulated.js';
import { SimulatedBoard } from '../../src/device/simulated-board.js';
import type { Transport } from '../../src/device/transport.js';
import type { Model } from '../../src/format/model.js';
import { buildFirmware } from '../emulated/support/firmware.js';
import { randomModel } from '../golden/random-model.js';
import { hasProgram } from '../support/programs.js';

/** A board that runs, ready for the contract. */
export interface Running {
  readonly target: ContractTarget;
  stop(): Promise<void>;
}

/** A board to hold the contract against. */
export interface TargetEntry {
  readonly id: string;
  /** What this machine lacks to run it; nothing if it can. */
  lacks(): string[];
  /** A small model that suits the board. */
  model(): Promise<Model>;
  /** Powers it on with an empty store, or with the model where that comes with the firmware. */
  start(model: Model): Promise<Running>;
}

/** Those of these programs that this machine doesn't have. */
function missing(...programs: string[]): string[] {
  return programs.filter((program) => !hasProgram(program));
}

function hasPackage(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** What a board needs beside its firmware. */
function makeFirmware(target: string): void {
  execFileSync('make', ['-s', '-C', fileURLToPath(new URL('../../firmware', import.meta.url)), target], {
    stdio: 'pipe',
    timeout: 300_000,
  });
}

/** A flash in memory that outlives its board. */
function memoryStore(): FlashStore {
  let kept: Uint8Array | undefined;
  return {
    load: () => kept,
    save: (flash) => {
      kept = flash.slice();
    },
  };
}

/** A board that is powered off and on again on its store. */
async function restartable<T>(
  name: string,
  powerOn: () => Promise<T>,
  powerOff: (board: T) => Promise<void>,
  connect: (board: T) => Promise<Transport>,
  discard: () => void = () => {},
): Promise<Running> {
  let board = await powerOn();
  return {
    target: {
      name,
      openSession: async () => Session.open(await connect(board)),
      reset: async () => {
        await powerOff(board);
        board = await powerOn();
      },
      transfer: 'link',
      savesTo: 'store',
    },
    stop: async () => {
      await powerOff(board);
      discard();
    },
  };
}

function simulated(): Promise<Running> {
  const store = memoryStore();
  return restartable(
    'sim',
    () => SimulatedBoard.start({}, store),
    async (board) => board.unplug(),
    (board) => connectSimulated(board),
  );
}

function native(tcp: boolean, threads?: number): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'goodness-contract-'));
  return restartable(
    `linux ${threads === undefined ? '' : 'with threads '}${tcp ? 'over TCP' : 'on a pty'}`,
    () =>
      startNativeBoard({
        store: join(folder, 'flash.bin'),
        ...(tcp ? { tcp: 0 } : {}),
        ...(threads === undefined ? {} : { threads }),
      }),
    (board) => board.close(),
    (board) => openTransport(board.address),
    () => rmSync(folder, { recursive: true }),
  );
}

/** Odd sizes, so that padding and cut frames occur. */
const SMALL = { seed: 61, rawInputs: 25, classes: 4, hidden: [20, 12] } as const;

const needsNative = (): string[] => (process.platform === 'linux' ? missing('cc') : ['Linux']);
const small = async (): Promise<Model> => randomModel(SMALL);

/** Boards of this machine itself: the core as WebAssembly and as a process. */
const HOST_TARGETS: readonly TargetEntry[] = [
  { id: 'sim', lacks: () => [], model: small, start: simulated },
  { id: 'wasm', lacks: () => [], model: small, start: (model) => startEmulatedTarget(boardOf('wasm'), model) },
  { id: 'linux on a pty', lacks: needsNative, model: small, start: () => native(false) },
  { id: 'linux over TCP', lacks: needsNative, model: small, start: () => native(true) },
  { id: 'linux with threads', lacks: needsNative, model: small, start: () => native(true, 2) },
];

/** What each emulator needs beside what builds the firmware. */
const EMULATORS: Readonly<Record<EmulatorFacts['program'], () => string[]>> = {
  qemu: () => missing('qemu-system-arm'),
  'qemu-user': () => [],
  simavr: () => (existsSync('/usr/include/simavr/sim_avr.h') ? missing('cc') : ['libsimavr-dev']),
  rp2040js: () => (hasPackage('rp2040js') ? [] : ['npm package rp2040js']),
  none: () => [],
};

/** Models that show what is special about a board; SMALL with all that fits learning is what the others get. */
const MODELS: Readonly<Partial<Record<BoardId, Parameters<typeof randomModel>[0]>>> = {
  // Weights of the lower layer are used where they lie in flash.
  microbit: { ...SMALL, learns: [false, true] },
  uno: { seed: 61, rawInputs: 16, classes: 4, hidden: [20, 20] },
  mega: { seed: 61, rawInputs: 32, classes: 4, hidden: [32, 24] },
};

/** A board whose firmware is built, and run in its emulator. */
function emulated(id: BoardId, ...programs: string[]): TargetEntry {
  const board = boardOf(id);
  const program = board.emulator?.program ?? 'none';
  return {
    id,
    lacks: () => [...missing('make', board.build!.compiler, ...programs), ...EMULATORS[program]()],
    model: async () => {
      const model = randomModel(MODELS[id] ?? SMALL);
      const learn = model.layers.flatMap((layer, l) => (layer.learns ? [l] : []));
      return place(model, await plan(model, board, MODELS[id]?.learns === undefined ? {} : { learn }));
    },
    start: async (model) => {
      buildFirmware(id);
      for (const target of id === 'microbit' ? ['boot'] : program === 'simavr' ? ['avr-board'] : [])
        makeFirmware(target);
      return startEmulatedTarget(board, model);
    },
  };
}

/** Boards of which the same image runs here as on the real one. */
const BOARD_TARGETS: readonly TargetEntry[] = [
  emulated('mps2-an386'),
  emulated('mps3-an547'),
  emulated('stm32f405'),
  emulated('pico'),
  emulated('microbit'),
  emulated('uno'),
  emulated('mega'),
  emulated('pi-arm64', 'qemu-aarch64-static'),
  emulated('pi-armhf', 'qemu-arm-static'),
];

export const TARGETS: readonly TargetEntry[] = [...HOST_TARGETS, ...BOARD_TARGETS];
