import {
  ACTIVATION,
  type Activation,
  OPERATOR,
  OPTIONS,
  type OperatorName,
  PADDING,
  type Padding,
  TENSOR_TYPE,
  type TensorType,
} from './schema.js';

/** real = scale * (integer - zeroPoint); one entry for the tensor, or one per slice along `dimension`. */
export interface Quantization {
  readonly scale: readonly number[];
  readonly zeroPoint: readonly number[];
  /** Default 0. */
  readonly dimension?: number;
}

export interface GraphTensor {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
  readonly quantization?: Quantization;
  /** Of a constant, row by row; the machine's byte order, which is the file's on every machine that Node runs on. */
  readonly data?: Int8Array | Int32Array | Float32Array;
}

/** Fields of an operator's options, all of them numbers. */
export type OptionValues = Readonly<Record<string, number>>;

export interface GraphOperator {
  readonly code: number;
  readonly version: number;
  /** Tensor indices. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Number of the options' table, and its fields as (id, type, value). */
  readonly options?: { readonly type: number; readonly fields: readonly OptionField[] };
}

export interface OptionField {
  readonly id: number;
  readonly type: 'int8' | 'int32';
  readonly value: number;
}

/** What an operator may be told, by the names of the schema. */
export interface OperatorOptions {
  readonly activation?: Activation;
  readonly padding?: Padding;
  readonly axis?: number;
  readonly keepDims?: boolean;
  readonly stride?: number;
  /** Width and height of a pooling filter. */
  readonly filter?: number;
  /** Version of the operator, where what is asked of it came later than version 1. */
  readonly version?: number;
}

/** A TensorFlow Lite model with one subgraph, as it is put together. Tensors are named by their index. */
export class Graph {
  readonly tensors: GraphTensor[] = [];
  readonly operators: GraphOperator[] = [];
  readonly inputs: number[] = [];
  readonly outputs: number[] = [];
  readonly name: string;
  readonly description: string;

  /** @param description stands in the file for people */
  constructor(name: string, description: string) {
    this.name = name;
    this.description = description;
  }

  /** Adds a tensor, and gives its index. */
  tensor(tensor: GraphTensor): number {
    return this.tensors.push(tensor) - 1;
  }

  /** A float constant. */
  constant(name: string, values: readonly number[], shape: readonly number[] = [values.length]): number {
    return this.tensor({ name, type: 'float32', shape, data: Float32Array.from(values) });
  }

  /** A list of dimensions or axes, as reductions and reshaping take it. */
  indices(name: string, values: readonly number[]): number {
    return this.tensor({ name, type: 'int32', shape: [values.length], data: Int32Array.from(values) });
  }

  input(tensor: GraphTensor): number {
    const index = this.tensor(tensor);
    this.inputs.push(index);
    return index;
  }

  output(index: number): void {
    this.outputs.push(index);
  }

  /** Adds an operator whose result is a new tensor, and gives that tensor's index. */
  apply(name: OperatorName, inputs: readonly number[], result: GraphTensor, options: OperatorOptions = {}): number {
    const output = this.tensor(result);
    const { code, options: kind } = OPERATOR[name];
    this.operators.push({
      code,
      version: options.version ?? 1,
      inputs,
      outputs: [output],
      ...(kind === 'none' ? {} : { options: { type: OPTIONS[kind].type, fields: fieldsOf(kind, options) } }),
    });
    return output;
  }
}

function fieldsOf(kind: keyof typeof OPTIONS, options: OperatorOptions): OptionField[] {
  const { activation = 'none', padding = 'same', axis = 0, keepDims = false, stride = 1, filter = 1 } = options;
  const values: Record<string, number> = {
    activation: ACTIVATION[activation],
    padding: PADDING[padding],
    axis,
    keepDims: Number(keepDims),
    strideW: stride,
    strideH: stride,
    filterWidth: filter,
    filterHeight: filter,
  };
  const fields: Record<string, readonly [number, 'int8' | 'int32']> = OPTIONS[kind].fields;
  return Object.entries(fields).map(([name, [id, type]]) => ({ id, type, value: values[name]! }));
}

/** Bytes of one element. */
export function elementBytes(type: TensorType): number {
  const bytes: Record<TensorType, number> = { float32: 4, int32: 4, uint8: 1, int16: 2, int8: 1 };
  return bytes[type];
}

/** Type by its number in the schema, or undefined if it is none that Goodness knows. */
export function tensorTypeOf(code: number): TensorType | undefined {
  return (Object.keys(TENSOR_TYPE) as TensorType[]).find((type) => TENSOR_TYPE[type] === code);
}
