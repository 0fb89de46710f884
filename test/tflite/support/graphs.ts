import { Graph, type GraphTensor } from '../../../src/tflite/graph.js';
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
