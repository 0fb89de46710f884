import { GoodnessError } from '../base/errors.js';
import type { TensorInfo } from './decode.js';
import type { TensorData } from './interpreter-messages.js';

/**
 * Scale and zero point of an integer tensor: value = scale * (number - zero).
 * @throws GoodnessError `tflite.quantization`
 */
export function quantizationOf({ quantization, type, name }: TensorInfo): { scale: number; zero: number } {
  const [scale, zero] = [quantization?.scale[0], quantization?.zeroPoint[0]];
  if (scale !== undefined && zero !== undefined && quantization?.scale.length === 1) return { scale, zero };
  throw new GoodnessError('tflite.quantization', `nothing says what the numbers of ${JSON.stringify(name)} stand for`, {
    expected: `one scale and one zero point for a tensor of ${type}`,
    got: `${quantization?.scale.length ?? 0} scales`,
  });
}

/** Numbers of a tensor as the values that they stand for. */
export function realValues(data: TensorData, tensor: TensorInfo): Float32Array {
  if (data instanceof Float32Array) return data;
  const { scale, zero } = quantizationOf(tensor);
  return Float32Array.from(data, (number) => scale * (number - zero));
}
