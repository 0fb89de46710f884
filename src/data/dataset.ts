import type { ExtractorMeta } from '../format/meta.js';

/** How the values of a sensor become the bytes that a network takes. */
export interface Scaling {
  /** Value of byte 0, one per input, or a single one for all inputs. */
  readonly offset: Float32Array;
  /** Value of one step of a byte (> 0), one per input, or a single one for all inputs. */
  readonly step: Float32Array;
}

/** Width and height of an input that is a grey image, row by row. */
export interface Geometry {
  readonly width: number;
  readonly height: number;
}

/** Labelled samples as bytes: what a sensor delivers after scaling. */
export interface Dataset {
  /** What to call it in reports. */
  readonly name: string;
  /** Samples one after the other: (count, width), each 0 to 255. */
  readonly inputs: Uint8Array;
  /** One class index per sample: (count). */
  readonly labels: Uint8Array;
  readonly count: number;
  /** Inputs per sample. */
  readonly width: number;
  /** Names of the classes; its length is the number of classes. */
  readonly classes: readonly string[];
  /** Names of the inputs, where the source has them. */
  readonly features?: readonly string[];
  /** Class whose samples were made up as negative data, where there are some. */
  readonly others?: string;
  /** What normal and novel (labels 0 and 1) stand for, where the samples are those of a one-class network. */
  readonly oneClass?: OneClass;
  /** Present where the input is an image. */
  readonly geometry?: Geometry;
  readonly scaling: Scaling;
  /** Present where the inputs are what a frozen model makes of other data. */
  readonly extractor?: ExtractorMeta;
}

/** The classes of a source, and those of them that are normal. */
export interface OneClass {
  readonly classes: readonly string[];
  readonly normal: readonly string[];
}

/** Bytes that stand for themselves: byte b is the value b. */
export const BYTE_SCALING: Scaling = { offset: Float32Array.of(0), step: Float32Array.of(1) };

/** Samples `from` (included) to `to` (excluded), as views on the same memory. */
export function slice(data: Dataset, from: number, to: number): Dataset {
  const end = Math.min(to, data.count);
  const start = Math.min(from, end);
  return {
    ...data,
    inputs: data.inputs.subarray(start * data.width, end * data.width),
    labels: data.labels.subarray(start, end),
    count: end - start,
  };
}

/**
 * The samples at `indices`, copied in that order.
 * @param spent an earlier selection that nobody looks at any more: its arrays are taken if they have the right size
 */
export function select(data: Dataset, indices: ArrayLike<number>, spent?: Dataset): Dataset {
  const fits = spent?.inputs.length === indices.length * data.width && spent.count === indices.length;
  const inputs = fits ? spent.inputs : new Uint8Array(indices.length * data.width);
  const labels = fits ? spent.labels : new Uint8Array(indices.length);
  for (let k = 0; k < indices.length; k++) {
    const i = indices[k]!;
    inputs.set(data.inputs.subarray(i * data.width, (i + 1) * data.width), k * data.width);
    labels[k] = data.labels[i]!;
  }
  return { ...data, inputs, labels, count: indices.length };
}

/** Sample `i` as a view of `width` bytes. */
export function sample(data: Dataset, i: number): Uint8Array {
  return data.inputs.subarray(i * data.width, (i + 1) * data.width);
}

/**
 * The samples whose class is in `classes` (indices), copied in their order. Class list and labels stay as they are, so that a
 * network with groups for all classes can learn a part of them first.
 */
export function selectClasses(data: Dataset, classes: readonly number[]): Dataset {
  const keep = new Set(classes);
  const indices: number[] = [];
  for (let i = 0; i < data.count; i++) if (keep.has(data.labels[i]!)) indices.push(i);
  return select(data, indices);
}

/** Part of zeros from which on inputs are sparse: features behind a relu are, embeddings and sensor values aren't. */
export const SPARSE = 0.25;

/** Whether a data set's bytes are mostly nothing, so that their complements would drown what there is. */
export function isSparse({ inputs }: Dataset): boolean {
  let zeros = 0;
  for (let k = 0; k < inputs.length; k++) if (inputs[k] === 0) zeros++;
  return zeros >= SPARSE * inputs.length;
}
