import { GoodnessError } from '../base/errors.js';

/**
 * Safetensors (https://github.com/huggingface/safetensors): eight bytes with the length of the header (little-endian), the
 * header in JSON, then the tensors' data without a gap. Python reads it with `safetensors.numpy.load_file`.
 */

/** Values of a tensor; the type of the array says the type of the numbers. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

/** A named tensor: `data` has as many values as the product of `shape`, the last dimension running fastest. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** What a file holds. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Free text by name. */
  readonly metadata: Readonly<Record<string, string>>;
}

const TYPES = {
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
} as const;

type TypeName = keyof typeof TYPES;

/** Key of the header that holds the metadata. */
const METADATA = '__metadata__';
/** Longest header that readers accept, in bytes. */
const LONGEST_HEADER = 100_000_000;
const PREFIX = 8;

/**
 * @throws GoodnessError `safetensors.tensor` if a shape does not fit its data or a name is reserved
 */
export function encodeSafetensors({ tensors, metadata }: Safetensors): Uint8Array {
  // The widest numbers first, so that all of them are aligned in the file.
  const sorted = [...tensors].sort(
    ([a, x], [b, y]) => y.data.BYTES_PER_ELEMENT - x.data.BYTES_PER_ELEMENT || (a < b ? -1 : 1),
  );
  const entries: [string, unknown][] = [[METADATA, metadata]];
  let offset = 0;
  for (const [name, { shape, data }] of sorted) {
    if (name === METADATA || product(shape) !== data.length) {
      throw new GoodnessError('safetensors.tensor', `cannot write the tensor ${name}`, {
        expected: `a name other than ${METADATA}, and ${product(shape)} values for the shape ${shape.join(' x ')}`,
        got: `${data.length} values`,
      });
    }
    const dtype = typeName(data);
    entries.push([name, { dtype, shape, data_offsets: [offset, offset + data.byteLength] }]);
    offset += data.byteLength;
  }
  const text = JSON.stringify(Object.fromEntries(entries));
  const bytes = new TextEncoder().encode(text);
  const header = Math.ceil(bytes.length / 8) * 8;
  const file = new Uint8Array(PREFIX + header + offset);
  const view = new DataView(file.buffer);
  view.setUint32(0, header, true);
  file.set(bytes, PREFIX);
  file.fill(0x20, PREFIX + bytes.length, PREFIX + header);
  let at = PREFIX + header;
  for (const [, { data }] of sorted) {
    writeValues(view, at, data);
    at += data.byteLength;
  }
  return file;
}

/**
 * Reads a file from outside: every length and offset is checked before it is used; the tensors are copies.
 * @throws GoodnessError `safetensors.truncated`, `safetensors.header`, `safetensors.type` or `safetensors.offsets`
 */
export function decodeSafetensors(file: Uint8Array): Safetensors {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < PREFIX) {
    throw new GoodnessError('safetensors.truncated', 'the file is too short', {
      expected: `at least ${PREFIX} bytes`,
      got: String(file.length),
    });
  }
  const length = view.getUint32(0, true);
  const room = Math.min(LONGEST_HEADER, file.length - PREFIX);
  if (view.getUint32(4, true) !== 0 || length > room) {
    throw new GoodnessError('safetensors.truncated', 'the header does not fit into the file', {
      expected: `a header of at most ${room} bytes`,
      got: String(length + view.getUint32(4, true) * 2 ** 32),
      fix: 'The file is cut short, or no safetensors file.',
    });
  }
  const header = parseHeader(file.subarray(PREFIX, PREFIX + length));
  const begin = PREFIX + length;
  const size = file.length - begin;
  const tensors = new Map<string, Tensor>();
  const spans: [number, number][] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA) {
      metadata = parseMetadata(value);
      continue;
    }
    const { type, shape, from, to } = parseEntry(name, value, size);
    spans.push([from, to]);
    tensors.set(name, { shape, data: readValues(view, begin + from, type, product(shape)) });
  }
  checkCover(spans, size);
  return { tensors, metadata };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (isRecord(header)) return header;
  } catch (cause) {
    throw headerError('the header', 'JSON in UTF-8', cause instanceof Error ? cause.message : String(cause));
  }
  throw headerError('the header', 'an object', 'something else');
}

function parseMetadata(value: unknown): Record<string, string> {
  if (!isRecord(value)) throw headerError(METADATA, 'an object of texts', typeof value);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw headerError(`${METADATA}.${key}`, 'a text', typeof text);
  }
  return value as Record<string, string>;
}

interface Entry {
  readonly type: TypeName;
  readonly shape: number[];
  readonly from: number;
  readonly to: number;
}

function parseEntry(name: string, value: unknown, size: number): Entry {
  if (!isRecord(value)) throw headerError(name, 'an object', typeof value);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(TYPES, dtype)) {
    throw new GoodnessError('safetensors.type', `the tensor ${name} has a type that is not supported`, {
      expected: Object.keys(TYPES).join(', '),
      got: String(dtype),
    });
  }
  const type = dtype as TypeName;
  if (!isCounts(shape) || !Number.isSafeInteger(product(shape)))
    throw headerError(`${name}.shape`, 'whole numbers', String(shape));
  if (!isCounts(offsets) || offsets.length !== 2)
    throw headerError(`${name}.data_offsets`, 'two whole numbers', String(offsets));
  const [from, to] = offsets as [number, number];
  const expected = product(shape) * TYPES[type].BYTES_PER_ELEMENT;
  if (to < from || to > size || to - from !== expected) {
    throw new GoodnessError('safetensors.offsets', `the data of the tensor ${name} do not fit`, {
      expected: `${expected} bytes within the ${size} of the file`,
      got: `${from} to ${to}`,
      fix: 'The file is cut short or damaged.',
    });
  }
  return { type, shape, from, to };
}

/** The tensors' data must cover the file's without gap or overlap. */
function checkCover(spans: [number, number][], size: number): void {
  spans.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let at = 0;
  for (const [from, to] of [...spans, [size, size] as const]) {
    if (from !== at) {
      throw new GoodnessError('safetensors.offsets', 'the data of the tensors leave a gap, or overlap', {
        expected: `data from byte ${at} on`,
        got: `byte ${from}`,
      });
    }
    at = to;
  }
}

function readValues(view: DataView, at: number, type: TypeName, count: number): TensorData {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, count * TYPES[type].BYTES_PER_ELEMENT);
  // A copy begins at a multiple of 8, as the views on it need.
  const copy = bytes.slice();
  if (!LITTLE_ENDIAN) swap(copy, TYPES[type].BYTES_PER_ELEMENT);
  return new TYPES[type](copy.buffer);
}

function writeValues(view: DataView, at: number, data: TensorData): void {
  const target = new Uint8Array(view.buffer, view.byteOffset + at, data.byteLength);
  target.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  if (!LITTLE_ENDIAN) swap(target, data.BYTES_PER_ELEMENT);
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function swap(bytes: Uint8Array, width: number): void {
  for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse();
}

function typeName(data: TensorData): TypeName {
  for (const [name, type] of Object.entries(TYPES)) if (data instanceof type) return name as TypeName;
  throw new GoodnessError('safetensors.type', 'a tensor has a type that is not supported', {
    expected: Object.keys(TYPES).join(', '),
  });
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function headerError(field: string, expected: string, got: string): GoodnessError {
  return new GoodnessError('safetensors.header', `${field} is malformed`, { expected, got });
}
