/** Most bytes that `cobsEncode` makes of `length` bytes, the closing zero not counted. */
export function cobsBound(length: number): number {
  return length + Math.floor(length / 254) + 1;
}

/**
 * Consistent overhead byte stuffing (Cheshire and Baker 1999): the same bytes without any zero, so that a zero can end a
 * frame. The zero itself is not appended.
 * @param target where to write; at least `cobsBound(source.length)` bytes from `at` on
 * @returns bytes written
 */
export function cobsEncode(source: Uint8Array, target: Uint8Array, at = 0): number {
  let code = at;
  let to = at + 1;
  for (let i = 0; i < source.length; i++) {
    const byte = source[i]!;
    if (byte !== 0) target[to++] = byte;
    // A full block of 254 stands for itself without a zero behind it, so nothing follows one that ends the data.
    if (byte === 0 || (to - code === 255 && i + 1 < source.length)) {
      target[code] = to - code;
      code = to++;
    }
  }
  target[code] = to - code;
  return to - at;
}

/** What became of the bytes between two zeros. */
export type CobsDrop = 'length' | 'invalid';

/**
 * Takes a byte stream apart at its zeros. Memory is bounded: what is longer than the limit is dropped as a whole, and
 * decoding goes on behind the next zero.
 */
export class CobsDecoder {
  private readonly buffer: Uint8Array;
  private length = 0;
  /** Bytes of the current block that are still to come. */
  private left = 0;
  /** Whether a zero belongs behind the current block unless the frame ends there. */
  private zero = false;
  private started = false;
  private tooLong = false;

  /** @param limit most decoded bytes of a frame */
  constructor(limit: number) {
    this.buffer = new Uint8Array(limit);
  }

  /**
   * @param onFrame called for each whole frame with a view that is valid during the call only
   * @param onDrop called for what is no valid COBS or longer than the limit; empty frames are ignored
   */
  push(bytes: Uint8Array, onFrame: (frame: Uint8Array) => void, onDrop: (reason: CobsDrop) => void): void {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte === 0) this.end(onFrame, onDrop);
      else if (this.left > 0) {
        this.append(byte);
        this.left--;
      } else {
        if (this.zero) this.append(0);
        this.started = true;
        this.zero = byte !== 255;
        this.left = byte - 1;
      }
    }
  }

  /** Forgets a frame that has begun. */
  reset(): void {
    this.length = 0;
    this.left = 0;
    this.zero = false;
    this.started = false;
    this.tooLong = false;
  }

  private append(byte: number): void {
    if (this.length === this.buffer.length) this.tooLong = true;
    else this.buffer[this.length++] = byte;
  }

  private end(onFrame: (frame: Uint8Array) => void, onDrop: (reason: CobsDrop) => void): void {
    const { started, tooLong, left, length } = this;
    this.reset();
    if (!started) return;
    if (tooLong) onDrop('length');
    else if (left > 0) onDrop('invalid');
    else onFrame(this.buffer.subarray(0, length));
  }
}
