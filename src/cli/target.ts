import { GoodnessError } from '../base/errors.js';
import type { Dataset } from '../data/dataset.js';
import { greet } from '../device/boards/greet.js';
import { Chain } from '../device/chain/chain.js';
import { asOnBoards, chainShape, chainTarget } from '../device/chain/exchange.js';
import { flashChain } from '../device/chain/flash.js';
import { chainStatus, evaluateChain, learnChain } from '../device/chain/stream.js';
import type { Evaluation } from '../device/evaluation.js';
import { asOnDevice, pullShape } from '../device/pull.js';
import { save } from '../device/push.js';
import { openTransport } from '../device/resolve.js';
import type { Session } from '../device/session.js';
import { evaluate, type LearnOptions, type LearnReport, learn } from '../device/stream.js';
import { deviceTarget, type SyncTarget } from '../device/sync-target.js';
import { flashModel, type OnProgress } from '../device/transfer.js';
import { MESSAGES, type StatusResponse } from '../format/message.js';
import type { Model } from '../format/model.js';
import type { CliContext } from './context.js';
import { withDevice } from './device-session.js';
import type { ModelFile } from './model-file.js';
import { baudOf } from './port-choice.js';

/** What a command plays samples to and syncs: a device, or several that have the stages of one network. */
export interface Target {
  /** The ports as they were named. */
  readonly port: string;
  /** What the firmware calls itself. */
  readonly target: string;
  /** The device that gets the samples, and keeps statistics of them. */
  readonly lowest: Session;
  readonly sync: SyncTarget;
  /** Puts a model there. */
  flash(file: ModelFile, onProgress: OnProgress): Promise<void>;
  evaluate(data: Dataset, onProgress: OnProgress): Promise<Evaluation>;
  learn(data: Dataset, options: LearnOptions): Promise<LearnReport>;
  /** Has what was learned written to the store; gives the sequence number of the slot, of the lowest device. */
  save(): Promise<number>;
  status(): Promise<StatusResponse>;
  /** The model that it carries, without anything that was learned; or as the host knows it, with what learns there. */
  known(model: Model | undefined): Promise<Model>;
}

/** Options of commands that a pipeline of boards can be named for. */
export const PIPELINE = {
  pipeline: {
    type: 'string',
    valueHint: 'port,port',
    description:
      'In place of --port: boards with the stages of one network, the lowest layers first; see docs/pipelines.md',
  },
} as const;

export interface TargetArguments {
  readonly port?: string | undefined;
  readonly pipeline?: string | undefined;
  readonly baud: string;
}

/** Opens what `--port` or `--pipeline` names, and closes it when `use` has ended. */
export async function withTarget<T>(
  args: TargetArguments,
  context: CliContext,
  use: (target: Target) => Promise<T>,
): Promise<T> {
  if (args.pipeline === undefined) return withDevice(args, context, (session) => use(deviceOf(session)));
  return withBoards(args, context, (sessions) => use(pipelineOf(sessions)));
}

/** Opens the boards that `--pipeline` names, whatever they carry. */
export async function withBoards<T>(
  { port, pipeline = '', baud }: TargetArguments,
  { output }: CliContext,
  use: (sessions: readonly Session[]) => Promise<T>,
): Promise<T> {
  const ports = pipeline.split(',').map((name) => name.trim());
  if (port !== undefined || ports.length < 2 || ports.includes('') || new Set(ports).size < ports.length) {
    throw new GoodnessError('usage.pipeline', '--pipeline takes the ports of two boards or more, and no --port', {
      expected: 'such as /dev/ttyACM0,/dev/ttyACM1',
      got: JSON.stringify(pipeline),
    });
  }
  const speed = baudOf(baud);
  const sessions: Session[] = [];
  try {
    for (const name of ports) {
      sessions.push(await greet(() => openTransport(name, { baud: speed })));
      const { target, modelLoaded, samples } = sessions.at(-1)!.hello;
      output.note(`${name}: ${target}${modelLoaded ? `, ${samples} samples learned so far` : ', no model yet'}`);
    }
    return await use(sessions);
  } finally {
    for (const session of sessions) {
      const { retries } = session.line;
      if (retries > 0)
        output.note(`${retries} requests to ${session.transport.name} were sent again: its line loses bytes`);
      await session.close();
    }
  }
}

function deviceOf(session: Session): Target {
  return {
    port: session.transport.name,
    target: session.hello.target,
    lowest: session,
    sync: deviceTarget(session),
    flash: async ({ image }, onProgress) => {
      await flashModel(session, image, { verify: false, onProgress: (_, done, total) => onProgress(done, total) });
    },
    evaluate: (data, onProgress) => evaluate(session, data, onProgress),
    learn: (data, options) => learn(session, data, options),
    save: () => save(session),
    status: () => session.request(MESSAGES.status, undefined),
    known: (model) => (model === undefined ? pullShape(session) : asOnDevice(session, model)),
  };
}

function pipelineOf(sessions: readonly Session[]): Target {
  // What the boards carry is asked for when it is needed: it may be flashed first.
  let found: Chain | undefined;
  let target: SyncTarget | undefined;
  const chain = async (): Promise<Chain> => {
    found ??= await Chain.of(sessions);
    return found;
  };
  return {
    port: sessions.map(({ transport }) => transport.name).join(','),
    target: sessions.map(({ hello }) => hello.target).join(','),
    lowest: sessions[0]!,
    sync: {
      get traffic() {
        const sum = (of: 'up' | 'down'): number =>
          sessions.reduce((total, { transport }) => total + transport.traffic[of], 0);
        return { up: sum('up'), down: sum('down') };
      },
      pull: async (known, random, options) => {
        target = chainTarget(await chain());
        return target.pull(known, random, options);
      },
      push: (pulled, merged, onProgress) => target!.push(pulled, merged, onProgress),
      save: async () => {
        await (await chain()).save();
      },
    },
    flash: async ({ model }, onProgress) => {
      const parts = new Array<number>(sessions.length).fill(0);
      await flashChain(sessions, model, {
        verify: false,
        onProgress: (stage, _, done, total) => {
          parts[stage] = done / total;
          onProgress(
            parts.reduce((sum, part) => sum + part, 0),
            sessions.length,
          );
        },
      });
      found = undefined;
    },
    evaluate: async (data, onProgress) => evaluateChain(await chain(), data, onProgress),
    learn: async (data, options) => learnChain(await chain(), data, options),
    save: async () => (await (await chain()).save())[0]!,
    status: async () => chainStatus(await chain()),
    known: async (model) => (model === undefined ? chainShape(await chain()) : asOnBoards(await chain(), model)),
  };
}
