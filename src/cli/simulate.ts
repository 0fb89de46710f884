import { defineCommand } from 'citty';
import { GoodnessError } from '../base/errors.js';
import type { Board } from '../device/boards/board.js';
import { boardOf } from '../device/boards/boards.js';
import { place, plan } from '../device/boards/planner.js';
import { startBoard } from '../device/emulated/start.js';
import { flashFile } from '../device/flash-file.js';
import { startNativeBoard } from '../device/native-board.js';
import { SimulatedBoard } from '../device/simulated-board.js';
import { serveTcp } from '../device/tcp-server.js';
import { encodeImage } from '../format/image.js';
import { COMMON, numberOf } from './arguments.js';
import type { CliContext } from './context.js';
import { readModel } from './model-file.js';
import { LEARN, layersOf } from './plan-text.js';

export default defineCommand({
  meta: {
    name: 'simulate',
    description:
      'Runs a virtual board until Ctrl-C, and prints the port that other commands reach it by. Over TCP it is the firmware core in WebAssembly, for up to four programs at once; as a pseudo terminal it is the native Linux port, compiled when first needed; with --board the firmware of that board in its emulator.',
  },
  args: {
    tcp: {
      type: 'string',
      valueHint: 'port',
      description: 'Serve this TCP port (0: any free one; what happens without options)',
    },
    pty: { type: 'boolean', description: 'Serve a pseudo terminal (Linux with a C compiler)' },
    threads: {
      type: 'string',
      description: 'With --pty: learn and infer in a pipeline of so many threads, each with some of the layers, 2 to 8',
    },
    host: { type: 'string', default: '127.0.0.1', description: 'Address to listen on' },
    store: { type: 'string', valueHint: 'file', description: 'Keep the flash of the board in this file' },
    board: { type: 'string', valueHint: 'board', description: 'Emulate this board: see `goodness boards`' },
    model: { type: 'string', valueHint: 'model.ffm', description: 'With --board: a model that it has from the start' },
    ...LEARN,
    ...COMMON,
  },
  async run({ args, data }) {
    const context = data as CliContext;
    if (args.pty && args.tcp !== undefined) {
      throw new GoodnessError('usage.value', 'a board is served by --tcp or by --pty, not both', {
        fix: 'See --help.',
      });
    }
    const threads = numberOf('threads', args.threads, { least: 2, most: 8 });
    if (threads !== undefined && !args.pty) {
      throw new GoodnessError('usage.option', '--threads needs --pty', { fix: 'See --help.' });
    }
    if (args.board !== undefined) {
      await simulateBoard(boardOf(args.board), args, context);
      return;
    }
    for (const name of ['model', 'learn'] as const) {
      if (args[name] === undefined) continue;
      throw new GoodnessError('usage.option', `--${name} needs --board`, { fix: 'See `goodness boards`.' });
    }
    if (args.pty) await simulateNative(args.store, threads, context);
    else await simulateTcp(numberOf('tcp', args.tcp ?? '0', { most: 65535 })!, args.host, args.store, context);
  },
});

async function simulateTcp(port: number, host: string, store: string | undefined, context: CliContext): Promise<void> {
  const { output } = context;
  const board = await SimulatedBoard.start({}, store === undefined ? undefined : flashFile(store));
  const server = await serveTcp(board, port, host, {
    onConnect: (client) => output.note(`${client} connected`),
    onDisconnect: (client) => output.note(`${client} left`),
    onRefuse: (client) => output.warn(`${client} was turned away: all lines are taken`),
  });
  const end = context.interrupted();
  announce(server.address, context);
  const failure = await Promise.race([end.then(() => undefined), board.ended]);
  await server.close();
  if (failure !== undefined) throw failure;
}

async function simulateNative(
  store: string | undefined,
  threads: number | undefined,
  context: CliContext,
): Promise<void> {
  if (context.platform !== 'linux') {
    throw new GoodnessError('native.platform', 'pseudo terminals are served on Linux only', {
      got: context.platform,
      fix: 'Use `goodness simulate --tcp <port>`.',
    });
  }
  context.output.note('the native board: compiling it if needed');
  const board = await startNativeBoard({
    ...(store === undefined ? {} : { store }),
    ...(threads === undefined ? {} : { threads }),
  });
  const end = context.interrupted();
  announce(board.address, context);
  const died = await Promise.race([end.then(() => undefined), board.ended]);
  await board.close();
  if (died !== undefined) throw new GoodnessError('native.ended', `the native board ended: ${died}`);
}

/** The firmware of a board in its emulator, with a model planned for it if one is named. */
async function simulateBoard(
  board: Board,
  args: {
    readonly tcp?: string | undefined;
    readonly pty?: boolean | undefined;
    readonly store?: string | undefined;
    readonly model?: string | undefined;
    readonly learn?: string | undefined;
  },
  context: CliContext,
): Promise<void> {
  if (args.pty || args.tcp !== undefined) {
    throw new GoodnessError('usage.option', 'the emulator chooses the port of a board: leave --tcp and --pty out', {
      fix: 'See --help.',
    });
  }
  let model: Uint8Array | undefined;
  if (args.model !== undefined) {
    const whole = (await readModel(args.model)).model;
    model = encodeImage(place(whole, await plan(whole, board, layersOf(args.learn))));
  }
  const emulated = await startBoard(board, {
    ...(model === undefined ? {} : { model }),
    ...(args.store === undefined ? {} : { store: args.store }),
  });
  const end = context.interrupted();
  announce(emulated.address, context);
  const died = await Promise.race([end.then(() => undefined), emulated.ended]);
  await emulated.close();
  if (died !== undefined) throw new GoodnessError('emulator.ended', `the emulator of ${board.name} ended: ${died}`);
}

function announce(port: string, { output }: CliContext): void {
  output.result({ port }, port);
  output.note(`a board is waiting there: goodness flash model.ffm --port ${port}   (Ctrl-C ends it)`);
}
