import { Builder } from 'flatbuffers';
import type { Graph, GraphOperator, GraphTensor, Quantization } from './graph.js';
import { FIELD, FILE_IDENTIFIER, SCHEMA_VERSION, TENSOR_TYPE } from './schema.js';

/** Runtimes read constants in place: they must lie at multiples of this. */
const ALIGNMENT = 16;
/** Codes up to this also stand in the field that old runtimes read. */
const LAST_OLD_CODE = 127;

/** A graph as the bytes of a `.tflite` file. */
export function encodeTflite(graph: Graph): Uint8Array {
  const b = new Builder(1024);
  const codes = operatorCodes(graph);
  // Buffer 0 is empty by convention: tensors without data point there.
  const buffers = [
    table(b, 1, () => {}),
    ...graph.tensors.flatMap((t) => (t.data === undefined ? [] : [buffer(b, t.data)])),
  ];
  let next = 1;
  const tensors = graph.tensors.map((t) => tensor(b, t, t.data === undefined ? 0 : next++));
  const operators = graph.operators.map((o) => operator(b, o, codes.indexOf(keyOf(o))));
  const [tensorVector, operatorVector] = [offsets(b, tensors), offsets(b, operators)];
  const [inputs, outputs] = [ints(b, graph.inputs), ints(b, graph.outputs)];
  const name = b.createString(graph.name);
  const subgraph = table(b, 5, () => {
    b.addFieldOffset(FIELD.subgraph.tensors, tensorVector, 0);
    b.addFieldOffset(FIELD.subgraph.inputs, inputs, 0);
    b.addFieldOffset(FIELD.subgraph.outputs, outputs, 0);
    b.addFieldOffset(FIELD.subgraph.operators, operatorVector, 0);
    b.addFieldOffset(FIELD.subgraph.name, name, 0);
  });
  const codeVector = offsets(
    b,
    codes.map((key) => operatorCode(b, key)),
  );
  const subgraphs = offsets(b, [subgraph]);
  const bufferVector = offsets(b, buffers);
  const description = b.createString(graph.description);
  const model = table(b, 5, () => {
    b.addFieldInt32(FIELD.model.version, SCHEMA_VERSION, 0);
    b.addFieldOffset(FIELD.model.operatorCodes, codeVector, 0);
    b.addFieldOffset(FIELD.model.subgraphs, subgraphs, 0);
    b.addFieldOffset(FIELD.model.description, description, 0);
    b.addFieldOffset(FIELD.model.buffers, bufferVector, 0);
  });
  b.finish(model, FILE_IDENTIFIER);
  return b.asUint8Array().slice();
}

/** Operators of the graph as `code.version`, each once. */
function operatorCodes(graph: Graph): string[] {
  return [...new Set(graph.operators.map(keyOf))];
}

function keyOf({ code, version }: Pick<GraphOperator, 'code' | 'version'>): string {
  return `${code}.${version}`;
}

function operatorCode(b: Builder, key: string): number {
  const [code, version] = key.split('.').map(Number) as [number, number];
  return table(b, 4, () => {
    b.addFieldInt8(FIELD.operatorCode.deprecatedBuiltinCode, Math.min(code, LAST_OLD_CODE), 0);
    b.addFieldInt32(FIELD.operatorCode.version, version, 1);
    b.addFieldInt32(FIELD.operatorCode.builtinCode, code, 0);
  });
}

function operator(b: Builder, { inputs, outputs, options }: GraphOperator, opcode: number): number {
  const [from, to] = [ints(b, inputs), ints(b, outputs)];
  const told =
    options &&
    table(b, 16, () => {
      for (const { id, type, value } of options.fields) {
        if (type === 'int8') b.addFieldInt8(id, value, 0);
        else b.addFieldInt32(id, value, 0);
      }
    });
  return table(b, 5, () => {
    b.addFieldInt32(FIELD.operator.opcodeIndex, opcode, 0);
    b.addFieldOffset(FIELD.operator.inputs, from, 0);
    b.addFieldOffset(FIELD.operator.outputs, to, 0);
    b.addFieldInt8(FIELD.operator.builtinOptionsType, options?.type ?? 0, 0);
    if (told !== undefined) b.addFieldOffset(FIELD.operator.builtinOptions, told, 0);
  });
}

function tensor(b: Builder, { name, type, shape, quantization }: GraphTensor, bufferIndex: number): number {
  const shapeVector = ints(b, shape);
  const label = b.createString(name);
  const scaling = quantization && quantizationTable(b, quantization);
  return table(b, 5, () => {
    b.addFieldOffset(FIELD.tensor.shape, shapeVector, 0);
    b.addFieldInt8(FIELD.tensor.type, TENSOR_TYPE[type], 0);
    b.addFieldInt32(FIELD.tensor.buffer, bufferIndex, 0);
    b.addFieldOffset(FIELD.tensor.name, label, 0);
    if (scaling !== undefined) b.addFieldOffset(FIELD.tensor.quantization, scaling, 0);
  });
}

function quantizationTable(b: Builder, { scale, zeroPoint, dimension = 0 }: Quantization): number {
  b.startVector(4, scale.length, 4);
  for (let i = scale.length - 1; i >= 0; i--) b.addFloat32(scale[i]!);
  const scales = b.endVector();
  b.startVector(8, zeroPoint.length, 8);
  for (let i = zeroPoint.length - 1; i >= 0; i--) b.addInt64(BigInt(zeroPoint[i]!));
  const zeroPoints = b.endVector();
  return table(b, 7, () => {
    b.addFieldOffset(FIELD.quantization.scale, scales, 0);
    b.addFieldOffset(FIELD.quantization.zeroPoint, zeroPoints, 0);
    b.addFieldInt32(FIELD.quantization.quantizedDimension, dimension, 0);
  });
}

function buffer(b: Builder, data: ArrayBufferView): number {
  b.prep(ALIGNMENT, data.byteLength);
  const bytes = b.createByteVector(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return table(b, 1, () => b.addFieldOffset(FIELD.buffer.data, bytes, 0));
}

/** @param fields number of fields that the table may have; what is left out takes no space */
function table(b: Builder, fields: number, fill: () => void): number {
  b.startObject(fields);
  fill();
  return b.endObject();
}

function ints(b: Builder, values: readonly number[]): number {
  b.startVector(4, values.length, 4);
  for (let i = values.length - 1; i >= 0; i--) b.addInt32(values[i]!);
  return b.endVector();
}

function offsets(b: Builder, values: readonly number[]): number {
  b.startVector(4, values.length, 4);
  for (let i = values.length - 1; i >= 0; i--) b.addOffset(values[i]!);
  return b.endVector();
}
