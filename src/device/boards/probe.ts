import { GoodnessError } from '../../base/errors.js';
import type { HelloResponse } from '../../format/message.js';
import { isPluggable, type Port } from '../ports.js';
import { openTransport } from '../resolve.js';
import type { Transport } from '../transport.js';
import type { Board } from './board.js';
import { BOARDS, boardsOnPort } from './boards.js';
import { greet } from './greet.js';

/** What answered on a port, if anything did. */
export interface Answer {
  readonly port: Port;
  /** What our firmware said of itself. */
  readonly hello?: HelloResponse;
  /** Why there is none: the port doesn't open, or nothing answers. */
  readonly failure?: GoodnessError;
}

export interface ProbeOptions {
  readonly baud?: number;
  /** Time for an answer in ms. Boards with a bootloader need some 2 s after their port was opened: 3500. */
  readonly openMs?: number;
  /** Opens a port; `openTransport` if left out. */
  readonly open?: (path: string, options: { readonly baud?: number }) => Promise<Transport>;
}

/** Opens a port, greets, and lets go. Many boards restart when their port is opened: what they learned and did not save is lost. */
export async function probe(port: Port, options: ProbeOptions = {}): Promise<Answer> {
  const { baud, openMs = 3500, open = openTransport } = options;
  try {
    const quietMs = Math.max(0, ...boardsOnPort(port).map((match) => match.board.quietMs ?? 0));
    const session = await greet(() => open(port.path, baud === undefined ? {} : { baud }), { openMs, quietMs });
    const { hello } = session;
    await session.close();
    return { port, hello };
  } catch (cause) {
    if (!(cause instanceof GoodnessError)) throw cause;
    return { port, failure: cause };
  }
}

/** All ports at once. */
export function probeAll(ports: readonly Port[], options: ProbeOptions = {}): Promise<Answer[]> {
  return Promise.all(ports.map((port) => probe(port, options)));
}

/** The name that our firmware on a board gives in HELLO. */
export function targetOf(board: Board): string {
  return board.target ?? board.id;
}

/** The board that firmware of ours says it is on, if the name is known; of several with that name the one called so itself. */
export function boardOfTarget(target: string): Board | undefined {
  return BOARDS.find((board) => board.id === target) ?? BOARDS.find((board) => targetOf(board) === target);
}

/**
 * The one port on which firmware of ours answers. Never guesses: with two of them it refuses, and lists both.
 * @throws GoodnessError `port.none` if nothing answers, `port.ambiguous` if more than one does
 */
export async function portThatAnswers(ports: readonly Port[], options: ProbeOptions = {}): Promise<Answer> {
  const candidates = ports.filter(isPluggable);
  const answers = await probeAll(candidates, options);
  const found = answers.filter((answer) => answer.hello !== undefined);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    throw ambiguous(
      'more than one board answers',
      found.map(({ port, hello }) => `${port.path} (${hello!.target})`),
    );
  }
  throw new GoodnessError('port.none', 'no board with goodness firmware was found', {
    ...(answers.length === 0 ? {} : { got: answers.map(described).join('; ') }),
    fix:
      answers.length === 0
        ? 'Plug a board in, or name a port with --port: see `goodness ports`; without a board use `--port sim`.'
        : 'Flash the board first (`goodness flash --board <id> --port <port>`), or name its port with --port.',
  });
}

/**
 * The one port that a board may be on, by USB ids, whether it has our firmware or not.
 * @throws GoodnessError `port.none`, or `port.ambiguous` if there are several
 */
export function portForBoard(board: Board, ports: readonly Port[]): Port {
  const found = ports.filter((port) => boardsOnPort(port).some((match) => match.board.id === board.id));
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    throw ambiguous(
      `more than one port may be that of ${board.name}`,
      found.map((port) => port.path),
    );
  }
  const others = ports.filter(isPluggable).map((port) => port.path);
  throw new GoodnessError('port.none', `no port looks like ${board.name}`, {
    ...(others.length === 0 ? {} : { got: `only ${others.join(', ')}` }),
    fix: 'Plug it in with a cable that carries data, or name its port with --port: see `goodness ports`.',
  });
}

function ambiguous(message: string, ports: readonly string[]): GoodnessError {
  return new GoodnessError('port.ambiguous', message, {
    got: ports.join(', '),
    fix: 'Say which one with --port.',
  });
}

function described({ port, failure }: Answer): string {
  const reason = failure?.code === 'device.silent' ? 'no answer' : (failure?.message.split(/[.;]/)[0] ?? 'no answer');
  return `${port.path}: ${reason}`;
}
