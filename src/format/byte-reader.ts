import { GoodnessError } from '../base/errors.js';

/** Reads little-endian numbers one after the other, and never beyond the end. */
export class ByteReader {
  private readonly source: Uint8Array;
  private readonly view: DataView;
  private readonly area: string;
  private at = 0;

  /** @param area what error codes begin with: `<area>.length` */
  constructor(bytes: Uint8Array, area: string) {
    this.source = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.area = area;
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.source.length - this.at;
  }

  u8(): number {
    return this.view.getUint8(this.advance(1));
  }

  u16(): number {
    return this.view.getUint16(this.advance(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  /** The next `count` bytes, copied. */
  raw(count: number): Uint8Array {
    const from = this.advance(count);
    return this.source.slice(from, from + count);
  }

  /** @throws GoodnessError `<area>.length` unless everything was read */
  end(): void {
    if (this.left > 0) this.fail(this.at);
  }

  private advance(count: number): number {
    const from = this.at;
    if (count > this.left) this.fail(from + count);
    this.at += count;
    return from;
  }

  private fail(expected: number): never {
    throw new GoodnessError(`${this.area}.length`, 'unexpected number of bytes', {
      expected: `${expected} bytes`,
      got: `${this.source.length}`,
    });
  }
}
