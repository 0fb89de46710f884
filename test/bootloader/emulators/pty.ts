import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What stands in the way of a pty on this machine, or undefined. */
export const PTY_LACKS: string | undefined =
  process.platform !== 'linux'
    ? 'a pty that shows its settings needs Linux'
    : spawnSync('cc', ['--version']).error === undefined
      ? undefined
      : 'there is no cc';

/** A serial line whose far end is this process. */
export interface Pty {
  /** What a client opens. */
  readonly path: string;
  /** Bits per second that the client had set when it sent the last bytes; 0 before it sent any, and for odd rates. */
  baud(): number;
  /** Sends bytes to the client. */
  write(bytes: Uint8Array): void;
  close(): Promise<void>;
}

/** Makes a pty; `onData` gets what its client sends. */
export async function openPty(onData: (bytes: Uint8Array) => void): Promise<Pty> {
  const folder = mkdtempSync(join(tmpdir(), 'goodness-pty-'));
  const program = join(folder, 'pty');
  const source = join(dirname(fileURLToPath(import.meta.url)), 'pty.c');
  execFileSync('cc', ['-std=c99', '-O1', '-Wall', '-Wextra', '-Werror', '-o', program, source]);
  const child = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  let baud = 0;
  let waiting = Buffer.alloc(0);
  let named: ((path: string) => void) | undefined;
  const path = new Promise<string>((resolve) => {
    named = resolve;
  });
  child.stdout.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    for (;;) {
      if (named !== undefined) {
        const end = waiting.indexOf(10);
        if (end < 0) return;
        named(waiting.toString('latin1', 0, end));
        named = undefined;
        waiting = waiting.subarray(end + 1);
      } else if (waiting[0] === 0x53) {
        if (waiting.length < 6) return;
        baud = waiting.readUInt32LE(1);
        waiting = waiting.subarray(6);
      } else {
        if (waiting.length < 3 || waiting.length < 3 + waiting.readUInt16LE(1)) return;
        const end = 3 + waiting.readUInt16LE(1);
        const bytes = Uint8Array.from(waiting.subarray(3, end));
        waiting = waiting.subarray(end);
        onData(bytes);
      }
    }
  });
  return {
    path: await path,
    baud: () => baud,
    write: (bytes) => {
      child.stdin.write(bytes);
    },
    close: async () => {
      child.stdin.end();
      child.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
