import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { GoodnessError } from '../../base/errors.js';

/** Longest that QEMU may take for an answer or an event, in milliseconds; it takes a few, but the machine may be busy. */
const ANSWER_MS = 10_000;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * QEMU's machine protocol (QMP): a line of JSON per command, answer and event. Lines that are none of these are passed over, so
 * it may share a pipe with what QEMU prints.
 */
export class QemuMonitor {
  private readonly input: Writable;
  private readonly answers = new Map<number, Waiting>();
  private readonly events = new Map<string, Set<Waiting>>();
  private greeted = false;
  private ended: string | undefined;
  private last = 0;

  constructor(input: Writable, output: Readable) {
    this.input = input;
    // A QEMU that went away closes its pipe: end() says so to those who wait.
    input.on('error', () => {});
    createInterface({ input: output }).on('line', (line) => this.take(line));
  }

  /** Waits for the greeting and leaves the mode in which nothing but that is answered. */
  async open(): Promise<void> {
    if (!this.greeted) await this.event('greeting');
    await this.execute('qmp_capabilities');
  }

  /**
   * A command of QMP.
   * @throws GoodnessError `emulator.refused` if QEMU refuses it, `emulator.gone`, `emulator.silent`
   */
  execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = ++this.last;
    const answer = this.wait(
      command,
      (waiting) => this.answers.set(id, waiting),
      () => this.answers.delete(id),
    );
    if (this.ended === undefined) {
      this.input.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    }
    return answer;
  }

  /** The next event of this name, from now on. */
  event(name: string): Promise<unknown> {
    const listeners = this.events.get(name) ?? new Set<Waiting>();
    this.events.set(name, listeners);
    let mine: Waiting | undefined;
    return this.wait(
      `the event ${name}`,
      (waiting) => {
        mine = waiting;
        listeners.add(waiting);
      },
      () => mine !== undefined && listeners.delete(mine),
    );
  }

  /** Ends everything that waits: QEMU is gone. */
  end(why: string): void {
    if (this.ended !== undefined) return;
    this.ended = why;
    const waiting = [...this.answers.values(), ...[...this.events.values()].flatMap((set) => [...set])];
    for (const { reject } of waiting) reject(gone(why));
  }

  private wait(what: string, enter: (waiting: Waiting) => void, leave: () => void): Promise<unknown> {
    if (this.ended !== undefined) return Promise.reject(gone(this.ended));
    return new Promise<unknown>((resolve, reject) => {
      const late = (): void => {
        leave();
        reject(
          new GoodnessError('emulator.silent', `QEMU does not answer: ${what}`, {
            expected: `an answer within ${ANSWER_MS / 1000} s`,
            fix: 'The machine may be too busy: end other programs and try again.',
          }),
        );
      };
      const timer = setTimeout(late, ANSWER_MS);
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(timer);
          leave();
          then(value);
        };
      enter({ resolve: settle(resolve), reject: settle(reject) });
    });
  }

  private take(line: string): void {
    const said = parse(line);
    if (said === undefined) return;
    if ('QMP' in said) {
      this.greeted = true;
      this.emit('greeting', said.QMP);
    } else if (typeof said.event === 'string') {
      this.emit(said.event, said.data);
    } else if (typeof said.id === 'number') {
      const waiting = this.answers.get(said.id);
      if ('return' in said) waiting?.resolve(said.return);
      else waiting?.reject(new GoodnessError('emulator.refused', `QEMU refused a command: ${reason(said.error)}`));
    }
  }

  private emit(name: string, data: unknown): void {
    for (const waiting of [...(this.events.get(name) ?? [])]) waiting.resolve(data);
  }
}

function gone(why: string): GoodnessError {
  return new GoodnessError('emulator.gone', `QEMU ended: ${why}`, { fix: 'Start the emulated board again.' });
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function reason(error: unknown): string {
  const text = (error as { desc?: unknown } | undefined)?.desc;
  return typeof text === 'string' ? text : JSON.stringify(error);
}
