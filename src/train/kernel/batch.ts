import type { Values } from '../forward.js';
import type { Kernel } from './kernel.js';
import { Staging } from './staging.js';

/** Inputs of a unit, as in kernel.h. */
const UNIT = 32;

/** Places of the fields of `layer`, as in kernel.h. */
export const FIELD = { inputs: 0, entries: 3, used: 8, weights: 9 } as const;
const FIELDS = 13;

/** The batch that a layer works on, and the kernel's record of both. */
export class KernelBatch {
  readonly record: Uint32Array;
  private readonly kernel: Kernel;
  private readonly source: Staging;
  private inputs = 0;
  private outputs = 0;
  private rows = 0;
  /** Index and value of each input that isn't 0. */
  private entries: Uint32Array = new Uint32Array(0);
  private factors: Float32Array = new Float32Array(0);
  private starts: Uint32Array = new Uint32Array(0);
  private products: Float32Array = new Float32Array(0);
  private packed: Float32Array = new Float32Array(0);

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.record = kernel.memory.words(FIELDS);
    this.source = new Staging(kernel);
  }

  /**
   * Takes the rows that are to be multiplied.
   * @param source (rows, inputs)
   * @param drop chance of an input to be dropped in 1/65536, and the seed that decides which
   * @param rescale whether each row is brought to mean square 1
   */
  take(
    source: Values,
    rows: number,
    inputs: number,
    outputs: number,
    drop: { chance: number; seed: number },
    rescale: boolean,
  ): void {
    this.reserve(rows, inputs, outputs);
    const at = this.source.address(source.subarray(0, rows * inputs));
    const [bytes, floats] = source instanceof Uint8Array ? [at, 0] : [0, at];
    this.kernel.code.take(this.record.byteOffset, bytes, floats, drop.chance, drop.seed, rescale ? 1 : 0);
  }

  /**
   * The product of the rows taken last.
   * @param used address of the weights, (inputs, outputs)
   * @param rectify whether negative numbers become 0
   * @returns (rows, outputs), valid until the next call
   */
  multiply(used: number, rectify: boolean): Float32Array {
    this.record[FIELD.used] = used;
    this.kernel.code.multiply(this.record.byteOffset, rectify ? 1 : 0);
    return this.products.subarray(0, this.rows * this.outputs);
  }

  private reserve(rows: number, inputs: number, outputs: number): void {
    if (this.rows === rows && this.inputs === inputs && this.outputs === outputs) return;
    const { kernel, record } = this;
    const { memory } = kernel;
    [this.rows, this.inputs, this.outputs] = [rows, inputs, outputs];
    const entries = kernel.code.entry_words(rows, inputs);
    if (this.entries.length < entries) this.entries = memory.words(entries);
    if (this.factors.length < rows) this.factors = memory.floats(rows);
    const starts = (Math.ceil(inputs / UNIT) + 1) * rows;
    if (this.starts.length < starts) this.starts = memory.words(starts);
    if (this.products.length < rows * outputs) this.products = memory.floats(rows * outputs);
    const packed = kernel.code.packed_floats(rows, outputs);
    if (this.packed.length < packed) this.packed = memory.floats(packed);
    kernel.reserveScratch(rows, outputs);
    record.set([inputs, outputs, rows], FIELD.inputs);
    const arrays = [this.entries, this.factors, this.starts, this.products, this.packed];
    record.set(
      arrays.map((array) => array.byteOffset),
      FIELD.entries,
    );
  }
}
