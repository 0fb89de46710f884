import { GoodnessError } from '../base/errors.js';
import { crc32 } from '../format/crc32.js';
import { decodeImage } from '../format/image.js';
import { MESSAGES, OBJECT_KIND, REGION } from '../format/message.js';
import { STATUS, statusError } from '../format/status.js';
import { pipeline, SequenceWindow } from './pipeline.js';
import type { Session } from './session.js';
import { WasmCore } from './wasm/core.js';

/** How far a long piece of work has come. */
export type OnProgress = (done: number, total: number) => void;

/** The `WRITE` request's own bytes: the offset. */
const WRITE_HEAD = 4;
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
  const window = new SequenceWindow(session.pipelining);
  for (let restarts = 0; at < bytes.length; ) {
    onProgress?.(at, bytes.length);
    try {
      at = await sendFrom(session, window, bytes, at, onProgress);
    } catch (error) {
      const lost = error instanceof GoodnessError && error.code === 'device.no_transfer';
      if (!lost || ++restarts > MOST_RESTARTS) throw error;
      at = (await session.request(MESSAGES.begin, begin)).offset;
    }
  }
  return resumed;
}

/** Sends pieces one behind the other from `from` on, until the end or a gap; returns the offset that the device expects then. */
async function sendFrom(
  session: Session,
  window: SequenceWindow,
  bytes: Uint8Array,
  from: number,
  onProgress: OnProgress | undefined,
): Promise<number> {
  const piece = (session.hello.maxRequest - WRITE_HEAD) & ~3;
  let cursor = from;
  let expected = from;
  let gap = false;
  await pipeline(
    () => window.width,
    () => {
      if (gap || cursor >= bytes.length) return undefined;
      const offset = cursor;
      const end = Math.min(offset + piece, bytes.length);
      cursor = end;
      return session.request(MESSAGES.write, { offset, bytes: bytes.subarray(offset, end) }).then(({ next }) => {
        // The device ignores a piece whose predecessor was lost; what it expects then is behind what was sent.
        if (next >= end) window.succeeded();
        else if (!gap) {
          gap = true;
          window.lost();
        }
        expected = Math.max(expected, next);
        onProgress?.(expected, bytes.length);
      });
    },
  );
  return expected;
}

/** Reads a stretch of a region of the device (see REGION), cut at the region's end. */
export async function readRegion(
  session: Session,
  region: number,
  offset: number,
  count: number,
  onProgress?: OnProgress,
): Promise<Uint8Array> {
  const piece = session.hello.maxResponse - RESPONSE_HEAD;
  const result = new Uint8Array(count);
  let cursor = 0;
  let end = count;
  let done = 0;
  await pipeline(
    () => session.pipelining,
    () => {
      if (cursor >= end) return undefined;
      const at = cursor;
      const n = Math.min(piece, end - at);
      cursor += n;
      return readPiece(session, region, offset + at, n, at > 0).then((bytes) => {
        result.set(bytes, at);
        if (bytes.length < n) end = Math.min(end, at + bytes.length);
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
): Promise<Uint8Array> {
  try {
    return await session.request(MESSAGES.read, { region, offset, count });
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
