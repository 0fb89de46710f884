import { GoodnessError } from '../base/errors.js';
import { CobsDecoder, type CobsDrop, cobsBound, cobsEncode } from './cobs.js';
import { crc32 } from './crc32.js';

/** Bytes of a frame beside its payload: type, sequence number, CRC. */
const OVERHEAD = 6;

/** One request or response (SPEC.md, "Frames"). */
export interface Frame {
  /** 0 to 255; responses have bit 7 set. */
  readonly type: number;
  /** 0 to 255. */
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Most bytes that a frame takes on the wire, its closing zero included. */
export function frameBound(payloadLength: number): number {
  return cobsBound(payloadLength + OVERHEAD) + 1;
}

/** A frame as it goes over the wire: COBS, with the closing zero. */
export function encodeFrame(type: number, sequence: number, payload: Uint8Array): Uint8Array {
  if (type !== (type & 255) || sequence !== (sequence & 255)) {
    throw new GoodnessError('frame.field', 'type or sequence number out of range', {
      expected: '0 to 255',
      got: `${type}, ${sequence}`,
    });
  }
  const body = new Uint8Array(payload.length + OVERHEAD);
  body[0] = type;
  body[1] = sequence;
  body.set(payload, 2);
  const end = payload.length + 2;
  new DataView(body.buffer).setUint32(end, crc32(body.subarray(0, end)), true);
  const wire = new Uint8Array(frameBound(payload.length));
  const length = cobsEncode(body, wire);
  return wire.subarray(0, length + 1);
}

/** Why bytes between two zeros were not a frame. */
export type FrameDrop = CobsDrop | 'short' | 'crc';

/**
 * Finds frames in a byte stream. What is too long, no valid COBS, too short, or has a wrong CRC is dropped and counted;
 * the next zero starts afresh.
 */
export class FrameDecoder {
  private readonly cobs: CobsDecoder;
  private drops = 0;

  /** @param maxPayload most payload bytes of a frame */
  constructor(maxPayload: number) {
    this.cobs = new CobsDecoder(maxPayload + OVERHEAD);
  }

  /** Frames dropped so far. */
  get dropped(): number {
    return this.drops;
  }

  /**
   * @param onFrame called for each good frame, in order; the payload is a copy
   * @param onDrop called for each one dropped
   */
  push(bytes: Uint8Array, onFrame: (frame: Frame) => void, onDrop?: (reason: FrameDrop) => void): void {
    const drop = (reason: FrameDrop): void => {
      this.drops++;
      onDrop?.(reason);
    };
    this.cobs.push(
      bytes,
      (body) => {
        const end = body.length - 4;
        if (end < 2) drop('short');
        else if (crc32(body.subarray(0, end)) !== new DataView(body.buffer, body.byteOffset).getUint32(end, true)) {
          drop('crc');
        } else onFrame({ type: body[0]!, sequence: body[1]!, payload: body.slice(2, end) });
      },
      drop,
    );
  }

  /** Forgets a frame that has begun. */
  reset(): void {
    this.cobs.reset();
  }
}
