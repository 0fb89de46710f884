/**
 * The part of TensorFlow Lite's schema that Goodness writes and reads: version 3, file identifier TFL3. Numbers are those of the public
 * schema (https://github.com/tensorflow/tensorflow/blob/v2.13.0/tensorflow/lite/schema/schema.fbs): a field's id is its place in its table,
 * enumerations count as they stand there. A field's id never changes in FlatBuffers, so newer runtimes read the same.
 */
export const SCHEMA_VERSION = 3;
export const FILE_IDENTIFIER = 'TFL3';

/** Field ids by table. */
export const FIELD = {
  model: { version: 0, operatorCodes: 1, subgraphs: 2, description: 3, buffers: 4 },
  subgraph: { tensors: 0, inputs: 1, outputs: 2, operators: 3, name: 4 },
  tensor: { shape: 0, type: 1, buffer: 2, name: 3, quantization: 4 },
  quantization: { scale: 2, zeroPoint: 3, quantizedDimension: 6 },
  operatorCode: { deprecatedBuiltinCode: 0, version: 2, builtinCode: 3 },
  operator: { opcodeIndex: 0, inputs: 1, outputs: 2, builtinOptionsType: 3, builtinOptions: 4 },
  buffer: { data: 0 },
} as const;

/** TensorType. */
export const TENSOR_TYPE = { float32: 0, int32: 2, uint8: 3, int16: 7, int8: 9 } as const;
export type TensorType = keyof typeof TENSOR_TYPE;

/** ActivationFunctionType. */
export const ACTIVATION = { none: 0, relu: 1 } as const;
export type Activation = keyof typeof ACTIVATION;

/** Padding. */
export const PADDING = { same: 0, valid: 1 } as const;
export type Padding = keyof typeof PADDING;

/** BuiltinOperator: code, and what kind of table its options are. */
export const OPERATOR = {
  add: { code: 0, options: 'add' },
  averagePool2d: { code: 1, options: 'pool2d' },
  concatenation: { code: 2, options: 'concatenation' },
  conv2d: { code: 3, options: 'conv2d' },
  dequantize: { code: 6, options: 'none' },
  floor: { code: 8, options: 'none' },
  fullyConnected: { code: 9, options: 'fullyConnected' },
  maxPool2d: { code: 17, options: 'pool2d' },
  mul: { code: 18, options: 'mul' },
  reshape: { code: 22, options: 'none' },
  sub: { code: 41, options: 'sub' },
  div: { code: 42, options: 'div' },
  maximum: { code: 55, options: 'none' },
  minimum: { code: 57, options: 'none' },
  sum: { code: 74, options: 'reducer' },
  sqrt: { code: 75, options: 'none' },
  reduceMin: { code: 89, options: 'reducer' },
  square: { code: 92, options: 'none' },
  quantize: { code: 114, options: 'none' },
} as const satisfies Record<string, { readonly code: number; readonly options: OptionsKind }>;
export type OperatorName = keyof typeof OPERATOR;

type OptionsKind = keyof typeof OPTIONS | 'none';

/** BuiltinOptions: the number of each table in the union, and its fields: id and type. */
export const OPTIONS = {
  conv2d: {
    type: 1,
    fields: { padding: [0, 'int8'], strideW: [1, 'int32'], strideH: [2, 'int32'], activation: [3, 'int8'] },
  },
  pool2d: {
    type: 5,
    fields: {
      padding: [0, 'int8'],
      strideW: [1, 'int32'],
      strideH: [2, 'int32'],
      filterWidth: [3, 'int32'],
      filterHeight: [4, 'int32'],
      activation: [5, 'int8'],
    },
  },
  fullyConnected: { type: 8, fields: { activation: [0, 'int8'] } },
  concatenation: { type: 10, fields: { axis: [0, 'int32'], activation: [1, 'int8'] } },
  add: { type: 11, fields: { activation: [0, 'int8'] } },
  mul: { type: 21, fields: { activation: [0, 'int8'] } },
  reducer: { type: 27, fields: { keepDims: [0, 'int8'] } },
  sub: { type: 28, fields: { activation: [0, 'int8'] } },
  div: { type: 29, fields: { activation: [0, 'int8'] } },
} as const;
