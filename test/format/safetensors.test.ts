import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GoodnessError } from '../../src/base/errors.js';
import { decodeSafetensors, encodeSafetensors, type Tensor, type TensorData } from '../../src/format/safetensors.js';

/** A file by hand: header text as given, then data. */
function file(header: string, data: readonly number[] = []): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

function code(bytes: Uint8Array): string {
  try {
    decodeSafetensors(bytes);
  } catch (error) {
    if (error instanceof GoodnessError) return error.code;
    throw error;
  }
  return 'none';
}

describe('safetensors', () => {
  it('writes the bytes that the format prescribes', () => {
    const tensors = new Map<string, Tensor>([
      ['b', { shape: [2], data: Uint8Array.of(7, 8) }],
      ['a', { shape: [1, 1], data: Float32Array.of(1) }],
    ]);
    const header =
      '{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},' +
      '"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8, ' ');
    expect(encodeSafetensors({ tensors, metadata: { k: 'v' } })).toEqual(file(padded, [0, 0, 0x80, 0x3f, 7, 8]));
  });

  it('reads a file whose tensors come in any order and begin at odd places', () => {
    const bytes = file(
      '{"x":{"dtype":"I8","shape":[1],"data_offsets":[4,5]},"y":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}}',
      [1, 0, 0xff, 0xff, 0x80],
    );
    const { tensors, metadata } = decodeSafetensors(bytes);
    expect(tensors.get('x')).toEqual({ shape: [1], data: Int8Array.of(-128) });
    expect(tensors.get('y')).toEqual({ shape: [2], data: Int16Array.of(1, -1) });
    expect(metadata).toEqual({});
  });

  it('gives back every tensor and every text', () => {
    const data = fc.oneof<fc.Arbitrary<TensorData>[]>(
      fc.float32Array({ maxLength: 9 }),
      fc.float64Array({ maxLength: 9 }),
      fc.int8Array({ maxLength: 9 }),
      fc.uint8Array({ maxLength: 9 }),
      fc.int16Array({ maxLength: 9 }),
      fc.uint16Array({ maxLength: 9 }),
      fc.int32Array({ maxLength: 9 }),
      fc.uint32Array({ maxLength: 9 }),
    );
    const name = fc.string({ unit: 'grapheme' }).filter((n) => n !== '__metadata__');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, data)),
        fc.dictionary(name, fc.string({ unit: 'grapheme' })),
        (list, metadata) => {
          const tensors = new Map(list.map(([key, values]) => [key, { shape: [values.length], data: values }]));
          const back = decodeSafetensors(encodeSafetensors({ tensors, metadata }));
          expect({ ...back.metadata }).toEqual({ ...metadata });
          expect(new Map([...back.tensors].sort())).toEqual(new Map([...tensors].sort()));
        },
      ),
    );
  });

  it('keeps a scalar and an empty tensor', () => {
    const tensors = new Map<string, Tensor>([
      ['empty', { shape: [0, 3], data: new Float32Array(0) }],
      ['scalar', { shape: [], data: Int32Array.of(5) }],
    ]);
    expect(decodeSafetensors(encodeSafetensors({ tensors, metadata: {} })).tensors).toEqual(tensors);
  });

  it('refuses a file that is cut short anywhere', () => {
    const tensors = new Map([['a', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }]]);
    const whole = encodeSafetensors({ tensors, metadata: { k: 'v' } });
    for (let length = 0; length < whole.length; length++) {
      expect(code(whole.subarray(0, length))).toMatch(/^safetensors\.(truncated|offsets)$/);
    }
  });

  it('refuses lengths, offsets, shapes and types that lie', () => {
    const entry = (dtype: string, shape: string, offsets: string) =>
      file(`{"a":{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}}`, [0, 0, 0, 0]);
    expect(code(entry('"F32"', '[1]', '[0,4]'))).toBe('none');
    expect(code(entry('"F32"', '[2]', '[0,8]'))).toBe('safetensors.offsets');
    expect(code(entry('"F32"', '[1]', '[4,0]'))).toBe('safetensors.offsets');
    expect(code(entry('"F32"', '[1]', '[1,5]'))).toBe('safetensors.offsets');
    expect(code(entry('"U8"', '[2]', '[0,2]'))).toBe('safetensors.offsets');
    expect(code(entry('"U8"', '[2]', '[2,4]'))).toBe('safetensors.offsets');
    expect(code(entry('"F32"', '[-1]', '[0,4]'))).toBe('safetensors.header');
    expect(code(entry('"F32"', '[1.5]', '[0,4]'))).toBe('safetensors.header');
    expect(code(entry('"F32"', '[9007199254740991,9007199254740991]', '[0,4]'))).toBe('safetensors.header');
    expect(code(entry('"F32"', '[1]', '[0]'))).toBe('safetensors.header');
    expect(code(entry('"F16"', '[2]', '[0,4]'))).toBe('safetensors.type');
    expect(code(entry('"constructor"', '[2]', '[0,4]'))).toBe('safetensors.type');
    expect(code(file('[1]'))).toBe('safetensors.header');
    expect(code(file('{"a":'))).toBe('safetensors.header');
    expect(code(file('{"__metadata__":{"a":1}}'))).toBe('safetensors.header');
    expect(code(Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 0))).toBe('safetensors.truncated');
  });

  it('answers damaged bytes with an error of its own, never another one', () => {
    const tensors = new Map([['a', { shape: [2], data: Float32Array.of(1, 2) }]]);
    const whole = encodeSafetensors({ tensors, metadata: { key: 'value' } });
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
        const damaged = whole.slice();
        damaged[at] = value;
        expect(code(damaged)).toMatch(/^(none|safetensors\..*)$/);
      }),
    );
  });

  it('refuses to write a shape that does not fit its data', () => {
    const tensors = new Map([['a', { shape: [3], data: Float32Array.of(1, 2) }]]);
    expect(() => encodeSafetensors({ tensors, metadata: {} })).toThrow(GoodnessError);
  });
});
