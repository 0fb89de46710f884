import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GoodnessError } from '../../base/errors.js';
import type { EmulatedBoard } from './emulated-board.js';
import { QemuMonitor } from './qemu-monitor.js';

/** A file that lies in the board's memory before it starts, and again after each reset. */
export interface QemuLoader {
  readonly path: string;
  /** Where its bytes go, as they are. Left out for .elf and .hex, which say so themselves. */
  readonly address?: number;
}

export interface QemuOptions {
  /** What QEMU calls the board: `mps2-an386`, `netduinoplus2`, `microbit`. */
  readonly machine: string;
  /** Firmware: an .elf or .hex file. */
  readonly image?: string;
  readonly loaders?: readonly QemuLoader[];
  /** Words that lie in memory before it starts, and again after each reset. */
  readonly words?: readonly { readonly address: number; readonly value: number }[];
  /** One instruction takes 2^shift ns of the board's time: then its clock counts instructions, the same on every run. */
  readonly instructionShift?: number;
  /** The emulator, if it isn't `qemu-system-arm`. */
  readonly program?: string;
}

/** A board in QEMU. */
export interface QemuBoard extends EmulatedBoard {
  /** A command for QEMU's monitor for people (`info registers`, ...), and what it answers. */
  monitor(command: string): Promise<string>;
  /** Memory as the processor sees it now. */
  readMemory(address: number, count: number): Promise<Uint8Array>;
}

const DEBIAN_PACKAGE: Readonly<Record<string, string>> = { 'qemu-system-arm': 'qemu-system-arm' };
/** From the signal to end until there is no asking any more. */
const END_MS = 3000;

/**
 * Starts a board in QEMU, with its first serial port on a pseudo terminal. What the board says before QEMU has noticed that the
 * terminal is open (it looks once a second) is lost, so ask again until it answers, as Session.open does.
 *
 * @throws GoodnessError `emulator.missing` without QEMU on this machine, `emulator.start` if it doesn't start
 */
export async function startQemu(options: QemuOptions): Promise<QemuBoard> {
  const program = options.program ?? 'qemu-system-arm';
  const child = spawn(program, commandLine(options), { stdio: ['pipe', 'pipe', 'pipe'] });
  const monitor = new QemuMonitor(child.stdin, child.stdout);
  const kill = (): void => void child.kill('SIGKILL');
  // QEMU would outlive a host that ends without closing its boards.
  process.once('exit', kill);
  let missing = false;
  const ended = new Promise<string>((resolve) => {
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2000);
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      missing = error.code === 'ENOENT';
      resolve(error.message);
    });
    child.once('close', (code, signal) => resolve(said.trim() || `it ended with ${signal ?? `exit code ${code}`}`));
  }).then((why) => {
    process.off('exit', kill);
    monitor.end(why);
    return why;
  });
  try {
    await monitor.open();
    return await running(child, monitor, ended);
  } catch (cause) {
    kill();
    const why = await ended;
    throw missing ? absent(program) : notStarted(options.machine, cause, why);
  }
}

async function running(child: ChildProcess, monitor: QemuMonitor, ended: Promise<string>): Promise<QemuBoard> {
  const address = await terminal(monitor);
  // QEMU makes the terminal raw, and takes no notice of a client that comes after one that left for up to a second. Held open here,
  // it has a client all the time.
  const held = openSync(address, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  void ended.then(() => closeSync(held));
  let closed: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
    await ended;
    clearTimeout(timer);
  };
  return {
    address,
    ended,
    reset: async () => {
      const done = monitor.event('RESET');
      await Promise.all([done, monitor.execute('system_reset')]);
    },
    close: () => {
      closed ??= end();
      return closed;
    },
    monitor: async (command) => String(await monitor.execute('human-monitor-command', { 'command-line': command })),
    readMemory: (from, count) => readMemory(monitor, from, count),
  };
}

/** The terminal of the first serial port. */
async function terminal(monitor: QemuMonitor): Promise<string> {
  const devices = (await monitor.execute('query-chardev')) as { label: string; filename: string }[];
  const path = /^pty:(.+)$/.exec(devices.find(({ label }) => label === 'serial0')?.filename ?? '')?.[1];
  if (path === undefined) throw new Error('it has no serial port on a pseudo terminal');
  return path;
}

/** By way of a file, since the monitor has no other that is meant for many bytes. */
async function readMemory(monitor: QemuMonitor, address: number, count: number): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'goodness-qemu-'));
  try {
    const filename = join(folder, 'memory');
    // Not pmemsave: boards hang their flash into the processor's view of memory, not into that of the machine.
    await monitor.execute('memsave', { val: address, size: count, filename });
    return Uint8Array.from(readFileSync(filename));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function commandLine(options: QemuOptions): string[] {
  const { machine, image, loaders = [], words = [], instructionShift } = options;
  const args = ['-machine', machine, '-display', 'none', '-serial', 'pty', '-qmp', 'stdio'];
  if (instructionShift !== undefined) args.push('-icount', `shift=${instructionShift}`);
  if (image?.endsWith('.hex')) args.push('-device', `loader,file=${quoted(image)}`);
  else if (image !== undefined) args.push('-kernel', image);
  for (const { path, address } of loaders) {
    const place = address === undefined ? '' : `,addr=${address},force-raw=on`;
    args.push('-device', `loader,file=${quoted(path)}${place}`);
  }
  for (const { address, value } of words) {
    args.push('-device', `loader,addr=${address},data=${value},data-len=4`);
  }
  return args;
}

/** QEMU takes a comma for the end of an option's value, and two of them for one that is part of it. */
function quoted(path: string): string {
  return path.replaceAll(',', ',,');
}

function absent(program: string): GoodnessError {
  const name = DEBIAN_PACKAGE[program];
  return new GoodnessError('emulator.missing', `there is no ${program} on this machine`, {
    fix: name === undefined ? 'Install QEMU.' : `Debian and Ubuntu: \`sudo apt install ${name}\`.`,
  });
}

function notStarted(machine: string, cause: unknown, why: string): GoodnessError {
  return new GoodnessError('emulator.start', `QEMU does not start the board ${machine}`, {
    got: why.split('\n').slice(0, 3).join('\n'),
    fix: 'Check that the firmware was built for this board, and that QEMU has this machine (`qemu-system-arm -machine help`).',
    cause,
  });
}
