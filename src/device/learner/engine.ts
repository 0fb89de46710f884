import { decodeImage } from '../../format/image.js';
import { MESSAGES, type Outcome } from '../../format/message.js';
import type { Model } from '../../format/model.js';
import type { FlashStore } from '../flash-file.js';
import { pullImage } from '../pull.js';
import { save } from '../push.js';
import { openTransport } from '../resolve.js';
import { Session } from '../session.js';
import { connectSimulated } from '../simulated.js';
import { SimulatedBoard } from '../simulated-board.js';
import { serveTcp } from '../tcp-server.js';
import { flashModel } from '../transfer.js';

/** What computes for a learner: the core in this process, or a device on a port. */
export interface Engine {
  /** The model as it stands now, or undefined if there is none. */
  model(): Promise<Model | undefined>;
  /** Changes when the model may have been replaced by way of a line: it costs little to ask. */
  readonly stamp: number;
  load(image: Uint8Array): Promise<void>;
  infer(x: Uint8Array): Promise<Outcome>;
  learn(x: Uint8Array, label: number): Promise<Outcome>;
  /** Scores of all classes of the last sample; undefined where the device doesn't tell. */
  scores(): Uint32Array | undefined;
  /** Switches class statistics on, empty: what a sync learns of the sensor's world. */
  statistics(level: number): Promise<void>;
  save(): Promise<number>;
  /** Serves the same device to others over TCP; undefined where that is not this process's to do. */
  serve?(port: number, host: string): Promise<{ readonly address: string; close(): Promise<void> }>;
  close(): Promise<void>;
}

/** The firmware core in this process, with flash in `store` or in memory. */
export async function inProcessEngine(store?: FlashStore): Promise<Engine> {
  const board = await SimulatedBoard.start({}, store);
  // Transfers and saves go by a line of the board's own, as those of any host do: in bounded steps, between samples.
  const session = await Session.open(await connectSimulated(board));
  return {
    model: async () => {
      await session.refresh();
      return session.hello.modelLoaded ? decodeImage(board.image()) : undefined;
    },
    get stamp() {
      return board.flashWrites;
    },
    load: async (image) => {
      await flashModel(session, image);
    },
    infer: async (x) => board.infer(x),
    learn: async (x, label) => board.learn(x, label),
    scores: () => board.scores(),
    statistics: async (level) => {
      await session.request(MESSAGES.statistics, { level });
    },
    save: () => save(session),
    serve: (port, host) => serveTcp(board, port, host),
    close: async () => {
      await session.close();
      board.unplug('the learner was closed');
    },
  };
}

/** A device on a port: the native Linux port, or a microcontroller. */
export async function portEngine(name: string): Promise<Engine> {
  const session = await Session.open(await openTransport(name));
  let index = 0;
  await session.request(MESSAGES.stream, { index });
  return {
    model: async () => {
      await session.refresh();
      return session.hello.modelLoaded ? decodeImage(await pullImage(session)) : undefined;
    },
    get stamp() {
      return session.hello.imageLength;
    },
    load: async (image) => {
      await flashModel(session, image);
      await session.request(MESSAGES.stream, { index });
    },
    infer: (input) => session.request(MESSAGES.infer, { input }),
    learn: async (input, label) => {
      const { next, outcome } = await session.request(MESSAGES.learn, { index, input, label });
      index = next;
      return outcome;
    },
    scores: () => undefined,
    statistics: async (level) => {
      await session.request(MESSAGES.statistics, { level });
    },
    save: () => save(session),
    close: () => session.close(),
  };
}
