import { INPUT_BITS, type InputBits } from './layout.js';
import type { LayerAbove, Model } from './model.js';
import { fieldError } from './state.js';

/** Bits of the header's flags. */
const SUBTRACT_MINIMUM = 1;
const RESCALED = 2;
const COUNTS = 4;

/** Where the header says what part of a network the image is (SPEC.md, "Header"). */
const FLAGS_AT = 22;
const BELOW_AT = 40;
const ABOVE_SHIFT_AT = 41;
const ABOVE_BITS_AT = 42;

type StageHeader = Pick<Model, 'subtractMin' | 'layersBelow' | 'above' | 'counts'>;

/** The header's flags. */
export function encodeFlags({ subtractMin, layersBelow, counts }: StageHeader): number {
  return (subtractMin ? SUBTRACT_MINIMUM : 0) | (layersBelow > 0 ? RESCALED : 0) | (counts === true ? COUNTS : 0);
}

/** The header's bytes from offset 40 on: layers below, and what the layer above wants. */
export function encodeAbove({ layersBelow, above }: StageHeader): [number, number, number] {
  return [layersBelow, above?.lengthShift ?? 0, above?.inputBits ?? 0];
}

/**
 * Reads what a header says of the part of a network that the image is.
 * @throws GoodnessError `image.field`
 */
export function decodeStage(bytes: Uint8Array, shape: Pick<Model, 'objective' | 'encoding'>): StageHeader {
  const flags = bytes[FLAGS_AT]!;
  const layersBelow = bytes[BELOW_AT]!;
  const shift = bytes[ABOVE_SHIFT_AT]!;
  const bits = bytes[ABOVE_BITS_AT]! as InputBits;
  const stage = layersBelow > 0 || shift > 0;
  const subtractMin = (flags & SUBTRACT_MINIMUM) !== 0;
  if (stage && shape.objective === 'label') fieldError('objective of a stage', 20, 0, 0, 1);
  if (layersBelow > 0 && shape.encoding !== 'plain') fieldError('encoding of a stage above others', 21, 0, 0, 1);
  const allowed = (layersBelow > 0 ? RESCALED : SUBTRACT_MINIMUM) | (stage ? COUNTS : 0);
  const rescaled = (flags & RESCALED) !== 0;
  if ((flags & ~allowed) !== 0 || rescaled !== layersBelow > 0) fieldError('flags', FLAGS_AT, 0, allowed, flags);
  if (shift > 0 && (shift < 4 || shift > 12))
    fieldError('length shift of the layer above', ABOVE_SHIFT_AT, 4, 12, shift);
  if (shift > 0 ? !INPUT_BITS.includes(bits) : bits > 0)
    fieldError('input bits of the layer above', ABOVE_BITS_AT, shift > 0 ? 4 : 0, shift > 0 ? 8 : 0, bits);
  const above: LayerAbove = { lengthShift: shift, inputBits: bits };
  return {
    subtractMin,
    layersBelow,
    ...(shift > 0 ? { above } : {}),
    ...((flags & COUNTS) !== 0 ? { counts: true } : {}),
  };
}
