import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { GoodnessError } from '../base/errors.js';

/** The firmware core as a process of this machine: its Linux port. */
export interface NativeBoard {
  /** What to give as `--port`: a pseudo terminal or a TCP address. */
  readonly address: string;
  /** Resolves when the process has ended, by whatever cause, with what it said last. */
  readonly ended: Promise<string>;
  /** Ends the process and resolves when it is gone. */
  close(): Promise<void>;
}

export interface NativeBoardOptions {
  /** Serve a new pseudo terminal (if left out), or this TCP port (0: any free one). */
  readonly tcp?: number;
  /** File that the flash is kept in. */
  readonly store?: string;
  /** Learn and infer in a pipeline of so many threads, each with some of the layers: 2 to 8. */
  readonly threads?: number;
  /** Folder for the program if it must be compiled; that of the package if left out. */
  readonly cache?: string;
  /** The Linux port as it was compiled elsewhere, for another processor perhaps; left out, it is compiled here. */
  readonly program?: string;
  /** What runs the program, and what stands in front of its path: `['qemu-aarch64-static']`. */
  readonly runner?: readonly string[];
}

const START_MS = 10_000;

/**
 * Starts the Linux port, after compiling it if that was not done yet and no program is named.
 *
 * @throws GoodnessError `native.compiler` where there is no C compiler, `native.build` if it fails, `native.start`,
 * `emulator.missing` where the runner is not on this machine
 */
export async function startNativeBoard(options: NativeBoardOptions = {}): Promise<NativeBoard> {
  const { program = await buildNativeBoard(options.cache) } = options;
  // A runner does not say which file it missed.
  if (!existsSync(program)) throw notStarted(`there is no program ${program}`);
  const [command = program, ...rest] = [...(options.runner ?? []), program];
  const serve = options.tcp === undefined ? ['--pty'] : ['--tcp', String(options.tcp)];
  const store = options.store === undefined ? [] : ['--flash', options.store];
  const threads = options.threads === undefined ? [] : ['--threads', String(options.threads)];
  const child = spawn(command, [...rest, ...serve, ...store, ...threads], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let absent = false;
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-1000);
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      absent = error.code === 'ENOENT';
      resolve(error.message);
    });
    child.once('close', (code, signal) => resolve(said.trim() || `it ended with ${signal ?? `exit code ${code}`}`));
  });
  const address = await firstLine(child, ended).catch((error: unknown) => {
    throw absent && command !== program ? runnerMissing(command) : error;
  });
  return {
    address,
    ended,
    close: async () => {
      child.kill();
      await ended;
    },
  };
}

function notStarted(why: string): GoodnessError {
  return new GoodnessError('native.start', `the native board did not start: ${why}`, {
    fix: 'Use `goodness simulate --tcp <port>`, which needs no native program.',
  });
}

function runnerMissing(command: string): GoodnessError {
  return new GoodnessError('emulator.missing', `there is no ${command} on this machine`, {
    fix: 'Debian and Ubuntu: `sudo apt install qemu-user-static`.',
  });
}

/** The line that the program prints when it is ready: where it is reached. */
async function firstLine(child: ChildProcess, ended: Promise<string>): Promise<string> {
  const lines = createInterface({ input: child.stdout! });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      new Promise<string>((resolve) => {
        lines.once('line', resolve);
      }),
      ended.then((why) => Promise.reject(notStarted(why))),
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(notStarted(`it said nothing for ${START_MS / 1000} s`)), START_MS);
      }),
    ]);
  } catch (error) {
    child.kill();
    throw error;
  } finally {
    clearTimeout(timer);
    lines.close();
  }
}

/**
 * Compiles the Linux port with the machine's C compiler, unless it is there and newer than its sources.
 *
 * @param cache folder for the program
 * @returns path of the program
 */
export async function buildNativeBoard(cache?: string): Promise<string> {
  const root = packageRoot();
  const program = join(cache ?? join(root, 'build/linux'), 'goodness-device');
  const firmware = join(root, 'firmware');
  const core = filesOf(join(firmware, 'core'));
  const port = filesOf(join(firmware, 'ports/linux'));
  const sources = [...core, ...port].filter((path) => path.endsWith('.c'));
  if (isNewer(program, [...core, ...port])) return program;
  const args = ['-std=c99', '-O2', '-pthread', '-I', join(firmware, 'core'), '-o', program, ...sources];
  try {
    mkdirSync(dirname(program), { recursive: true });
    accessSync(dirname(program), constants.W_OK);
  } catch (cause) {
    throw new GoodnessError('native.build', `the folder ${dirname(program)} can not be written to`, {
      fix: 'Install the package for yourself, not for all users; or use `goodness simulate --tcp <port>`.',
      cause,
    });
  }
  await new Promise<void>((resolve, reject) => {
    execFile('cc', args, (error, _, stderr) => {
      if (error === null) return resolve();
      const absent = error.code === 'ENOENT';
      const message = absent ? 'there is no C compiler (cc) on this machine' : 'the native board does not compile';
      const fix = absent
        ? 'Install one (Debian: `apt install gcc libc6-dev`), or use `goodness simulate --tcp <port>`, which needs none.'
        : 'Use `goodness simulate --tcp <port>`, which needs no C compiler.';
      const got = stderr.trim().split('\n').slice(0, 5).join('\n');
      const details = got === '' ? { fix, cause: error } : { got, fix, cause: error };
      return reject(new GoodnessError(absent ? 'native.compiler' : 'native.build', message, details));
    });
  });
  return program;
}

/** The folder that holds firmware/: that of the package, seen from dist/device and from src/device alike. */
function packageRoot(): string {
  return fileURLToPath(new URL('../..', import.meta.url));
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function isNewer(program: string, sources: readonly string[]): boolean {
  if (!existsSync(program)) return false;
  const made = statSync(program).mtimeMs;
  return sources.every((path) => statSync(path).mtimeMs <= made);
}
