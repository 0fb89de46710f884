import { GoodnessError } from '../base/errors.js';

/** Bits that a weight may have: |w| <= 2^(bits - 1) - 1. */
export type WeightBits = 8 | 4 | 3 | 2;

/** Bits that a layer's rescaled inputs may have: they are at most 2^bits - 1. */
export type InputBits = 8 | 4;

export const WEIGHT_BITS: readonly WeightBits[] = [8, 4, 3, 2];
export const INPUT_BITS: readonly InputBits[] = [8, 4];

/** Largest magnitude of a weight of so many bits. */
export function weightLimit(bits: WeightBits): number {
  return 2 ** (bits - 1) - 1;
}

/** Largest rescaled input of so many bits. */
export function inputLimit(bits: InputBits): number {
  return 2 ** bits - 1;
}

/** What the place of a layer's weights depends on. */
export interface WeightsShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly weightBits: WeightBits;
}

/**
 * A way to lay out the weights of a layer in an image and in the RAM of a device (SPEC.md, "Weights"). On this side weights are
 * always canonical: int8, input-major, whatever their bits.
 */
export interface Layout {
  readonly tag: number;
  readonly name: string;
  /** Whether a layer of this shape can be laid out so. */
  takes(shape: WeightsShape): boolean;
  /** Bytes without padding to a multiple of 4. */
  bytes(shape: WeightsShape): number;
  /** @param weights (inputs, outputs), input-major */
  pack(shape: WeightsShape, weights: Int8Array): Uint8Array;
  /** Numbers as they stand in the bytes; the caller checks that they are weights of the layer's bits. */
  unpack(shape: WeightsShape, bytes: Uint8Array): Int8Array;
}

/** Whether two weights of this many bits share a byte. */
function packed(bits: WeightBits): boolean {
  return bits <= 4;
}

/** Column by column, so that a zero input skips a column: bytes, or two weights in a byte. */
const COLUMNS: Layout = {
  tag: 0,
  name: 'columns',
  takes: () => true,
  bytes: ({ inputs, outputs, weightBits }) => inputs * (packed(weightBits) ? Math.ceil(outputs / 2) : outputs),
  pack(shape, weights) {
    if (!packed(shape.weightBits)) return Uint8Array.from(weights);
    const { inputs, outputs } = shape;
    const stride = Math.ceil(outputs / 2);
    const bytes = new Uint8Array(inputs * stride);
    for (let i = 0, at = 0; i < inputs; i++) {
      for (let j = 0; j < outputs; j++, at++) bytes[i * stride + (j >> 1)]! |= (weights[at]! & 15) << (4 * (j & 1));
    }
    return bytes;
  },
  unpack(shape, bytes) {
    if (!packed(shape.weightBits)) return Int8Array.from(bytes);
    const { inputs, outputs } = shape;
    const stride = Math.ceil(outputs / 2);
    const weights = new Int8Array(inputs * outputs);
    for (let i = 0, at = 0; i < inputs; i++) {
      for (let j = 0; j < outputs; j++, at++) weights[at] = (bytes[i * stride + (j >> 1)]! << (28 - 4 * (j & 1))) >> 28;
    }
    return weights;
  },
};

/** What kernels for a processor want: bytes, some of them with 128 added, in an order of theirs. */
function biasedBytes(
  tag: number,
  name: string,
  multiple: number,
  rows: (inputs: number) => number,
  at: (i: number, j: number, outputs: number) => number,
  biased: (j: number) => boolean,
): Layout {
  return {
    tag,
    name,
    takes: ({ outputs, weightBits }) => weightBits === 8 && outputs >= 8 && outputs % multiple === 0,
    bytes: ({ inputs, outputs }) => rows(inputs) * outputs,
    pack({ inputs, outputs }, weights) {
      const bytes = new Uint8Array(rows(inputs) * outputs);
      // What is paired with no input has weight 0.
      for (let i = 0; i < rows(inputs); i++) {
        for (let j = 0; j < outputs; j++) {
          const weight = i < inputs ? weights[i * outputs + j]! : 0;
          bytes[at(i, j, outputs)] = biased(j) ? weight + 128 : weight;
        }
      }
      return bytes;
    },
    unpack({ inputs, outputs }, bytes) {
      const weights = new Int8Array(inputs * outputs);
      for (let i = 0; i < inputs; i++) {
        for (let j = 0; j < outputs; j++) {
          const byte = bytes[at(i, j, outputs)]!;
          weights[i * outputs + j] = biased(j) ? byte - 128 : byte;
        }
      }
      return weights;
    },
  };
}

const even = (j: number): boolean => j % 2 === 0;
const inColumns = (i: number, j: number, outputs: number): number => i * outputs + j;
const alone = (inputs: number): number => inputs;

/** Words of two inputs and two neurons, the even neuron's bytes biased. firmware/core/kernels/ff_run.h says why. */
const PAIRS = biasedBytes(
  1,
  'pairs',
  2,
  (inputs) => inputs + (inputs % 2),
  (i, j, outputs) => (i >> 1) * 2 * outputs + (j >> 1) * 4 + (i & 1) * 2 + (j & 1),
  even,
);
const EVEN_BIASED = biasedBytes(2, 'even-biased columns', 4, alone, inColumns, even);
const BIASED = biasedBytes(3, 'biased columns', 4, alone, inColumns, () => true);

/** All layouts, by tag. The device's twin of this table is firmware/core/kernels/ff_layout.h. */
export const LAYOUTS: readonly Layout[] = [COLUMNS, PAIRS, EVEN_BIASED, BIASED];

/**
 * The layout with this tag.
 * @throws GoodnessError `image.layout` if there is none, or if it does not take such a layer
 */
export function layoutFor(tag: number, shape: WeightsShape): Layout {
  const layout = LAYOUTS.find((candidate) => candidate.tag === tag);
  if (layout?.takes(shape)) return layout;
  const { inputs, outputs, weightBits } = shape;
  throw new GoodnessError('image.layout', `no layout ${tag} for weights of this shape`, {
    expected: LAYOUTS.map((l) => `${l.tag} (${l.name})`).join(', '),
    got: `${tag} for ${inputs} x ${outputs} weights of ${weightBits} bits`,
    fix: 'Make the image again, with this version of goodness.',
  });
}

/** Bytes of a layer's weights in an image or in the RAM of a device, without padding. */
export function weightsLength(layer: WeightsShape & { readonly layout: number }): number {
  return layoutFor(layer.layout, layer).bytes(layer);
}
