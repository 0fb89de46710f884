import { Graph, type GraphTensor, type Quantization } from '../../../src/tflite/graph.js';
import type { TensorType } from '../../../src/tflite/schema.js';

/** A model of one operator: doubles `width` floats. */
export function doubling(width: number): Graph {
  const graph = new Graph('doubling', 'twice what comes in');
  const ends = (name: string): GraphTensor => ({ name, type: 'float32', shape: [1, width] });
  const input = graph.input(ends('in'));
  graph.output(graph.apply('mul', [input, graph.constant('two', [2])], ends('out')));
  return graph;
}

/** A graph with constants of many types and lengths. */
export function constants(lengths: readonly number[]): Graph {
  const graph = doubling(3);
  lengths.forEach((length, k) => {
    const data = [new Int8Array(length), new Int32Array(length), new Float32Array(length)][k % 3]!.fill(k + 1);
    const type: TensorType = (['int8', 'int32', 'float32'] as const)[k % 3]!;
    graph.tensor({ name: `constant ${k}`, type, shape: [length], data });
  });
  return graph;
}

/** The mean of each square of `side` pixels of an image in int8, whose zero point and scale are given. */
export function meanOfSquares(height: number, width: number, side: number, quantization: Quantization): Graph {
  const graph = new Graph('means', '');
  const input = graph.input({ name: 'image', type: 'int8', shape: [1, height, width, 1], quantization });
  const shape = [1, height / side, width / side, 1];
  const options = { filter: side, stride: side, padding: 'valid', version: 2 } as const;
  graph.output(graph.apply('averagePool2d', [input], { name: 'means', type: 'int8', shape, quantization }, options));
  return graph;
}

/** One convolution with relu: (channels in, channels out), filters as (out, side, side, in). */
export function convolution(
  { height, width, channels }: { height: number; width: number; channels: number },
  filters: readonly number[],
  side: number,
): Graph {
  const graph = new Graph('convolution', '');
  const out = filters.length / (side * side * channels);
  const input = graph.input({ name: 'image', type: 'float32', shape: [1, height, width, channels] });
  const constants = [
    graph.constant('filters', filters, [out, side, side, channels]),
    graph.constant('bias', Array(out).fill(0)),
  ];
  const result = { name: 'out', type: 'float32', shape: [1, height, width, out] } as const;
  graph.output(graph.apply('conv2d', [input, ...constants], result, { padding: 'same', activation: 'relu' }));
  return graph;
}
