import { GoodnessError } from '../base/errors.js';
import type { Board } from '../device/boards/board.js';
import { portForBoard, portThatAnswers } from '../device/boards/probe.js';
import { listPorts, type Port } from '../device/ports.js';
import { numberOf } from './arguments.js';
import type { CliContext } from './context.js';

/** Bits per second that `--baud` gives. */
export function baudOf(text: string): number {
  return numberOf('baud', text, { least: 50, most: 20_000_000 })!;
}

/** Ports of the machine that the command runs on. */
export function portsHere({ platform, environment }: CliContext): Promise<Port[]> {
  return listPorts({ platform, path: environment.PATH ?? '', devices: '/dev' });
}

/**
 * The port of a command for a device: the one that is named, else the only one on which firmware of ours answers.
 * @throws GoodnessError `port.ambiguous` if several do; `usage.argument` if none does and none is named
 */
export async function resolvePort(named: string | undefined, speed: string, context: CliContext): Promise<string> {
  if (named !== undefined && named !== 'auto') return named;
  const baud = baudOf(speed);
  return orSay(named, async () => {
    context.output.note('no port is named: looking for a board that answers');
    const { port } = await portThatAnswers(await portsHere(context), { baud });
    return port.path;
  });
}

/** The port that a board is flashed on: the one that is named, else the only one that may be its own. */
export async function resolveBoardPort(named: string | undefined, board: Board, context: CliContext): Promise<string> {
  if (named !== undefined && named !== 'auto') return named;
  return orSay(named, async () => portForBoard(board, await portsHere(context)).path);
}

/** Who names no port and has no board made a mistake on the command line; who says `auto` lacks a board. */
async function orSay(named: string | undefined, find: () => Promise<string>): Promise<string> {
  try {
    return await find();
  } catch (error) {
    if (named !== undefined || !(error instanceof GoodnessError) || error.code !== 'port.none') throw error;
    const { got, fix } = error;
    throw new GoodnessError('usage.argument', '--port is missing, and no board was found that could be meant', {
      ...(got === undefined ? {} : { got }),
      ...(fix === undefined ? {} : { fix }),
      cause: error,
    });
  }
}
