import type { Tf } from './backend.js';

/** The product of two row-major matrices: a is (rows, inner), b (inner, columns), each at the start of its array. */
export type MatrixProduct = (
  a: Float32Array,
  b: Float32Array,
  rows: number,
  inner: number,
  columns: number,
) => Float32Array;

/**
 * The product of two row-major matrices. TensorFlow.js does the work that counts; all the rest of a training step is
 * linear in the number of weights or activities, where a plain loop over a typed array beats the overhead of an operation.
 * Both factors come as they are multiplied, since the WebAssembly backend is fast without transposition only.
 * @param a (rows, inner) at the start of the array
 * @param b (inner, columns) at the start of the array
 * @returns (rows, columns), an array of its own
 */
export function multiply(
  tf: Tf,
  a: Float32Array,
  b: Float32Array,
  rows: number,
  inner: number,
  columns: number,
): Float32Array {
  if (rows === 0 || inner === 0 || columns === 0) return new Float32Array(rows * columns);
  const left = tf.tensor2d(a.subarray(0, rows * inner), [rows, inner]);
  const right = tf.tensor2d(b.subarray(0, inner * columns), [inner, columns]);
  const product = tf.matMul(left, right);
  const result = product.dataSync<'float32'>();
  left.dispose();
  right.dispose();
  product.dispose();
  return result;
}
