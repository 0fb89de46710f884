import { GoodnessError } from '../base/errors.js';

/** Writes little-endian numbers one after the other into bytes of a fixed length, and refuses numbers that don't fit. */
export class ByteWriter {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly area: string;
  /** Where the next number goes. */
  at = 0;

  /** @param area what error codes begin with: `<area>.field` */
  constructor(length: number, area: string) {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
    this.area = area;
  }

  u8(value: number, name: string): this {
    this.view.setUint8(this.at, this.checked(value, 0xff, name));
    this.at += 1;
    return this;
  }

  u16(value: number, name: string): this {
    this.view.setUint16(this.at, this.checked(value, 0xffff, name), true);
    this.at += 2;
    return this;
  }

  u32(value: number, name: string): this {
    this.view.setUint32(this.at, this.checked(value, 0xffffffff, name), true);
    this.at += 4;
    return this;
  }

  f32(value: number): this {
    this.view.setFloat32(this.at, value, true);
    this.at += 4;
    return this;
  }

  raw(source: Uint8Array | Int8Array): this {
    this.bytes.set(source, this.at);
    this.at += source.length;
    return this;
  }

  private checked(value: number, max: number, name: string): number {
    if (Number.isInteger(value) && value >= 0 && value <= max) return value;
    throw new GoodnessError(`${this.area}.field`, `${name} doesn't fit its field`, {
      expected: `a whole number from 0 to ${max}`,
      got: String(value),
    });
  }
}
