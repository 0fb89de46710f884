import { GoodnessError } from '../base/errors.js';
import { elementBytes, type Quantization, tensorTypeOf } from './graph.js';
import { FIELD, FILE_IDENTIFIER, SCHEMA_VERSION, type TensorType } from './schema.js';

/** A tensor that goes into a model or comes out of it. */
export interface TensorInfo {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
  /** Product of the shape. */
  readonly elements: number;
  readonly quantization?: Quantization;
}

/** What a `.tflite` file says about its ends. */
export interface TfliteInfo {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly operators: number;
  readonly description: string;
}

/** Larger files are refused: a model runs from memory. */
export const MOST_BYTES = 256 * 1024 * 1024;
const LEAST_BYTES = 16;
const MOST_TENSOR_BYTES = 64 * 1024 * 1024;
/** Of a list in the file: names, tensors and operators stay far below. */
const MOST_ENTRIES = 1 << 20;
const MOST_DIMENSIONS = 8;

/**
 * Reads what goes into a `.tflite` model and what comes out. Nothing is believed: every offset and length is checked against the file.
 * @throws GoodnessError `tflite.file`, `tflite.version`, `tflite.damaged`, `tflite.type`
 */
export function decodeTflite(bytes: Uint8Array): TfliteInfo {
  if (bytes.length < LEAST_BYTES || bytes.length > MOST_BYTES || identifier(bytes) !== FILE_IDENTIFIER) {
    throw new GoodnessError('tflite.file', 'this is no TensorFlow Lite model', {
      expected: `the identifier ${FILE_IDENTIFIER} at byte 4, in at most ${MOST_BYTES >> 20} MB`,
      got: `${bytes.length} bytes with ${JSON.stringify(identifier(bytes))}`,
    });
  }
  try {
    return readModel(new Reader(bytes));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new GoodnessError('tflite.damaged', 'the TensorFlow Lite model is damaged', {
      expected: 'offsets and lengths within the file',
      got: cause.message,
      fix: 'Make it again.',
      cause,
    });
  }
}

function identifier(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(4, 8));
}

function readModel(reader: Reader): TfliteInfo {
  const model = reader.root();
  const version = model.u32(FIELD.model.version, 0);
  if (version !== SCHEMA_VERSION) {
    throw new GoodnessError('tflite.version', 'the TensorFlow Lite model has an unknown version', {
      expected: String(SCHEMA_VERSION),
      got: String(version),
    });
  }
  const subgraph = model.tables(FIELD.model.subgraphs)[0];
  if (subgraph === undefined) throw new RangeError('no subgraph');
  const tensors = subgraph.tables(FIELD.subgraph.tensors);
  const ends = (field: number): TensorInfo[] =>
    subgraph.ints(field).map((index) => {
      const tensor = tensors[index];
      if (tensor === undefined) throw new RangeError(`tensor ${index} of ${tensors.length}`);
      return readTensor(tensor);
    });
  return {
    inputs: ends(FIELD.subgraph.inputs),
    outputs: ends(FIELD.subgraph.outputs),
    operators: subgraph.tables(FIELD.subgraph.operators).length,
    description: model.text(FIELD.model.description),
  };
}

function readTensor(tensor: Table): TensorInfo {
  const code = tensor.i8(FIELD.tensor.type, 0);
  const name = tensor.text(FIELD.tensor.name);
  const type = tensorTypeOf(code);
  if (type === undefined) {
    throw new GoodnessError('tflite.type', `the tensor ${JSON.stringify(name)} has a type that is not known here`, {
      expected: 'float32, int32, uint8, int16 or int8',
      got: `type ${code} of the schema`,
    });
  }
  const shape = tensor.ints(FIELD.tensor.shape);
  const elements = shape.reduce((product, n) => product * n, 1);
  if (shape.length > MOST_DIMENSIONS || shape.some((n) => n < 1) || elements * elementBytes(type) > MOST_TENSOR_BYTES) {
    throw new RangeError(`a tensor of ${shape.slice(0, MOST_DIMENSIONS).join(' x ')}`);
  }
  const quantization = readQuantization(tensor.table(FIELD.tensor.quantization));
  return { name, type, shape, elements, ...(quantization === undefined ? {} : { quantization }) };
}

function readQuantization(table: Table | undefined): Quantization | undefined {
  if (table === undefined) return undefined;
  const scale = table.floats(FIELD.quantization.scale);
  if (scale.length === 0) return undefined;
  const zeroPoint = table.longs(FIELD.quantization.zeroPoint);
  if (scale.some((s) => !(s > 0 && Number.isFinite(s))) || zeroPoint.length !== scale.length) {
    throw new RangeError(`${scale.length} scales and ${zeroPoint.length} zero points`);
  }
  return { scale, zeroPoint, dimension: table.i32(FIELD.quantization.quantizedDimension, 0) };
}

/** Reads FlatBuffers (https://flatbuffers.dev/internals/). DataView throws a RangeError beyond the end. */
class Reader {
  readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  root(): Table {
    return new Table(this, this.follow(0));
  }

  u32(at: number): number {
    return this.view.getUint32(at, true);
  }

  /** Where the offset at `at` points to. */
  follow(at: number): number {
    return at + this.u32(at);
  }

  /** Start of a vector's elements, and their number, which fit the file. */
  vector(at: number, size: number): { start: number; count: number } {
    const count = this.u32(at);
    if (count > MOST_ENTRIES || count * size > this.view.byteLength - at - 4)
      throw new RangeError(`a vector of ${count} elements`);
    return { start: at + 4, count };
  }
}

class Table {
  private readonly reader: Reader;
  private readonly at: number;
  private readonly vtable: number;

  constructor(reader: Reader, at: number) {
    this.reader = reader;
    this.at = at;
    this.vtable = at - reader.view.getInt32(at, true);
  }

  u32(field: number, otherwise: number): number {
    const at = this.place(field);
    return at === undefined ? otherwise : this.reader.u32(at);
  }

  i32(field: number, otherwise: number): number {
    return this.u32(field, otherwise) | 0;
  }

  i8(field: number, otherwise: number): number {
    const at = this.place(field);
    return at === undefined ? otherwise : this.reader.view.getInt8(at);
  }

  table(field: number): Table | undefined {
    const at = this.place(field);
    return at === undefined ? undefined : new Table(this.reader, this.reader.follow(at));
  }

  tables(field: number): Table[] {
    return this.list(field, 4, (at) => new Table(this.reader, this.reader.follow(at)));
  }

  ints(field: number): number[] {
    return this.list(field, 4, (at) => this.reader.view.getInt32(at, true));
  }

  floats(field: number): number[] {
    return this.list(field, 4, (at) => this.reader.view.getFloat32(at, true));
  }

  longs(field: number): number[] {
    return this.list(field, 8, (at) => Number(this.reader.view.getBigInt64(at, true)));
  }

  text(field: number): string {
    return new TextDecoder().decode(Uint8Array.from(this.list(field, 1, (at) => this.reader.view.getUint8(at))));
  }

  private list<T>(field: number, size: number, read: (at: number) => T): T[] {
    const place = this.place(field);
    if (place === undefined) return [];
    const { start, count } = this.reader.vector(this.reader.follow(place), size);
    return Array.from({ length: count }, (_, i) => read(start + i * size));
  }

  /** Where a field lies, or undefined if the table leaves it out. */
  private place(field: number): number | undefined {
    const slot = 4 + 2 * field;
    if (slot + 2 > this.reader.view.getUint16(this.vtable, true)) return undefined;
    const offset = this.reader.view.getUint16(this.vtable + slot, true);
    return offset === 0 ? undefined : this.at + offset;
  }
}
