import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GoodnessError } from '../../src/base/errors.js';
import { clearWeights, decodeImage, encodeImage, imageLayout, sealImage } from '../../src/format/image.js';
import { INPUT_BITS, LAYOUTS, WEIGHT_BITS } from '../../src/format/layout.js';
import { formatMeta, metaOf } from '../../src/format/meta.js';
import type { Model } from '../../src/format/model.js';
import { randomModel } from '../golden/random-model.js';

const small = randomModel({ seed: 1, rawInputs: 5, classes: 3, hidden: [6, 3], learns: [true, false] });
const image = encodeImage(small);
const layout = imageLayout(small);

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof GoodnessError) return error.code;
    throw error;
  }
  return 'none';
}

/** The small image with some bytes replaced and a CRC that fits. */
function altered(offset: number, ...bytes: number[]): Uint8Array {
  const copy = image.slice();
  copy.set(bytes, offset);
  sealImage(copy);
  return copy;
}

const models = fc
  .record({
    seed: fc.integer(),
    rawInputs: fc.integer({ min: 1, max: 20 }),
    classes: fc.integer({ min: 1, max: 5 }),
    groupSizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }),
    objective: fc.constantFrom('partitioned' as const, 'label' as const),
    encoding: fc.constantFrom('plain' as const, 'complement' as const),
    subtractMin: fc.boolean(),
    meta: fc.boolean(),
    learns: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    bits: fc.array(fc.constantFrom(...WEIGHT_BITS), { minLength: 8, maxLength: 8 }),
    inputBits: fc.array(fc.constantFrom(...INPUT_BITS), { minLength: 8, maxLength: 8 }),
    layersBelow: fc.constantFrom(0, 1, 3, 255),
    counts: fc.boolean(),
    above: fc.option(
      fc.record({ lengthShift: fc.integer({ min: 4, max: 12 }), inputBits: fc.constantFrom(...INPUT_BITS) }),
      { nil: undefined },
    ),
  })
  .map(({ groupSizes, above, ...rest }) =>
    randomModel({ ...rest, ...(above && { above }), hidden: groupSizes.map((n) => n * rest.classes) }),
  );

describe('model image', () => {
  it('comes back as the model it was made of, and encodes to the same bytes', () => {
    fc.assert(
      fc.property(models, (model) => {
        const bytes = encodeImage(model);
        const back = decodeImage(bytes);
        expect(back).toEqual(model);
        expect(encodeImage(back)).toEqual(bytes);
        expect(imageLayout(back).length).toBe(bytes.length);
        expect(bytes.length % 4).toBe(0);
      }),
    );
  });

  it('is read at any alignment and shares no memory with the bytes', () => {
    const shifted = new Uint8Array(image.length + 3);
    shifted.set(image, 3);
    const model = decodeImage(shifted.subarray(3));
    shifted.fill(0);
    expect(model).toEqual(small);
  });

  it('is refused as truncated at every length, and when it is too long', () => {
    for (let n = 0; n < image.length; n++)
      expect(codeOf(() => decodeImage(image.subarray(0, n)))).toBe('image.truncated');
    expect(codeOf(() => decodeImage(Uint8Array.of(...image, 0, 0, 0, 0)))).toBe('image.truncated');
  });

  it('is refused when any bit of it is flipped', () => {
    for (let bit = 0; bit < image.length * 8; bit++) {
      const bad = image.slice();
      bad[bit >> 3] = bad[bit >> 3]! ^ (1 << (bit & 7));
      expect(
        codeOf(() => decodeImage(bad)),
        `bit ${bit}`,
      ).toMatch(/^image\./);
    }
  });

  it('tells magic, version, length and checksum apart, in this order', () => {
    const bad = image.slice();
    bad[20] = 9;
    expect(codeOf(() => decodeImage(bad))).toBe('image.crc');
    bad[8] = bad[8]! ^ 4;
    expect(codeOf(() => decodeImage(bad))).toBe('image.truncated');
    bad[4] = 1;
    expect(codeOf(() => decodeImage(bad))).toBe('image.version');
    bad[0] = 0;
    expect(codeOf(() => decodeImage(bad))).toBe('image.magic');
  });

  it('with a good checksum but any byte altered is refused as a bad field, or reads as what those bytes say', () => {
    fc.assert(
      fc.property(fc.integer({ min: 12, max: image.length - 1 }), fc.nat(255), (at, value) => {
        const bytes = altered(at, value);
        const code = codeOf(() => {
          const back = encodeImage(decodeImage(bytes));
          // Infinite and undefined floats need not keep their bits.
          expect(back.length).toBe(bytes.length);
        });
        expect(['none', 'image.field', 'image.layout', 'image.meta', 'image.truncated']).toContain(code);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['header length', 6, [49]],
    ['raw inputs', 16, [0, 0]],
    ['other raw inputs than the first layer has', 16, [6]],
    ['classes', 18, [0]],
    ['classes', 18, [255]],
    ['no layers', 19, [0]],
    ['more layers than the format allows', 19, [9]],
    ['objective', 20, [2]],
    ['encoding', 21, [2]],
    ['flags', 22, [2]],
    ['label value of a partitioned network', 23, [1]],
    ['meta offset', 24, [0]],
    ['meta length', 28, [1]],
    ['meta length', 30, [1]],
    ['state offset', 32, [0]],
    ['state offset', 35, [255]],
    ['state length', 36, [0]],
    ['reserved', 41, [1]],
    ['reserved', 43, [1]],
    ['reserved', 44, [1]],
    ['inputs', 48, [4]],
    ['neurons', 50, [0]],
    ['neurons that make no groups', 50, [7]],
    ['neurons beyond the limit', 51, [0x40]],
    ['length shift', 52, [3]],
    ['length shift', 52, [13]],
    ['layer flags', 55, [2]],
    ['weights offset', 56, [1]],
    ['weights length', 60, [1]],
    ['output shift', 64, [25]],
    ['largest output', 66, [0, 0]],
    ['largest output that overflows', 66, [255, 255]],
    ['weight of -128', layout.weightsOffsets[0]!, [128]],
    ['padding of weights', layout.weightsOffsets[0]! + 30, [1]],
    ['random state', layout.stateOffset + 8, [0, 0, 0, 0]],
    ['tau', layout.stateOffset + 36, [0, 0]],
    ['centring', layout.stateOffset + 38, [1, 2]],
    ['mean shift', layout.stateOffset + 41, [0]],
    ['mean shift', layout.stateOffset + 41, [9]],
    ['threshold shift', layout.stateOffset + 42, [16]],
    ['revive shift', layout.stateOffset + 43, [9]],
    ['theta', layout.stateOffset + 48, [31, 0, 0, 0]],
    ['sum of score factors', layout.stateOffset + 52, [255, 255]],
    ['reserved', layout.stateOffset + 44, [1]],
    ['reserved', layout.stateOffset + 46, [1]],
    ['learning shift', layout.stateOffset + 60, [0]],
    ['learning shift', layout.stateOffset + 60, [25]],
    ['reserved', layout.stateOffset + 62, [1]],
    ['padding of the state', image.length - 1, [1]],
  ])('is refused for a bad %s (offset %i)', (_, offset, bytes) => {
    expect(codeOf(() => decodeImage(altered(offset, ...bytes)))).toBe('image.field');
  });

  it.each([
    ['layout', 53, 16],
    ['weight bits', 54, 5],
    ['weight bits', 54, 1],
    ['weight bits', 54, 16],
    ['input bits', 65, 0],
    ['input bits', 65, 5],
  ])('is refused for a %s that there is not (offset %i)', (_, offset, value) => {
    expect(codeOf(() => decodeImage(altered(offset, value)))).toBe('image.layout');
  });

  it('holds weights of few bits in half the bytes, and refuses what they can not be', () => {
    const model = randomModel({ seed: 2, rawInputs: 5, classes: 3, hidden: [3], bits: 4, learns: [false] });
    const bytes = encodeImage(model);
    const at = imageLayout(model).weightsOffsets[0]!;
    const [even, odd] = [model.layers[0]!.weights[3]!, model.layers[0]!.weights[4]!];
    expect(bytes[at + 2]).toBe((even & 15) | ((odd & 15) << 4));
    expect(imageLayout(model).stateOffset).toBe(at + 12);
    for (const [offset, value] of [
      [2, 8 | ((odd & 15) << 4)],
      [3, bytes[at + 3]! | 0x10],
      [10, 1],
    ] as const) {
      const bad = bytes.slice();
      bad[at + offset] = value;
      sealImage(bad);
      expect(codeOf(() => decodeImage(bad))).toBe('image.field');
    }
    const layer = { ...model.layers[0]!, weights: new Int8Array(15).fill(-8) };
    expect(codeOf(() => encodeImage({ ...model, layers: [layer] }))).toBe('image.field');
  });

  it('is not written from numbers that do not fit', () => {
    const { state } = small;
    const bad: [string, Model][] = [
      ['image.field', { ...small, classes: 300 }],
      ['image.field', { ...small, rawInputs: 4 }],
      ['image.field', { ...small, labelValue: 1 }],
      ['image.field', { ...small, state: { ...state, tau: 0 } }],
      ['image.field', { ...small, state: { ...state, t: -1 } }],
      ['image.field', { ...small, state: { ...state, t: 0.5 } }],
      ['image.shape', { ...small, state: { ...state, means: [] } }],
      ['image.shape', { ...small, state: { ...state, thresholds: new Uint32Array(2) } }],
      ['image.shape', { ...small, layers: [small.layers[0]!, { ...small.layers[1]!, weights: new Int8Array(1) }] }],
      [
        'image.field',
        { ...small, layers: [{ ...small.layers[0]!, weights: new Int8Array(30).fill(-128) }, small.layers[1]!] },
      ],
    ];
    for (const [code, model] of bad)
      expect(codeOf(() => encodeImage(model))).toMatch(new RegExp(`^(${code}|image.shape|image.meta)$`));
  });

  it('says which field was wrong, what was expected, and what came', () => {
    expect(() => decodeImage(altered(52, 3))).toThrow(
      expect.objectContaining({
        code: 'image.field',
        expected: '4 to 12',
        got: '3',
        message: expect.stringContaining('offset 52'),
      }),
    );
  });
});

describe('meta section', () => {
  const withMeta = (metaText: string): Model => ({ ...small, metaText });
  const classes = ['a', 'b', 'c'];

  it('keeps unknown keys, other spacing and characters beyond ASCII, byte for byte', () => {
    const text = '{ "classes": ["α", "b", "c"],\n "zone": {"x": 1.50} }';
    const back = decodeImage(encodeImage(withMeta(text)));
    expect(back.metaText).toBe(text);
    expect(metaOf(back)).toEqual({ classes: ['α', 'b', 'c'], zone: { x: 1.5 } });
  });

  it('that is absent leaves class numbers as names', () => {
    expect(metaOf(withMeta('')).classes).toEqual(['0', '1', '2']);
  });

  it('carries everything that a host needs', () => {
    const meta = {
      classes,
      features: ['v', 'w', 'x', 'y', 'z'],
      dataset: 'd',
      geometry: { width: 5, height: 1 },
      pool: 2,
      scaling: { offset: [0.5], step: [0.25] },
      created: 'goodness 0.1.0',
    };
    expect(metaOf(decodeImage(encodeImage(withMeta(formatMeta(meta)))))).toEqual(meta);
  });

  it.each([
    'x',
    '[]',
    '{}',
    '{"classes":["a","b"]}',
    '{"classes":["a","b",3]}',
    '{"classes":["a","b","c"],"features":["x"]}',
    '{"classes":["a","b","c"],"pool":0}',
    '{"classes":["a","b","c"],"dataset":1}',
    '{"classes":["a","b","c"],"created":1}',
    '{"classes":["a","b","c"],"geometry":{"width":0,"height":1}}',
    '{"classes":["a","b","c"],"scaling":{"offset":[0],"step":[0]}}',
    '{"classes":["a","b","c"],"scaling":{"offset":[0,1],"step":[1,1]}}',
    '\ufeff{"classes":["a","b","c"]}',
  ])('is refused if it reads %s', (text) => {
    expect(codeOf(() => encodeImage(withMeta(text)))).toBe('image.meta');
  });

  it('is refused if it is no UTF-8, or too long', () => {
    expect(codeOf(() => decodeImage(altered(layout.metaOffset + 13, 0xff)))).toBe('image.meta');
    const long = JSON.stringify({ classes, note: 'x'.repeat(65535) });
    expect(codeOf(() => encodeImage(withMeta(long)))).toBe('image.meta');
  });
});

describe('weights of 0', () => {
  it.each(LAYOUTS.map(({ tag, name }) => [name, tag] as const))(
    'take the place of weights that are not there, laid out as %s',
    (_, tag) => {
      const wide = randomModel({ seed: 7, rawInputs: 9, classes: 2, hidden: [16, 8] });
      const model = { ...wide, layers: wide.layers.map((layer) => ({ ...layer, layout: tag })) };
      const bytes = encodeImage(model);
      const { weightsOffsets, stateOffset } = imageLayout(model);
      bytes.fill(0, weightsOffsets[0]!, stateOffset);
      clearWeights(bytes);
      sealImage(bytes);
      const layers = model.layers.map((layer) => ({ ...layer, weights: new Int8Array(layer.weights.length) }));
      expect(decodeImage(bytes)).toEqual({ ...model, layers });
    },
  );

  it('go nowhere where an image says that they lie outside', () => {
    const copy = altered(48 + 8, 0xff, 0xff, 0xff, 0x7f);
    const before = copy.slice();
    clearWeights(copy);
    expect(copy).toEqual(before);
    expect(codeOf(() => decodeImage(copy))).toBe('image.field');
  });
});
