import { createHash } from 'node:crypto';
import { decode, encode } from 'cborg';
import { GoodnessError } from '../../base/errors.js';
import { type Clock, systemClock } from '../clock.js';
import type { Line } from './line.js';
import { encodeSmpLines, SmpLineDecoder } from './smp-line.js';
import { NOT_SUPPORTED, type SmpStatus, smpRefusal, smpStatus } from './smp-status.js';

/** An image in a slot, as the server tells it. */
export interface SmpImage {
  readonly image: number;
  readonly slot: number;
  readonly version: string;
  readonly hash: Uint8Array | undefined;
  readonly bootable: boolean;
  /** It runs after the next reset. */
  readonly pending: boolean;
  /** It runs, and stays. */
  readonly confirmed: boolean;
  readonly active: boolean;
  /** Once it runs it stays: nothing goes back to the one before. */
  readonly permanent: boolean;
}

export interface SmpUpload {
  /** Slot or image number of the request; 0 if left out: the server's own choice. */
  readonly image?: number;
  /** Have the server refuse a version that isn't newer. */
  readonly upgradeOnly?: boolean;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface SmpUploaded {
  /** Where an earlier upload of the same file was taken up. */
  readonly resumedAt: number;
  /** The server has compared the SHA-256 of what it holds with that of the file; undefined if it doesn't tell. */
  readonly matches: boolean | undefined;
}

export interface SmpClientOptions {
  readonly clock?: Clock;
  /** Longest time for an answer, in ms: 2000. */
  readonly answerMs?: number;
  /** The same where the server may erase a whole slot first: 30,000. */
  readonly eraseMs?: number;
  /** How often a request is sent again: 3. */
  readonly retries?: number;
}

const HEADER = 8;
const READ = 0;
const WRITE = 2;
/** Version 2 of the protocol: its place in a header. Servers of version 1 take no notice. */
const VERSION_2 = 1 << 3;
const GROUP = { os: 0, image: 1 } as const;
/** What every server takes: MCUboot's own serial recovery doesn't tell. */
const LEAST_PACKET = 256;
/** Length and CRC lie in the server's buffer with the packet. */
const IN_BUFFER = 4;
const MOST_RESTARTS = 16;

type Values = Readonly<Record<string, unknown>>;
type Answer = ReadonlyMap<string, unknown>;

/**
 * Speaks SMP, the protocol of MCUmgr, with a bootloader or an application: goodness boards, MCUboot's serial recovery, Zephyr. One
 * request at a time; one that isn't answered is sent again, which no request of these minds.
 */
export class SmpClient {
  /** Packets that came broken, and answers to requests that nobody waits for any more. */
  stale = 0;
  private readonly line: Line;
  private readonly options: Required<SmpClientOptions>;
  private readonly decoder = new SmpLineDecoder();
  private sequence = 0;
  private packetBytes: number | undefined;

  constructor(line: Line, options: SmpClientOptions = {}) {
    this.line = line;
    this.options = { clock: systemClock, answerMs: 2000, eraseMs: 30_000, retries: 3, ...options };
  }

  /** Sends a text and waits for it to come back, once. */
  async echo(text: string, milliseconds: number = this.options.answerMs): Promise<string> {
    const answer = await this.request(WRITE, GROUP.os, 0, { d: text }, 'an echo', { milliseconds, retries: 0 });
    return stringOf(answer, 'r', 'an echo');
  }

  /** Bytes of a packet that the server takes, header included; LEAST_PACKET where it doesn't tell. */
  async bufferBytes(): Promise<number> {
    if (this.packetBytes !== undefined) return this.packetBytes;
    const answer = await this.optional(READ, GROUP.os, 6, {}, 'its parameters');
    const bytes = answer?.get('buf_size');
    const known = typeof bytes === 'number' && Number.isInteger(bytes) && bytes >= 64;
    this.packetBytes = known ? Math.min(bytes, 65535) - IN_BUFFER : LEAST_PACKET;
    return this.packetBytes;
  }

  /** What is in the slots; undefined if the server doesn't tell. */
  async images(): Promise<SmpImage[] | undefined> {
    const answer = await this.optional(READ, GROUP.image, 0, {}, 'the state of its images');
    return answer === undefined ? undefined : imagesOf(answer);
  }

  /**
   * Has the image with this hash run after the next reset: for good if `confirm`, else as a test, where the server can go back.
   * @returns what is in the slots then
   */
  async choose(hash: Uint8Array, confirm: boolean): Promise<SmpImage[]> {
    return imagesOf(await this.request(WRITE, GROUP.image, 0, { hash, confirm }, 'to choose an image'));
  }

  /** Empties a slot; slot 1 if none is named. */
  async erase(slot?: number): Promise<void> {
    const values = slot === undefined ? {} : { slot };
    await this.request(WRITE, GROUP.image, 5, values, 'to erase a slot', { milliseconds: this.options.eraseMs });
  }

  /** Restarts the board; with `stay` in its bootloader, where the server knows how. */
  async reset(stay = false): Promise<void> {
    await this.request(WRITE, GROUP.os, 5, stay ? { boot_mode: 1 } : {}, 'a reset');
  }

  /** A name of the bootloader; undefined if the server doesn't tell. */
  async bootloader(): Promise<string | undefined> {
    const name = (await this.optional(READ, GROUP.os, 8, {}, 'its name'))?.get('bootloader');
    return typeof name === 'string' ? name : undefined;
  }

  /**
   * Sends a file, each piece when the one before has arrived. The server says where to go on, so an upload of the same file that
   * broke off is taken up.
   *
   * @throws GoodnessError `bootloader.refused`, `bootloader.timeout`, `bootloader.verify` if the server holds another file in the end
   */
  async upload(file: Uint8Array, options: SmpUpload = {}): Promise<SmpUploaded> {
    const most = await this.bufferBytes();
    const sha = new Uint8Array(createHash('sha256').update(file).digest());
    const head = {
      image: options.image ?? 0,
      len: file.length,
      sha,
      ...(options.upgradeOnly === true ? { upgrade: true } : {}),
    };
    let at = 0;
    let resumedAt = 0;
    let restarts = 0;
    for (let first = true; ; first = false) {
      const values = at === 0 ? { ...head, off: 0 } : { off: at };
      const data = file.subarray(at, at + pieceBytes(values, most));
      const answer = await this.request(WRITE, GROUP.image, 1, { ...values, data }, 'a piece of the image', {
        milliseconds: at === 0 || at + data.length === file.length ? this.options.eraseMs : this.options.answerMs,
      });
      const next = answer.get('off');
      if (typeof next !== 'number' || !Number.isInteger(next) || next < 0 || next > file.length) {
        throw malformed(`an offset up to ${file.length}`, String(next));
      }
      if (first && next > data.length) resumedAt = next;
      // A server that lost its place says where it is; if that never gets further, something else is wrong.
      if (next <= at && !(first && next === 0 && file.length === 0) && ++restarts > MOST_RESTARTS) {
        throw malformed(`an offset behind ${at}`, String(next));
      }
      at = next;
      options.onProgress?.(at, file.length);
      if (at < file.length) continue;
      const match = answer.get('match');
      if (match === false) {
        throw new GoodnessError('bootloader.verify', 'the board holds another image than was sent', {
          expected: `SHA-256 ${Buffer.from(sha).toString('hex')}`,
          fix: 'Try again. The firmware that was there stays.',
        });
      }
      return { resumedAt, matches: match === true ? true : undefined };
    }
  }

  /** A request that old servers don't know: undefined then. */
  private async optional(
    operation: number,
    group: number,
    command: number,
    values: Values,
    what: string,
  ): Promise<Answer | undefined> {
    const answer = await this.exchange(operation, group, command, values, what);
    const status = smpStatus(answer);
    if (status === undefined) return answer;
    if (isUnknown(status)) return undefined;
    throw smpRefusal(what, this.line.name, status);
  }

  private async request(
    operation: number,
    group: number,
    command: number,
    values: Values,
    what: string,
    patience: { readonly milliseconds?: number; readonly retries?: number } = {},
  ): Promise<Answer> {
    const answer = await this.exchange(operation, group, command, values, what, patience);
    const status = smpStatus(answer);
    if (status !== undefined) throw smpRefusal(what, this.line.name, status);
    return answer;
  }

  private async exchange(
    operation: number,
    group: number,
    command: number,
    values: Values,
    what: string,
    patience: { readonly milliseconds?: number; readonly retries?: number } = {},
  ): Promise<Answer> {
    const { milliseconds = this.options.answerMs, retries = this.options.retries } = patience;
    const sequence = this.sequence;
    this.sequence = (sequence + 1) & 255;
    const body = encode(values);
    const packet = Buffer.alloc(HEADER + body.length);
    packet.writeUInt8(operation | VERSION_2, 0);
    packet.writeUInt16BE(body.length, 2);
    packet.writeUInt16BE(group, 4);
    packet.writeUInt8(sequence, 6);
    packet.writeUInt8(command, 7);
    packet.set(body, HEADER);
    const lines = encodeSmpLines(packet);
    for (let attempt = 0; ; attempt++) {
      await this.line.write(lines);
      const expected = { operation: operation + 1, group, sequence, command };
      const answer = await this.receive(expected, milliseconds + this.onTheLine(lines.length));
      if (answer !== undefined) return answer;
      if (attempt < retries) continue;
      throw new GoodnessError('bootloader.timeout', `no answer to ${what} from ${this.line.name}`, {
        expected: `one within ${milliseconds} ms, in ${retries + 1} attempts`,
        fix: 'Check that the board is in its bootloader (reset with button A held on a micro:bit), and try again.',
      });
    }
  }

  /** Milliseconds that so many bytes and an answer take on the line. */
  private onTheLine(bytes: number): number {
    return ((bytes + 512) * 10_000) / this.line.settings.baud;
  }

  /** The answer that is waited for, undefined if it doesn't come in time. */
  private async receive(expected: Expected, milliseconds: number): Promise<Answer | undefined> {
    const { clock } = this.options;
    const end = clock.now() + milliseconds;
    for (;;) {
      const left = end - clock.now();
      if (left <= 0) return undefined;
      const byte = await this.line.read(1, left).catch((error: unknown) => {
        if (error instanceof GoodnessError && error.code === 'bootloader.timeout') return undefined;
        throw error;
      });
      if (byte === undefined) return undefined;
      const packet = this.decoder.push(byte[0]!);
      if (packet === undefined) continue;
      const answer = answerIn(packet, expected);
      if (answer !== undefined) return answer;
      this.stale++;
    }
  }
}

interface Expected {
  readonly operation: number;
  readonly group: number;
  readonly sequence: number;
  readonly command: number;
}

/** The map in a packet, if the packet is the answer that is waited for. */
function answerIn(packet: Uint8Array, expected: Expected): Answer | undefined {
  if (packet.length < HEADER) return undefined;
  const p = Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength);
  if ((p[0]! & 7) !== expected.operation || p.readUInt16BE(4) !== expected.group) return undefined;
  if (p[6] !== expected.sequence || p[7] !== expected.command) return undefined;
  if (p.readUInt16BE(2) !== packet.length - HEADER)
    throw malformed('a packet of the length that it says', `${packet.length} bytes`);
  let value: unknown;
  try {
    value = decode(packet.subarray(HEADER), { useMaps: true, rejectDuplicateMapKeys: true });
  } catch (cause) {
    throw malformed('CBOR', cause instanceof Error ? cause.message : String(cause));
  }
  if (!(value instanceof Map)) throw malformed('a map', typeof value);
  return value as Answer;
}

function isUnknown({ code, group }: SmpStatus): boolean {
  return group === undefined && code === NOT_SUPPORTED;
}

/** Bytes of the file that fit a packet beside these values. */
function pieceBytes(values: Values, most: number): number {
  const empty = HEADER + encode({ ...values, data: new Uint8Array(0) }).length;
  const room = most - empty;
  return room - (room > 258 ? 2 : room > 24 ? 1 : 0);
}

function imagesOf(answer: Answer): SmpImage[] {
  const list = answer.get('images');
  if (!Array.isArray(list)) throw malformed('a list of images', typeof list);
  return list.map((item: unknown): SmpImage => {
    if (!(item instanceof Map)) throw malformed('a map for each image', typeof item);
    const entry = item as Answer;
    const number = (key: string): number => {
      const value = entry.get(key) ?? 0;
      if (typeof value !== 'number') throw malformed(`a number for "${key}"`, typeof value);
      return value;
    };
    const hash = entry.get('hash');
    return {
      image: number('image'),
      slot: number('slot'),
      version: stringOf(entry, 'version', 'the state of its images'),
      hash: hash instanceof Uint8Array ? hash : undefined,
      bootable: entry.get('bootable') === true,
      pending: entry.get('pending') === true,
      confirmed: entry.get('confirmed') === true,
      active: entry.get('active') === true,
      permanent: entry.get('permanent') === true,
    };
  });
}

function stringOf(answer: Answer, key: string, what: string): string {
  const value = answer.get(key);
  if (typeof value === 'string') return value;
  throw malformed(`a text "${key}" in ${what}`, typeof value);
}

function malformed(expected: string, got: string): GoodnessError {
  return new GoodnessError('bootloader.protocol', 'the bootloader answers what it should not', {
    expected,
    got,
    fix: 'Check that the board speaks SMP on this port (MCUmgr), and the baud rate.',
  });
}
