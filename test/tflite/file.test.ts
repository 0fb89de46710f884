import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GoodnessError } from '../../src/base/errors.js';
import { decodeTflite } from '../../src/tflite/decode.js';
import { encodeTflite } from '../../src/tflite/encode.js';
import { Graph } from '../../src/tflite/graph.js';
import { networkGraph } from '../../src/tflite/network.js';
import { randomModel } from '../golden/random-model.js';
import { constants, doubling } from './support/graphs.js';

const MODEL = randomModel({ seed: 5, rawInputs: 16, classes: 4, hidden: [20, 12] });
const indexesOf = (whole: Uint8Array, part: Uint8Array): number[] => {
  const found: number[] = [];
  const bytes = Buffer.from(whole);
  for (let at = bytes.indexOf(part); at >= 0; at = bytes.indexOf(part, at + 1)) found.push(at);
  return found;
};

describe('a .tflite file', () => {
  it('carries the identifier and the version of the schema', () => {
    const file = encodeTflite(doubling(3));
    expect(String.fromCharCode(...file.subarray(4, 8))).toBe('TFL3');
    expect(decodeTflite(file).operators).toBe(1);
  });

  it('says what goes in and what comes out', () => {
    expect(decodeTflite(encodeTflite(networkGraph(MODEL)))).toMatchObject({
      inputs: [
        {
          name: 'sensor',
          type: 'int8',
          shape: [1, 16],
          elements: 16,
          quantization: { scale: [1], zeroPoint: [-128], dimension: 0 },
        },
      ],
      outputs: [{ name: 'score1', type: 'float32', shape: [1, 4], elements: 4 }],
      description: 'Forward-Forward network 16-20-12, goodness of 4 classes',
    });
  });

  it('holds constants at multiples of 16 bytes, with their length in front', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 70 }), { maxLength: 12 }), (lengths) => {
        const graph = constants(lengths);
        const file = encodeTflite(graph);
        expect(file.length % 16).toBe(0);
        for (const { data } of graph.tensors.slice(3)) {
          // Filled with a number of their own, they are found where they lie, their length in front.
          const at = indexesOf(file, withLength(data!)).map((index) => (index + 4) % 16);
          expect(at).toContain(0);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('is the same whenever it is made', () => {
    expect(encodeTflite(networkGraph(MODEL))).toEqual(encodeTflite(networkGraph(MODEL)));
  });

  it('is refused by a clear error where it is cut, at every length', () => {
    const file = encodeTflite(doubling(3));
    for (let length = 0; length < file.length; length++) expectRefusalOrSense(file.subarray(0, length));
    expect(() => decodeTflite(file.subarray(0, 15))).toThrow(/no TensorFlow Lite model/);
  });

  it('is refused by a clear error, or read, where a byte of it is another', () => {
    const file = encodeTflite(networkGraph(randomModel({ seed: 2, rawInputs: 3, classes: 2, hidden: [2] })));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const other = file.slice();
          for (const [at, value] of changes) other[at] = value;
          expectRefusalOrSense(other);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['another identifier', (file: Uint8Array) => file.set([0x54, 0x46, 0x4c, 0x32], 4), 'tflite.file'],
    ['a root beyond the end', (file: Uint8Array) => file.set([0xff, 0xff, 0xff, 0x7f], 0), 'tflite.damaged'],
  ])('with %s is refused', (_, change, code) => {
    const file = encodeTflite(doubling(3));
    change(file);
    expect(codeOf(() => decodeTflite(file))).toBe(code);
  });

  it('with a tensor larger than memory is refused', () => {
    const graph = new Graph('large', '');
    graph.output(graph.input({ name: 'x', type: 'float32', shape: [65536, 65536, 4] }));
    expect(codeOf(() => decodeTflite(encodeTflite(graph)))).toBe('tflite.damaged');
  });

  it('with a scale of nothing is refused', () => {
    const graph = new Graph('scale', '');
    const quantization = { scale: [0], zeroPoint: [0] };
    graph.output(graph.input({ name: 'x', type: 'int8', shape: [1], quantization }));
    expect(codeOf(() => decodeTflite(encodeTflite(graph)))).toBe('tflite.damaged');
  });
});

function withLength(data: ArrayBufferView): Uint8Array {
  const bytes = new Uint8Array(4 + data.byteLength);
  new DataView(bytes.buffer).setUint32(0, data.byteLength, true);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 4);
  return bytes;
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof GoodnessError) return error.code;
    throw error;
  }
  return undefined;
}

/** Damage is either noticed, by an error of ours, or lies where nothing is read. */
function expectRefusalOrSense(file: Uint8Array): void {
  const code = codeOf(() => decodeTflite(file));
  if (code !== undefined) expect(code).toMatch(/^tflite\.(file|version|damaged|type)$/);
}
