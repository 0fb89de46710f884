import type { Model, ModelLayer } from '../format/model.js';

/** What a sample's encoding depends on. */
export type InputShape = Pick<Model, 'classes' | 'objective' | 'encoding' | 'subtractMin' | 'labelValue'>;

/**
 * A sample's bytes as the first layer takes them (SPEC.md, "Input").
 * @param target (encoded inputs)
 * @param label objective `label`: which label goes in front; else ignored
 */
export function encodeInput(model: InputShape, raw: Uint8Array, target: Uint8Array, label: number): void {
  let at = 0;
  if (model.objective === 'label') {
    target.fill(0, 0, model.classes);
    target[label] = model.labelValue;
    at = model.classes;
  }
  let low = 0;
  if (model.subtractMin) {
    low = 255;
    for (let i = 0; i < raw.length; i++) if (raw[i]! < low) low = raw[i]!;
  }
  for (let i = 0; i < raw.length; i++) target[at + i] = raw[i]! - low;
  if (model.encoding !== 'complement') return;
  for (let i = 0; i < raw.length; i++) target[at + raw.length + i] = 255 - target[at + i]!;
}

/** Floor of the square root of a whole number below 2^52. */
export function isqrt(value: number): number {
  // Math.sqrt is correctly rounded, which below 2^52 can't lift a root that isn't whole to the next whole number.
  return Math.floor(Math.sqrt(value));
}

/**
 * Rescales a layer's input to length 2^lengthShift (SPEC.md, "Rescaling to length L").
 * @param source whole numbers of 0 or more, (count)
 * @param squares sum of their squares, below 2^32
 * @param target bytes (count)
 * @param limit largest of them: 255 or 15
 */
export function rescale(
  source: Uint8Array | Uint16Array,
  squares: number,
  lengthShift: number,
  target: Uint8Array,
  limit = 255,
): void {
  const root = isqrt(squares);
  if (root === 0) {
    target.fill(0);
    return;
  }
  const factor = Math.floor(2 ** (lengthShift + 16) / root);
  for (let i = 0; i < source.length; i++) {
    const x = source[i]!;
    target[i] = x === 0 ? 0 : Math.min(limit, (x * factor + 32768) >>> 16);
  }
}

/** Sum of squares of bytes; below 2^32 for as many inputs as a layer may have. */
export function sumOfSquares(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum += bytes[i]! * bytes[i]!;
  return sum;
}

type Columns = Pick<ModelLayer, 'weights' | 'outputs'>;

/**
 * acc_j = sum over i of w_ij x_i (SPEC.md, "Product"), four inputs at a time: the sums are the same and come twice as fast.
 * @param input (inputs)
 * @param target (outputs), overwritten
 */
export function product(layer: Columns, input: Uint8Array, target: Int32Array): void {
  target.fill(0);
  const next = (from: number): number => {
    let i = from;
    while (i < input.length && input[i] === 0) i++;
    return i;
  };
  let i = next(0);
  while (i < input.length) {
    const a = i;
    const b = next(a + 1);
    const c = next(b + 1);
    const d = next(c + 1);
    addColumns(layer, input, target, a, b, c, d);
    i = next(d + 1);
  }
}

/** Adds the columns of four inputs; an index beyond the last input adds nothing. */
function addColumns(
  layer: Columns,
  input: Uint8Array,
  target: Int32Array,
  a: number,
  b: number,
  c: number,
  d: number,
): void {
  const { weights, outputs } = layer;
  const last = input.length - 1;
  const p = input[a]!;
  const q = b <= last ? input[b]! : 0;
  const r = c <= last ? input[c]! : 0;
  const s = d <= last ? input[d]! : 0;
  const wa = a * outputs;
  const wb = Math.min(b, last) * outputs;
  const wc = Math.min(c, last) * outputs;
  const wd = Math.min(d, last) * outputs;
  for (let j = 0; j < outputs; j++) {
    const sum = weights[wa + j]! * p + weights[wb + j]! * q + weights[wc + j]! * r + weights[wd + j]! * s;
    target[j] = (target[j]! + sum) | 0;
  }
}

/**
 * Activities of accumulators (SPEC.md, "Activity and goodness").
 * @param target (outputs)
 */
export function activate(
  layer: Pick<ModelLayer, 'outputShift' | 'activityMax'>,
  accumulators: Int32Array,
  target: Uint16Array,
): void {
  const { outputShift, activityMax } = layer;
  const half = outputShift === 0 ? 0 : 2 ** (outputShift - 1);
  for (let j = 0; j < target.length; j++) {
    const a = accumulators[j]!;
    // a + half stays below 2^31 + 2^23: as an unsigned number it still fits 32 bits.
    target[j] = a <= 0 ? 0 : Math.min(activityMax, (a + half) >>> outputShift);
  }
}

/**
 * Sum of squared activities of each group.
 * @param target (groups)
 * @returns the sum over all groups
 */
export function groupGoodness(activities: Uint16Array, target: Uint32Array): number {
  const size = activities.length / target.length;
  let total = 0;
  let at = 0;
  for (let g = 0; g < target.length; g++) {
    let sum = 0;
    for (const end = at + size; at < end; at++) sum += activities[at]! * activities[at]!;
    target[g] = sum;
    total += sum;
  }
  return total;
}

/** A layer's part of a score: (goodness * factor + 32768) >> 16, in 64 bits. */
export function scorePart(goodness: number, factor: number): number {
  return Math.floor((goodness * factor + 32768) / 65536);
}
