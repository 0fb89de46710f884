import type { Random } from '../../base/random.js';
import { lengthFactor } from '../preprocess.js';

/**
 * The normalised input of one layer for one batch, both as rows and as columns (the transpose), since the backend
 * multiplies fast without transposition only. Inputs that are 0 in all rows (the border of most images) are left out:
 * they add nothing to the forward pass and their gradient is 0.
 */
export class InputRows {
  /** Inputs of the layer. */
  readonly width: number;
  /** Rows in this batch. */
  count = 0;
  /** Inputs that are not 0 in all rows. */
  active = 0;
  /** (count, active) at the start of the array */
  rows = new Float32Array(0);
  /** (active, count) at the start of the array */
  columns = new Float32Array(0);
  /** Index of each active input, at the start of the array. */
  private readonly indices: Uint32Array;
  /** Place of each input among the active ones; -1 if it is not. */
  private readonly places: Int32Array;
  /** The inputs that are neither 0 nor dropped, row by row: index, value, and where each row ends. */
  private spots = new Uint16Array(0);
  private values = new Float32Array(0);
  private ends = new Uint32Array(0);

  constructor(width: number) {
    this.width = width;
    this.indices = new Uint32Array(width);
    this.places = new Int32Array(width);
  }

  /**
   * Takes a batch: drops inputs at random, then rescales each row to mean square 1.
   * @param source (count, width), each >= 0
   * @param dropout chance of an input to be dropped, 0 to below 1
   */
  fill(source: Uint8Array | Float32Array, count: number, dropout: number, random: Random): void {
    this.count = count;
    this.reserve(count);
    const { width, places } = this;
    places.fill(-1);
    // One loop per type of array: the engine compiles a loop that sees two of them to slower code.
    if (source instanceof Uint8Array) this.collectBytes(source, count, dropout, random);
    else this.collectFloats(source, count, dropout, random);
    let active = 0;
    for (let i = 0; i < width; i++) {
      if (places[i] === 0) {
        places[i] = active;
        this.indices[active++] = i;
      }
    }
    this.active = active;
    this.spread();
  }

  /** Rows of `weights` that belong to active inputs: (active, outputs), `weights` itself where all are active. */
  gatherRows(weights: Float32Array, outputs: number, target: Float32Array): Float32Array {
    if (this.active === this.width) return weights;
    this.runs((from, to, place) => target.set(weights.subarray(from * outputs, to * outputs), place * outputs));
    return target;
  }

  /** The opposite of `gatherRows`: (width, outputs) with zeros for inputs that are not active. */
  scatterRows(active: Float32Array, outputs: number, target: Float32Array): Float32Array {
    if (this.active === this.width) return active;
    target.fill(0);
    this.runs((from, to, place) =>
      target.set(active.subarray(place * outputs, (place + to - from) * outputs), from * outputs),
    );
    return target;
  }

  private reserve(count: number): void {
    const size = count * this.width;
    if (this.rows.length >= size) return;
    this.rows = new Float32Array(size);
    this.columns = new Float32Array(size);
    this.spots = new Uint16Array(size);
    this.values = new Float32Array(size);
    this.ends = new Uint32Array(count);
  }

  private collectBytes(source: Uint8Array, count: number, dropout: number, random: Random): void {
    const { width, places, spots, values, ends } = this;
    const bar = Math.round(dropout * 4294967296);
    let at = 0;
    for (let r = 0, k = 0; r < count; r++) {
      for (let i = 0; i < width; i++, k++) {
        const v = source[k]!;
        if (v === 0 || (bar > 0 && random.uint32() < bar)) continue;
        places[i] = 0;
        spots[at] = i;
        values[at++] = v;
      }
      ends[r] = at;
    }
  }

  private collectFloats(source: Float32Array, count: number, dropout: number, random: Random): void {
    const { width, places, spots, values, ends } = this;
    const bar = Math.round(dropout * 4294967296);
    let at = 0;
    for (let r = 0, k = 0; r < count; r++) {
      for (let i = 0; i < width; i++, k++) {
        const v = source[k]!;
        if (v === 0 || (bar > 0 && random.uint32() < bar)) continue;
        places[i] = 0;
        spots[at] = i;
        values[at++] = v;
      }
      ends[r] = at;
    }
  }

  /** Writes the collected values, rescaled, into rows and columns. */
  private spread(): void {
    const { count, width, active, rows, columns, places, spots, values, ends } = this;
    rows.fill(0, 0, count * active);
    columns.fill(0, 0, active * count);
    let at = 0;
    for (let r = 0; r < count; r++) {
      const begin = at;
      const end = ends[r]!;
      let squares = 0;
      for (; at < end; at++) squares += values[at]! * values[at]!;
      const factor = lengthFactor(squares, width);
      for (let k = begin; k < end; k++) {
        const place = places[spots[k]!]!;
        const x = values[k]! * factor;
        rows[r * active + place] = x;
        columns[place * count + r] = x;
      }
    }
  }

  /** Calls `visit` for each run of neighbouring active inputs [from, to) and the place of its first one. */
  private runs(visit: (from: number, to: number, place: number) => void): void {
    for (let a = 0; a < this.active; ) {
      const from = this.indices[a]!;
      let b = a + 1;
      while (b < this.active && this.indices[b] === from + b - a) b++;
      visit(from, from + b - a, a);
      a = b;
    }
  }
}
