import { GoodnessError } from '../base/errors.js';
import { crc32 } from '../format/crc32.js';
import { decodeImage } from '../format/image.js';
import { MESSAGES, OBJECT_KIND, REGION } from '../format/message.js';
import { STATUS, statusError } from '../format/status.js';
import { pipeline, sendSequence } from './pipeline.js';
import type { Session } from './session.js';
import { WasmCore } from './wasm/core.js';

/** How far a long piece of work has come. */
export type OnProgress = (done: number, total: number) => void;

/** The `WRITE` request's own bytes: the offset. */
const WRITE_HEAD = 4;
/** Pieces are multiples of it: flash may take 8 bytes at a time. */
const WORD = 8;
/** What a frame has beside its payload: type, sequence number, CRC, first COBS code and closing zero. */
const FRAME = 8;
/** Bytes on the line beside the data: a WRITE, its answer, and a READ with its answer. */
const WRITE_OVERHEAD = FRAME + WRITE_HEAD;
const WRITE_ANSWER = FRAME + 5;
const READ_OVERHEAD = FRAME + 7 + FRAME + 1;
/** The status in front of a response's data. */
const RESPONSE_HEAD = 1;
/** How often a transfer starts again because the device lost what it had. */
const MOST_RESTARTS = 3;

/**
 * Sends an object to the device's free slot, and leaves it there uncommitted. If the same object was being sent before (the
 * cable fell out, the program was stopped), it goes on where that ended.
 *
 * @param kind see OBJECT_KIND
 * @param bytes a multiple of 4
 * @returns the offset at which it went on
 */
export async function sendObject(
  session: Session,
  kind: number,
  bytes: Uint8Array,
  onProgress?: OnProgress,
): Promise<number> {
  const begin = { kind, length: bytes.length, crc: crc32(bytes) };
  const { offset: resumed } = await session.request(MESSAGES.begin, begin);
  let at = resumed;
  for (let restarts = 0; at < bytes.length; ) {
    onProgress?.(at, bytes.length);
    try {
      await sendFrom(session, bytes, at, onProgress);
      break;
    } catch (error) {
      const lost = error instanceof GoodnessError && error.code === 'device.no_transfer';
      if (!lost || ++restarts > MOST_RESTARTS) throw error;
      at = (await session.request(MESSAGES.begin, begin)).offset;
    }
  }
  return resumed;
}

/** Sends pieces one behind the other from `from` on, as long and as many as the line bears. */
function sendFrom(
  session: Session,
  bytes: Uint8Array,
  from: number,
  onProgress: OnProgress | undefined,
): Promise<void> {
  const { loss, hello } = session;
  const most = (hello.maxRequest - WRITE_HEAD) & ~(WORD - 1);
  const plan = () => loss.sequence(WRITE_OVERHEAD, most, session.pipelining);
  return sendSequence({
    from,
    end: bytes.length,
    width: () => plan().width,
    send: (offset) => {
      // Where the device stands may be no multiple of its words only at the very end.
      const length = Math.max(WORD, plan().piece & ~(WORD - 1));
      const end = Math.min(offset + length, bytes.length);
      const answer = session.attempt(MESSAGES.write, { offset, bytes: bytes.subarray(offset, end) });
      const onTheLine = end - offset + WRITE_OVERHEAD + WRITE_ANSWER;
      const next = answer.then((got) => {
        if (got === undefined) loss.wasLost(onTheLine);
        else loss.came(onTheLine);
        return got?.next;
      });
      return { end, next };
    },
    onNext: (next) => onProgress?.(next, bytes.length),
    onLost: (times) => giveUp(session, 'WRITE', times),
  });
}

/** Ends work on a line on which the same piece gets lost again and again. */
function giveUp(session: Session, name: string, times: number): void {
  const error = session.tooNoisy(name, times);
  if (error !== undefined) throw error;
}

/** Reads a stretch of a region of the device (see REGION), cut at the region's end. */
export async function readRegion(
  session: Session,
  region: number,
  offset: number,
  count: number,
  onProgress?: OnProgress,
): Promise<Uint8Array> {
  const { loss } = session;
  const most = session.hello.maxResponse - RESPONSE_HEAD;
  const result = new Uint8Array(count);
  // Stretches to ask for, the next one last.
  const open = [{ from: 0, to: count }];
  let end = count;
  let done = 0;
  let lost = 0;
  await pipeline(
    () => session.pipelining,
    () => {
      let stretch = open.pop();
      // What lies beyond the end, now that it is known, need not be asked for again; what lies before it must.
      while (stretch !== undefined && stretch.from >= end) stretch = open.pop();
      if (stretch === undefined) return undefined;
      const { from } = stretch;
      const n = Math.min(Math.floor(loss.piece(READ_OVERHEAD, most)), Math.min(end, stretch.to) - from);
      if (from + n < stretch.to) open.push({ from: from + n, to: stretch.to });
      return readPiece(session, region, offset + from, n, from > 0).then((bytes) => {
        if (bytes === undefined) {
          loss.wasLost(READ_OVERHEAD + n);
          open.push({ from, to: from + n });
          giveUp(session, 'READ', ++lost);
          return;
        }
        loss.came(READ_OVERHEAD + n);
        lost = 0;
        result.set(bytes, from);
        if (bytes.length < n) end = Math.min(end, from + bytes.length);
        done += bytes.length;
        onProgress?.(done, count);
      });
    },
  );
  return result.subarray(0, end);
}

/** One READ. Only the first of several must lie within the region: the others may turn out to be beyond its end, and empty. */
async function readPiece(
  session: Session,
  region: number,
  offset: number,
  count: number,
  mayMiss: boolean,
): Promise<Uint8Array | undefined> {
  try {
    return await session.attempt(MESSAGES.read, { region, offset, count });
  } catch (error) {
    if (mayMiss && error instanceof GoodnessError && error.code === 'device.range') return new Uint8Array(0);
    throw error;
  }
}

export interface FlashOptions {
  readonly onProgress?: (phase: 'send' | 'verify', done: number, total: number) => void;
  /** Read the model back afterwards and compare; true if left out. */
  readonly verify?: boolean;
}

export interface FlashReport {
  readonly imageBytes: number;
  /** Offset at which an earlier, broken transfer was taken up. */
  readonly resumedAt: number;
  readonly baseId: number;
  readonly verified: boolean;
  /** Bytes over the line, frames and all. */
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/**
 * Puts a model on the device: it is checked here, refused if it can't fit, sent, committed, loaded by the device, and read
 * back. Whatever fails, the device keeps its last whole model.
 *
 * @throws GoodnessError `image.*` for a bad image, `device.slot`, `device.arena`, `device.request` if it doesn't fit,
 * `flash.mismatch` if the device holds other bytes afterwards
 */
export async function flashModel(
  session: Session,
  image: Uint8Array,
  options: FlashOptions = {},
): Promise<FlashReport> {
  decodeImage(image);
  await session.refresh();
  await refuseWhatDoesNotFit(session, image);
  const { traffic } = session.transport;
  const before = { ...traffic };
  const resumedAt = await sendObject(session, OBJECT_KIND.image, image, (done, total) =>
    options.onProgress?.('send', done, total),
  );
  const { baseId } = await session.request(MESSAGES.commit, undefined);
  await session.refresh();
  const verified = options.verify ?? true;
  if (verified) {
    const back = await readRegion(session, REGION.image, 0, image.length, (done, total) =>
      options.onProgress?.('verify', done, total),
    );
    const wrong = image.findIndex((byte, i) => byte !== back[i]);
    if (wrong >= 0) {
      throw new GoodnessError('flash.mismatch', `the device holds another model than was sent, from byte ${wrong} on`, {
        expected: `${image[wrong]}`,
        got: wrong < back.length ? `${back[wrong]}` : 'the end of the image',
        fix: 'Send it again. If the byte stays wrong, the flash or the RAM of the board is bad.',
      });
    }
  }
  return {
    imageBytes: image.length,
    resumedAt,
    baseId,
    verified,
    bytesUp: traffic.up - before.up,
    bytesDown: traffic.down - before.down,
  };
}

/** Compares what the model needs with what the device said it has, so that nothing is sent in vain. */
async function refuseWhatDoesNotFit(session: Session, image: Uint8Array): Promise<void> {
  const { slotBytes, arenaBytes, maxRequest, learns } = session.hello;
  if (image.length > slotBytes) throw statusError(STATUS.SLOT, slotBytes, image.length);
  const core = await WasmCore.withModel(image);
  const { weights, inference, learning } = core.ram();
  const need = learns ? weights + inference + learning : inference;
  if (need > arenaBytes) throw statusError(STATUS.ARENA, need, arenaBytes);
  const request = MESSAGES.learn.encode({ index: 0, label: 0, input: new Uint8Array(core.shape.rawInputs) }).length;
  if (request > maxRequest) {
    throw new GoodnessError('device.request', 'a sample of this model is longer than a frame of the device', {
      expected: `at most ${maxRequest} bytes`,
      got: `${request}`,
      fix: 'Use fewer inputs (pool the image), or build the firmware with a larger frame.',
    });
  }
}
