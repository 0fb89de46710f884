import { createHash } from 'node:crypto';
import { GoodnessError } from '../base/errors.js';
import type { Dataset, Scaling } from '../data/dataset.js';
import { LIMIT } from '../format/model.js';
import type { TensorInfo } from './decode.js';
import { ARRAYS, TfliteInterpreter } from './interpreter.js';
import { quantizationOf, realValues } from './quantization.js';

/** Numbers that may come out of an extractor for one data set: they are in memory until they are bytes. */
const MOST_VALUES = 1 << 28;
/** Samples that go to the runtime in one piece: as many as keep the numbers on their way small. */
const PIECE = 1000;
/** What a float input takes for an image where nothing else is said: 0 for black, 1 for white. */
const FLOAT_RANGE = [0, 1] as const;
/** A grey image goes into an input of so many channels, too: the same in each. */
const COLOURS = 3;

type Done = (samples: number, total: number) => void;

/** A frozen `.tflite` model whose output a network takes as its input. */
export class Extractor {
  /** Name of the file, without folders. */
  readonly file: string;
  /** Of the file, in hexadecimal. */
  readonly sha256: string;
  private readonly interpreter: TfliteInterpreter;

  private constructor(file: string, sha256: string, interpreter: TfliteInterpreter) {
    this.file = file;
    this.sha256 = sha256;
    this.interpreter = interpreter;
  }

  /**
   * @param file name of the file
   * @throws GoodnessError `features.limit` if it gives more features than a network takes, and those of `TfliteInterpreter.open`
   */
  static async open(model: Uint8Array, file: string): Promise<Extractor> {
    const interpreter = await TfliteInterpreter.open(model, file);
    try {
      const { input, output } = interpreter;
      if (output.elements > LIMIT.inputs) {
        throw new GoodnessError('features.limit', `${file} gives more features than a network takes`, {
          expected: `at most ${LIMIT.inputs}`,
          got: output.shape.join(' x '),
        });
      }
      if (input.type !== 'float32') quantizationOf(input);
      if (output.type !== 'float32') quantizationOf(output);
      return new Extractor(file, createHash('sha256').update(model).digest('hex'), interpreter);
    } catch (error) {
      await interpreter.close();
      throw error;
    }
  }

  /** Features of a sample. */
  get width(): number {
    return this.interpreter.output.elements;
  }

  /**
   * What the bytes of a data set stand for in the input: the values of a table by its own scaling; of images a range, by default what an 8-bit
   * input holds, so that bytes go in as they are, or 0 to 1 for a float input.
   * @param range values of the bytes 0 and 255, for images
   * @throws GoodnessError `features.range`
   */
  scalingFor(data: Dataset, range?: readonly [number, number]): Scaling {
    if (data.geometry === undefined) {
      if (range === undefined) return data.scaling;
      throw new GoodnessError('features.range', `${data.name} has values of its own`, {
        expected: 'a range for images only',
        got: range.join(' to '),
      });
    }
    const [low, high] = range ?? rangeOf(this.interpreter.input);
    const step = Math.fround((high - low) / 255);
    if (!(step > 0) || !Number.isFinite(low + step)) {
      throw new GoodnessError('features.range', 'the values of an image need a range', {
        expected: 'a number, and a larger one',
        got: `${low} and ${high}`,
      });
    }
    return { offset: Float32Array.of(low), step: Float32Array.of(step) };
  }

  /**
   * Features of all samples, in the extractor's own values: (count, width).
   * @param scaling what the bytes stand for: `scalingFor`, or what the model's meta says
   * @throws GoodnessError `features.shape`, `features.size`, `features.values`, and those of `TfliteInterpreter.run`
   */
  async values(data: Dataset, scaling: Scaling, onProgress?: Done): Promise<Float32Array> {
    const { input, output } = this.interpreter;
    const copies = this.copiesOf(data);
    if (scaling.offset.length !== 1 && scaling.offset.length !== data.width) {
      throw this.misfit(data, `values for ${scaling.offset.length} inputs`);
    }
    if (data.count * output.elements > MOST_VALUES) {
      throw new GoodnessError('features.size', `the features of ${data.name} are too many to keep in memory`, {
        expected: `at most ${MOST_VALUES} numbers`,
        got: `${data.count} samples with ${output.elements} each`,
        fix: 'Take fewer samples.',
      });
    }
    const table = inputTable(input, scaling, data.width);
    const all = new Float32Array(data.count * output.elements);
    for (let from = 0; from < data.count; from += PIECE) {
      const to = Math.min(data.count, from + PIECE);
      const samples = new ARRAYS[input.type]((to - from) * input.elements);
      for (let k = 0, at = from * data.width; at < to * data.width; at++) {
        const value = table(data.inputs[at]!, at % data.width);
        for (let c = 0; c < copies; c++) samples[k++] = value;
      }
      const part = realValues(
        await this.interpreter.run(samples, (done) => onProgress?.(from + done, data.count)),
        output,
      );
      if (!part.every(Number.isFinite)) {
        throw new GoodnessError('features.values', `${this.file} gives numbers that are none`, {
          expected: 'finite features',
          got: `infinity or NaN within samples ${from} to ${to - 1} of ${data.name}`,
        });
      }
      all.set(part, from * output.elements);
    }
    return all;
  }

  close(): Promise<void> {
    return this.interpreter.close();
  }

  /** Into how many channels each byte of a sample goes. */
  private copiesOf(data: Dataset): number {
    const { shape, elements } = this.interpreter.input;
    const { geometry } = data;
    const [, height, width] = shape;
    const image =
      geometry !== undefined && shape.length === 4 && height === geometry.height && width === geometry.width;
    if (elements === data.width && (image || geometry === undefined || shape.length < 4)) return 1;
    if (image && elements === COLOURS * data.width) return COLOURS;
    throw this.misfit(data, geometry === undefined ? `${data.width} values` : `${geometry.height} x ${geometry.width}`);
  }

  private misfit(data: Dataset, got: string): GoodnessError {
    return new GoodnessError('features.shape', `${data.name} does not fit what ${this.file} takes`, {
      expected: `samples of ${this.interpreter.input.shape.join(' x ')}`,
      got,
      fix: 'Images go in with the size that they have, one grey channel or the same in three.',
    });
  }
}

/** What an 8-bit input holds; of other inputs what is usual. */
function rangeOf(input: TensorInfo): readonly [number, number] {
  if (input.type !== 'int8' && input.type !== 'uint8') return FLOAT_RANGE;
  const { scale, zero } = quantizationOf(input);
  const least = input.type === 'int8' ? -128 : 0;
  return [scale * (least - zero), scale * (least + 255 - zero)];
}

/** A byte as a number of the input. */
function inputTable(input: TensorInfo, { offset, step }: Scaling, width: number): (byte: number, at: number) => number {
  const value = (byte: number, at: number): number => offset[at]! + step[at]! * byte;
  const number = (v: number): number => v;
  const convert = input.type === 'float32' ? number : quantizer(input);
  const places = offset.length === 1 ? 1 : width;
  const table = Float32Array.from({ length: 256 * places }, (_, k) => convert(value(k & 255, k >> 8)));
  return places === 1 ? (byte) => table[byte]! : (byte, at) => table[256 * at + byte]!;
}

function quantizer(input: TensorInfo): (value: number) => number {
  const { scale, zero } = quantizationOf(input);
  const [least, most] = {
    int8: [-128, 127],
    uint8: [0, 255],
    int16: [-32768, 32767],
    int32: [-(2 ** 31), 2 ** 31 - 1],
  }[input.type as 'int8'] as [number, number];
  return (value) => Math.max(least, Math.min(most, Math.round(value / scale) + zero));
}
