import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GoodnessError } from '../../base/errors.js';
import { PACKAGE_ROOT } from '../boards/firmware.js';
import type { EmulatedBoard } from './emulated-board.js';

export interface SimavrOptions {
  readonly mcu: 'atmega328p' | 'atmega2560';
  /** The real bootloader, as Intel HEX; without it the chip starts at 0. See `avrBootloader`. */
  readonly bootloader?: string;
  /** What lies in flash before the board starts: Intel HEX files. */
  readonly flash?: readonly string[];
  /** File that keeps the EEPROM; it survives whatever ends the emulator. */
  readonly eeprom?: string;
  /** Times real time: 1 if left out, which the time windows of bootloaders need; 0 is as fast as it goes. */
  readonly speed?: number;
  /** RAM is filled with a pattern at power on, so that the command `stack` can say how much was never written. */
  readonly fill?: boolean;
}

/** An Arduino board in simavr. */
export interface SimavrBoard extends EmulatedBoard {
  /** A command for the board program (firmware/emulated/avr-board.c lists them), and its answer. */
  control(command: string): Promise<string>;
}

const START_MS = 10_000;
const ANSWER_MS = 5000;
/** Bootloaders by name, in build/emulated once `make -C firmware bootloaders` has put them there. */
const BOOTLOADERS = { optiboot: 'optiboot.hex', atmegaboot: 'atmegaboot.hex', stk500v2: 'stk500v2.hex' } as const;

/**
 * Starts an Arduino board in simavr, with UART 0 on a pseudo terminal. Whoever opens the terminal resets the board, as DTR does on a
 * real one. The emulator's program is built from firmware/emulated if it isn't there.
 *
 * @throws GoodnessError `emulator.missing` without simavr's library or a C compiler, `emulator.start`
 */
export async function startSimavr(options: SimavrOptions): Promise<SimavrBoard> {
  const program = await built('avr-board', 'avr-board');
  const folder = mkdtempSync(join(tmpdir(), 'goodness-avr-'));
  const socket = join(folder, 'control');
  const child = spawn(program, commandLine(options, socket), { stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = (): void => void child.kill('SIGKILL');
  // It would outlive a host that ends without closing its boards.
  process.once('exit', kill);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-1000);
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(said.trim() || `it ended with ${signal ?? `exit code ${code}`}`));
  }).then((why) => {
    process.off('exit', kill);
    rmSync(folder, { recursive: true, force: true });
    return why;
  });
  try {
    const address = await firstLine(child, ended);
    const line = await ControlLine.open(socket);
    return {
      address,
      ended,
      control: (command) => line.ask(command),
      reset: async () => void (await line.ask('reset')),
      close: async () => {
        line.close();
        kill();
        await ended;
      },
    };
  } catch (cause) {
    kill();
    throw new GoodnessError('emulator.start', 'simavr does not start the board', { got: await ended, cause });
  }
}

/**
 * The real bootloader of a board, as Intel HEX: built or copied from Debian's arduino-core-avr.
 * @throws GoodnessError `emulator.missing`
 */
export function avrBootloader(name: keyof typeof BOOTLOADERS): Promise<string> {
  return built(BOOTLOADERS[name], 'bootloaders');
}

/** A file in build/emulated, made first if it isn't there. */
async function built(file: string, target: string): Promise<string> {
  const path = join(PACKAGE_ROOT, 'build/emulated', file);
  if (existsSync(path)) return path;
  await new Promise<void>((resolve, reject) => {
    execFile('make', ['-s', '-C', join(PACKAGE_ROOT, 'firmware'), target], (error, _, stderr) => {
      if (error === null) return resolve();
      reject(
        new GoodnessError('emulator.missing', 'the emulator of Arduino boards can not be built on this machine', {
          got: stderr.trim().split('\n').slice(0, 3).join('\n'),
          fix: 'Debian and Ubuntu: `sudo apt install make gcc libsimavr-dev libelf-dev gcc-avr avr-libc arduino-core-avr`.',
          cause: error,
        }),
      );
    });
  });
  return path;
}

function commandLine(options: SimavrOptions, socket: string): string[] {
  const { mcu, bootloader, flash = [], eeprom, speed = 1, fill = false } = options;
  return [
    ...['--mcu', mcu, '--control', socket, '--speed', String(speed)],
    ...(bootloader === undefined ? [] : ['--bootloader', bootloader]),
    ...flash.flatMap((path) => ['--flash', path]),
    ...(eeprom === undefined ? [] : ['--eeprom', eeprom]),
    ...(fill ? ['--fill'] : []),
  ];
}

/** The line that the program prints when the board runs: the terminal's path. */
async function firstLine(child: ChildProcess, ended: Promise<string>): Promise<string> {
  const lines = createInterface({ input: child.stdout! });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      new Promise<string>((resolve) => {
        lines.on('line', (text) => {
          if (text.startsWith('/dev/')) resolve(text);
        });
      }),
      ended.then((why) => Promise.reject(new Error(why))),
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('it said nothing')), START_MS);
      }),
    ]);
  } finally {
    clearTimeout(timer);
    lines.close();
    child.stdout!.resume();
  }
}

/** One command, one answer. */
class ControlLine {
  private readonly socket: Socket;
  private readonly waiting: { resolve(answer: string): void; reject(error: Error): void }[] = [];
  private held = '';

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.take(text));
    socket.on('close', () => this.fail(new Error('the emulator has ended')));
    socket.on('error', (error) => this.fail(error));
  }

  static open(path: string): Promise<ControlLine> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(path);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.removeListener('error', reject);
        resolve(new ControlLine(socket));
      });
    });
  }

  ask(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(failed(command, 'no answer')), ANSWER_MS);
      const done = (): void => clearTimeout(timer);
      this.waiting.push({
        resolve: (answer) => {
          done();
          if (answer.startsWith('error')) reject(failed(command, answer));
          else resolve(answer);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
      this.socket.write(`${command}\n`);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private take(text: string): void {
    this.held += text;
    for (let end = this.held.indexOf('\n'); end >= 0; end = this.held.indexOf('\n')) {
      this.waiting.shift()?.resolve(this.held.slice(0, end));
      this.held = this.held.slice(end + 1);
    }
  }

  private fail(error: Error): void {
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}

function failed(command: string, got: string): GoodnessError {
  return new GoodnessError('emulator.command', `the emulated board refuses: ${command.slice(0, 60)}`, { got });
}
