/** The device's random numbers: xorshift32 (Marsaglia 2003), SPEC.md, "Random numbers". */
export class Xorshift {
  /** 1 to 2^32 - 1. */
  state: number;

  /** @param state not 0 */
  constructor(state: number) {
    this.state = state >>> 0;
  }

  /** The next number, 1 to 2^32 - 1. */
  next(): number {
    let r = this.state;
    r ^= r << 13;
    r ^= r >>> 17;
    r ^= r << 5;
    this.state = r >>> 0;
    return this.state;
  }
}

/** The random numbers of layer `layer`, counted from the network's first, while a sample for which r was drawn is learned. */
export function layerRandom(r: number, layer: number): Xorshift {
  let s = (r + Math.imul(layer, COLUMN_STEP)) | 0;
  s ^= s >>> 16;
  s = Math.imul(s, ROW_STEP) >>> 0;
  return new Xorshift(s === 0 ? 1 : s);
}

/** Step of a dither from one column to the next (2^32 / golden ratio). */
export const COLUMN_STEP = 0x9e3779b9;

/** Step of a dither from one row to the next. */
export const ROW_STEP = 0x85ebca6b;
