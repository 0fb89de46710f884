import { createConnection, type Socket } from 'node:net';
import { GoodnessError } from '../../base/errors.js';

const CONNECT_MS = 5000;
const ANSWER_MS = 10_000;
/** QEMU's stub takes packets of 4096 characters; two of them are a byte. */
const PIECE = 1024;
const INTERRUPT = '\x03';

/** Why the processor stands still: the address of a watch or breakpoint that was set, or undefined if it was halted. */
export type Stop = number | undefined;

/**
 * A client of QEMU's debugger port (the GDB Remote Serial Protocol, "Packets" and "Stop Reply Packets" in the manual of GDB). The
 * processor stands still from connecting on until `run`, and whenever `run` has returned.
 *
 * All methods throw GoodnessError `emulator.debugger` if QEMU refuses or doesn't answer.
 */
export class Debugger {
  private readonly connection: Socket;
  private text = '';
  private arrived: (() => void) | undefined;
  private ended: Error | undefined;

  private constructor(connection: Socket) {
    this.connection = connection;
    connection.setEncoding('latin1');
    connection.on('data', (text) => {
      this.text += text;
      this.arrived?.();
    });
    connection.on('error', (error) => this.end(error));
    connection.on('close', () => this.end(new Error('it was closed')));
  }

  /** @param path of a Unix socket */
  static connect(path: string): Promise<Debugger> {
    return new Promise((resolve, reject) => {
      const connection = createConnection({ path });
      const timer = setTimeout(() => connection.destroy(new Error(`not within ${CONNECT_MS} ms`)), CONNECT_MS);
      const fail = (cause: Error): void => {
        clearTimeout(timer);
        reject(failed(`${path} does not open`, cause));
      };
      connection.once('error', fail);
      connection.once('connect', () => {
        clearTimeout(timer);
        connection.off('error', fail);
        connection.setNoDelay(true);
        const port = new Debugger(connection);
        // Behind the first answer there is no word of why it stopped left on its way.
        port.read(0, 4).then(() => resolve(port), fail);
      });
    });
  }

  async read(address: number, count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at += PIECE) {
      const most = Math.min(PIECE, count - at);
      const answer = await this.ask(`m${hex(address + at)},${hex(most)}`);
      const piece = Buffer.from(answer, 'hex');
      if (piece.length !== most) throw failed(`the read of 0x${hex(address + at)} was answered with ${answer}`);
      bytes.set(piece, at);
    }
    return bytes;
  }

  /** Writes memory behind the back of the processor: flash, too, without its rules. */
  async write(address: number, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = bytes.subarray(at, at + PIECE);
      await this.must(`M${hex(address + at)},${hex(piece.length)}:${Buffer.from(piece).toString('hex')}`);
    }
  }

  /** Stops the processor behind each write of its own to these bytes. */
  watch(address: number, bytes: number): Promise<void> {
    return this.must(`Z2,${hex(address)},${hex(bytes)}`);
  }

  unwatch(address: number, bytes: number): Promise<void> {
    return this.must(`z2,${hex(address)},${hex(bytes)}`);
  }

  /** Stops the processor before the instruction at this address. */
  breakAt(address: number): Promise<void> {
    return this.must(`Z1,${hex(address)},2`);
  }

  unbreak(address: number): Promise<void> {
    return this.must(`z1,${hex(address)},2`);
  }

  /** Lets the processor run until it stops by itself or is halted, which it is after this time. */
  async run(milliseconds: number): Promise<Stop> {
    const timer = setTimeout(() => this.halt(), milliseconds);
    const answer = await this.ask('c', milliseconds + ANSWER_MS).finally(() => clearTimeout(timer));
    if (!/^[TS]/.test(answer)) throw failed(`it was answered with ${answer} that the processor may run`);
    const watched = /watch:([0-9a-f]+);/.exec(answer)?.[1];
    return watched === undefined ? undefined : Number.parseInt(watched, 16);
  }

  /** Lets the processor execute one instruction. */
  async step(): Promise<void> {
    const from = await this.programCounter();
    for (;;) {
      const answer = await this.ask('s');
      if (/^[TS]05/.test(answer)) return;
      // A halt that came at the same moment ends it, too, before the instruction or behind it.
      if (!/^[TS]02/.test(answer)) throw failed(`a step was answered with ${answer}`);
      if ((await this.programCounter()) !== from) return;
    }
  }

  /** R0 to R15; the last is the address of the instruction that comes next. */
  async registers(): Promise<number[]> {
    const answer = await this.ask('g');
    const bytes = Buffer.from(answer, 'hex');
    if (bytes.length < 64) throw failed(`the question for the registers was answered with ${answer}`);
    return Array.from({ length: 16 }, (_, n) => bytes.readUInt32LE(4 * n));
  }

  async programCounter(): Promise<number> {
    return (await this.registers())[15]!;
  }

  /** Makes a `run` that is under way return. */
  halt(): void {
    this.connection.write(INTERRUPT, 'latin1');
  }

  close(): void {
    this.connection.destroy();
  }

  private async must(text: string): Promise<void> {
    const answer = await this.ask(text);
    if (answer !== 'OK') throw failed(`${text.slice(0, 30)} was answered with ${answer || 'nothing'}`);
  }

  /** Sends a packet, `$text#checksum`, and takes the next one that comes. */
  private async ask(text: string, milliseconds = ANSWER_MS): Promise<string> {
    let sum = 0;
    for (let i = 0; i < text.length; i++) sum = (sum + text.charCodeAt(i)) & 255;
    this.connection.write(`$${text}#${sum.toString(16).padStart(2, '0')}`, 'latin1');
    const end = performance.now() + milliseconds;
    for (;;) {
      const found = /\$([^#]*)#[0-9a-f]{2}/.exec(this.text);
      if (found !== null) {
        this.text = this.text.slice(found.index + found[0].length);
        this.connection.write('+');
        // What comes first after connecting may be why the processor stopped.
        if (!/^[cs]/.test(text) && /^[ST]/.test(found[1]!)) continue;
        return found[1]!;
      }
      if (this.ended !== undefined) throw failed(this.ended.message, this.ended);
      await this.more(end - performance.now(), milliseconds);
    }
  }

  private end(error: Error): void {
    this.ended ??= error;
    this.arrived?.();
  }

  private more(left: number, milliseconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(failed(`no answer within ${milliseconds} ms`));
      const timer = setTimeout(late, Math.max(0, left));
      this.arrived = () => {
        clearTimeout(timer);
        this.arrived = undefined;
        resolve();
      };
    });
  }
}

function hex(value: number): string {
  return value.toString(16);
}

function failed(got: string, cause?: unknown): GoodnessError {
  return new GoodnessError('emulator.debugger', 'the debugger port of the emulated board does not do as it is told', {
    expected: "QEMU's debugger port",
    got,
    cause,
  });
}
