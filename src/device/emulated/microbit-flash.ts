import { createConnection, type Socket } from 'node:net';
import { GoodnessError } from '../../base/errors.js';
import type { Segment } from '../bootloader/firmware-image.js';

const CONNECT_MS = 5000;
const ANSWER_MS = 5000;
/** QEMU's stub takes packets of 4096 characters; two of them are a byte. */
const PIECE = 1024;

/**
 * Writes bytes into the memory of an emulated board through QEMU's debugger port, as a debug probe would into flash. What QEMU's own
 * loader places comes back at each reset; what is written so stays as the firmware leaves it, as on a real chip.
 *
 * @param socket Unix socket of the debugger port. The processor stands still meanwhile
 * @param restart called when all is written, before the processor goes on
 * @throws GoodnessError `emulator.debugger`
 */
export async function writeThroughDebugger(
  socket: string,
  segments: readonly Segment[],
  restart: () => Promise<unknown>,
): Promise<void> {
  const connection = await connect(socket);
  const packets = new Packets(connection);
  try {
    for (const { address, bytes } of segments) {
      for (let at = 0; at < bytes.length; at += PIECE) {
        const piece = bytes.subarray(at, at + PIECE);
        const to = `M${(address + at).toString(16)},${piece.length.toString(16)}`;
        const answer = await packets.ask(`${to}:${Buffer.from(piece).toString('hex')}`);
        if (answer !== 'OK') throw failed(`the write to 0x${(address + at).toString(16)} was answered with ${answer}`);
      }
    }
    await restart();
    await packets.ask('D');
  } finally {
    connection.destroy();
  }
}

function connect(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const connection = createConnection({ path });
    const fail = (cause: unknown): void => {
      connection.destroy();
      reject(failed(`${path} does not open`, cause));
    };
    const timer = setTimeout(() => fail(new Error(`not within ${CONNECT_MS} ms`)), CONNECT_MS);
    connection.once('connect', () => {
      clearTimeout(timer);
      connection.off('error', fail);
      resolve(connection);
    });
    connection.once('error', (error) => {
      clearTimeout(timer);
      fail(error);
    });
  });
}

/** The debugger's packets: `$text#checksum`, each acknowledged by a plus. */
class Packets {
  private readonly connection: Socket;
  private text = '';
  private arrived: (() => void) | undefined;
  private ended: Error | undefined;

  constructor(connection: Socket) {
    this.connection = connection;
    connection.setEncoding('latin1');
    connection.on('data', (text) => {
      this.text += text;
      this.arrived?.();
    });
    connection.on('error', (error) => this.end(error));
    connection.on('close', () => this.end(new Error('it was closed')));
  }

  async ask(text: string): Promise<string> {
    let sum = 0;
    for (const c of text) sum = (sum + c.charCodeAt(0)) & 255;
    this.connection.write(`$${text}#${sum.toString(16).padStart(2, '0')}`, 'latin1');
    const end = performance.now() + ANSWER_MS;
    for (;;) {
      const found = /\$([^#]*)#[0-9a-f]{2}/.exec(this.text);
      if (found !== null) {
        this.text = this.text.slice(found.index + found[0].length);
        this.connection.write('+');
        // What comes first after connecting may be why the processor stopped.
        if (/^[ST]/.test(found[1]!)) continue;
        return found[1]!;
      }
      if (this.ended !== undefined) throw failed(this.ended.message, this.ended);
      await this.more(end - performance.now());
    }
  }

  private end(error: Error): void {
    this.ended ??= error;
    this.arrived?.();
  }

  private more(milliseconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(failed(`no answer within ${ANSWER_MS} ms`)), Math.max(0, milliseconds));
      this.arrived = () => {
        clearTimeout(timer);
        this.arrived = undefined;
        resolve();
      };
    });
  }
}

function failed(got: string, cause?: unknown): GoodnessError {
  return new GoodnessError('emulator.debugger', 'the flash of the emulated board can not be written', {
    expected: "QEMU's debugger port",
    got,
    cause,
  });
}
