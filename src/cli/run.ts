import { type CommandDef, renderUsage, runCommand } from 'citty';
import { GoodnessError } from '../base/errors.js';
import { checkArguments, withImplied } from './arguments.js';
import { COMMANDS, type CommandEntry } from './commands.js';
import type { CliContext } from './context.js';
import { EXIT, exitCodeOf } from './exit-code.js';
import { Output, type Sink } from './output.js';
import { packageVersion } from './version.js';

/** The process as far as the command line sees it. */
export interface Process {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  now(): number;
  interrupted(): Promise<void>;
}

const CODES = `Exit codes: 0 done, 1 a check failed, 2 wrong arguments or input, 3 device or port, 4 a fault of goodness,
130 stopped before it was done (Ctrl-C while training).
NO_COLOR switches colours off. Results go to stdout, everything else to stderr.`;

/** Runs one command line and gives the exit code; says everything that is to be said. */
export async function run(argv: readonly string[], surroundings: Process): Promise<number> {
  const [name, ...words] = argv;
  const rest = withImplied(words);
  const flags = new Set(argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length));
  const { stdout, stderr, environment, now } = surroundings;
  const json = flags.has('--json');
  const quiet = flags.has('--quiet') || flags.has('-q');
  const output = new Output({ stdout, stderr, json, quiet, environment, now: () => now() });
  try {
    if (name === '--version' || name === '-v') {
      output.print(packageVersion());
      return EXIT.ok;
    }
    if (name === undefined || name === 'help' || name.startsWith('-')) return await overview(argv, output);
    const entry = findCommand(name);
    const command = (await entry.load()).default;
    if (flags.has('--help') || flags.has('-h')) {
      output.print(await commandHelp(command));
      return EXIT.ok;
    }
    checkArguments(rest, (await resolve(command.args)) ?? {});
    const { platform } = surroundings;
    const context: CliContext = {
      output,
      environment,
      platform,
      now: () => now(),
      interrupted: () => surroundings.interrupted(),
    };
    await runCommand(command, { rawArgs: [...rest], data: context });
    return EXIT.ok;
  } catch (cause) {
    const error = usageError(cause);
    output.error(error);
    return exitCodeOf(error);
  }
}

/** The overview; `help <command>` shows that command instead. */
async function overview(argv: readonly string[], output: Output): Promise<number> {
  const [first, second] = argv;
  if (first === 'help' && second !== undefined) {
    output.print(await commandHelp((await findCommand(second).load()).default));
    return EXIT.ok;
  }
  if (first !== undefined && first !== 'help' && first !== '--help' && first !== '-h') {
    throw new GoodnessError('usage.command', 'a command must come first', { got: first, fix: 'See goodness --help.' });
  }
  const width = Math.max(...COMMANDS.map((command) => command.name.length));
  const c = output.colors;
  output.print(
    [
      `goodness ${packageVersion()}: Forward-Forward networks that go on learning on a microcontroller`,
      '',
      `${c.bold('Usage:')} goodness <command> [options]`,
      '',
      ...COMMANDS.map(({ name, summary }) => `  ${c.cyan(name.padEnd(width))}  ${summary}`),
      '',
      `goodness <command> --help says more of each.`,
      '',
      CODES,
    ].join('\n'),
  );
  // Asked for it is a result; otherwise it tells what was left out.
  return first === undefined ? EXIT.usage : EXIT.ok;
}

async function commandHelp(command: CommandDef): Promise<string> {
  return `${await renderUsage(command, { meta: { name: 'goodness', version: packageVersion() } })}\n${CODES}`;
}

function findCommand(name: string): CommandEntry {
  const found = COMMANDS.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  throw new GoodnessError('usage.command', 'there is no such command', {
    expected: COMMANDS.map((entry) => entry.name).join(', '),
    got: name,
    fix: 'See goodness --help.',
  });
}

/** What the argument parser throws is the user's mistake. */
function usageError(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'CLIError') return error;
  return new GoodnessError('usage.argument', error.message, { fix: 'See --help.', cause: error });
}

async function resolve<T>(value: T | Promise<T> | (() => T | Promise<T>) | undefined): Promise<T | undefined> {
  return typeof value === 'function' ? (value as () => T | Promise<T>)() : value;
}
