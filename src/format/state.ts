import { GoodnessError } from '../base/errors.js';
import { ByteWriter } from './byte-writer.js';
import { type LayerState, LIMIT, type Model, type ModelState, padded } from './model.js';

type Width = 1 | 2 | 4;

/** Name, bytes, smallest and largest value of a field; fields stand without gaps. `null` is reserved and 0. */
type Field<Name> = readonly [Name | null, Width, number, number];

const U32 = 0xffffffff;

type Scalar = Exclude<keyof ModelState, 'layers' | 'thresholds' | 'counts' | 'means'>;

const SCALARS: readonly Field<Scalar>[] = [
  ['baseId', 4, 0, U32],
  ['t', 4, 0, U32],
  ['random', 4, 1, U32],
  ['samples', 4, 0, U32],
  ['updates', 4, 0, U32],
  ['errors', 4, 0, U32],
  ['falseRejects', 4, 0, U32],
  ['falseAccepts', 4, 0, U32],
  ['noveltyThreshold', 4, 0, U32],
  ['tau', 2, 1, 0xffff],
  ['centring', 2, 0, 512],
  ['margin', 1, 0, 0xff],
  ['meanShift', 1, 1, 8],
  ['thresholdShift', 1, 0, 15],
  ['reviveShift', 1, 0, 8],
  [null, 2, 0, 0],
  [null, 1, 0, 0],
  ['errorSpan', 1, 0, 0xff],
];

const LAYER_FIELDS: readonly Field<keyof LayerState>[] = [
  ['theta', 4, 32, U32],
  ['scoreFactor', 2, 0, 0xffff],
  ['rate', 2, 0, 0xffff],
  ['reviveActivity', 2, 0, 0xffff],
  ['recentErrors', 2, 0, 0xffff],
  ['learningShift', 1, 1, 24],
  ['usualErrors', 1, 0, 0xff],
  [null, 2, 0, 0],
];

const SCALAR_BYTES = SCALARS.reduce((sum, [, width]) => sum + width, 0);
const LAYER_BYTES = LAYER_FIELDS.reduce((sum, [, width]) => sum + width, 0);

/** What the layout of a state depends on. */
export interface StateShape {
  readonly classes: number;
  /** Inputs of each layer, and whether it learns. */
  readonly layers: readonly Pick<Model['layers'][number], 'inputs' | 'learns'>[];
}

/** A stretch of the state whose values belong together: a patch replaces it whole or leaves it. */
export interface StatePart {
  readonly name: string;
  /** From the start of the state. */
  readonly offset: number;
  readonly length: number;
}

/** The stretches of a state in order, without the padding. */
export function stateParts(shape: StateShape): StatePart[] {
  const parts: StatePart[] = [];
  let offset = 0;
  const add = (name: string, length: number): void => {
    if (length > 0) parts.push({ name, offset, length });
    offset += length;
  };
  for (const [name, width] of SCALARS) add(name ?? 'reserved', width);
  shape.layers.forEach((_, l) => {
    add(`layers[${l}]`, LAYER_BYTES);
  });
  add('thresholds', 4 * shape.classes);
  add('counts', 4 * shape.classes);
  shape.layers.forEach((layer, l) => {
    add(`means[${l}]`, layer.learns ? 2 * layer.inputs : 0);
  });
  return parts;
}

/** Bytes of the state in front of the running means: numbers of the whole network, of its layers, and of its classes. */
export function stateFixedLength(shape: StateShape): number {
  return SCALAR_BYTES + LAYER_BYTES * shape.layers.length + 8 * shape.classes;
}

/** The numbers of the network and its layers at the least that each may be: the start of a valid state that says nothing. */
export function emptyState(layers: number): Uint8Array {
  const writer = new ByteWriter(SCALAR_BYTES + LAYER_BYTES * layers, 'image');
  for (const [name, width, least] of SCALARS) put(writer, width, least, name ?? 'reserved');
  for (let l = 0; l < layers; l++) {
    for (const [name, width, least] of LAYER_FIELDS) put(writer, width, least, name ?? 'reserved');
  }
  return writer.bytes;
}

/** Bytes of all fields of a state, without the padding. */
export function stateFieldsLength(shape: StateShape): number {
  return shape.layers.reduce((sum, layer) => sum + (layer.learns ? 2 * layer.inputs : 0), stateFixedLength(shape));
}

/** Bytes of the state section, a multiple of 4. */
export function stateLength(shape: StateShape): number {
  return padded(stateFieldsLength(shape));
}

/**
 * Bytes of a state.
 * @throws GoodnessError `image.field` for a number out of range, `image.shape` for arrays of a wrong length
 */
export function encodeState(state: ModelState, shape: StateShape): Uint8Array {
  const count = shape.layers.length;
  sameLength('layers of the state', state.layers.length, count);
  sameLength('thresholds', state.thresholds.length, shape.classes);
  sameLength('counts', state.counts.length, shape.classes);
  sameLength('means', state.means.length, count);
  shape.layers.forEach((layer, l) => {
    sameLength(`means of layer ${l}`, state.means[l]!.length, layer.learns ? layer.inputs : 0);
  });
  const writer = new ByteWriter(stateLength(shape), 'image');
  for (const [name, width] of SCALARS) put(writer, width, name === null ? 0 : state[name], name ?? 'reserved');
  for (const layer of state.layers) {
    for (const [name, width] of LAYER_FIELDS) put(writer, width, name === null ? 0 : layer[name], name ?? 'reserved');
  }
  for (const threshold of state.thresholds) writer.u32(threshold, 'threshold');
  for (const samples of state.counts) writer.u32(samples, 'count');
  for (const means of state.means) for (const mean of means) writer.u16(mean, 'mean');
  decodeState(writer.bytes, shape);
  return writer.bytes;
}

/**
 * Reads and checks a state.
 * @param bytes the section, of the length that the shape gives
 * @param base where the section begins in its image, for error messages
 * @throws GoodnessError `image.field`
 */
export function decodeState(bytes: Uint8Array, shape: StateShape, base = 0): ModelState {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const fields = <Name extends string>(table: readonly Field<Name>[]): Record<Name, number> => {
    const values: Partial<Record<Name, number>> = {};
    for (const [name, width, min, max] of table) {
      const value = get(view, at, width);
      if (value < min || value > max) fieldError(name ?? 'reserved field', base + at, min, max, value);
      if (name !== null) values[name] = value;
      at += width;
    }
    return values as Record<Name, number>;
  };
  const scalars = fields(SCALARS);
  const layers: LayerState[] = [];
  let factors = 0;
  for (let l = 0; l < shape.layers.length; l++) {
    const layer = fields(LAYER_FIELDS);
    layers.push(layer);
    factors += layer.scoreFactor;
    if (factors > LIMIT.scoreFactorSum) {
      fieldError('sum of the score factors', base + at - LAYER_BYTES + 4, 0, LIMIT.scoreFactorSum, factors);
    }
  }
  const u32s = (count: number): Uint32Array =>
    Uint32Array.from({ length: count }, () => {
      at += 4;
      return view.getUint32(at - 4, true);
    });
  const thresholds = u32s(shape.classes);
  const counts = u32s(shape.classes);
  const means = shape.layers.map((layer) => {
    const mean = new Uint16Array(layer.learns ? layer.inputs : 0);
    for (let i = 0; i < mean.length; i++, at += 2) mean[i] = view.getUint16(at, true);
    return mean;
  });
  for (; at < bytes.length; at++) if (bytes[at] !== 0) fieldError('padding', base + at, 0, 0, bytes[at]!);
  return { ...scalars, layers, thresholds, counts, means };
}

/** @throws GoodnessError `image.field`, always */
export function fieldError(name: string, offset: number, min: number, max: number, got: number): never {
  throw new GoodnessError('image.field', `${name} is out of its range (offset ${offset})`, {
    expected: min === max ? String(min) : `${min} to ${max}`,
    got: String(got),
    fix: 'The image is damaged or was made by an incompatible program: make it again.',
  });
}

/** @throws GoodnessError `image.shape` */
export function sameLength(name: string, got: number, expected: number): void {
  if (got === expected) return;
  throw new GoodnessError('image.shape', `${name} don't fit the model`, {
    expected: String(expected),
    got: String(got),
  });
}

function put(writer: ByteWriter, width: Width, value: number, name: string): void {
  if (width === 1) writer.u8(value, name);
  else if (width === 2) writer.u16(value, name);
  else writer.u32(value, name);
}

function get(view: DataView, at: number, width: Width): number {
  if (width === 1) return view.getUint8(at);
  return width === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
}
