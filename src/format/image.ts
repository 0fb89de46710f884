import { GoodnessError } from '../base/errors.js';
import { ByteWriter } from './byte-writer.js';
import { crc32 } from './crc32.js';
import {
  INPUT_BITS,
  type InputBits,
  layoutFor,
  WEIGHT_BITS,
  type WeightBits,
  weightLimit,
  weightsLength,
} from './layout.js';
import { decodeMetaText, encodeMetaText } from './meta.js';
import { encodedInputs, type ImageLayout, LIMIT, type Model, type ModelLayer, modelGroups, padded } from './model.js';
import { decodeStage, encodeAbove, encodeFlags } from './stage-header.js';
import { decodeState, encodeState, fieldError, sameLength, stateLength } from './state.js';

/** Version of the image format that this package reads and writes. */
export const FORMAT_VERSION = 2;

const MAGIC = 0x314d4646;
const HEADER = 48;
const RECORD = 32;
/** The CRC covers what follows it. */
const CRC_FROM = 16;

/** Where the sections of a model's image lie. */
export function imageLayout(model: Model): ImageLayout {
  return layoutOf(model, encodeMetaText(model.metaText, model).length);
}

function layoutOf(model: Pick<Model, 'classes' | 'layers'>, metaLength: number): ImageLayout {
  const metaOffset = HEADER + RECORD * model.layers.length;
  let at = metaOffset + padded(metaLength);
  const weightsOffsets = model.layers.map((layer) => {
    const offset = at;
    at += padded(weightsLength(layer));
    return offset;
  });
  const length = stateLength(model);
  return { metaOffset, metaLength, weightsOffsets, stateOffset: at, stateLength: length, length: at + length };
}

/**
 * The bytes of a model image (`.ffm`).
 * @throws GoodnessError `image.field`, `image.meta`, `image.shape`
 */
export function encodeImage(model: Model): Uint8Array {
  const meta = encodeMetaText(model.metaText, model);
  const layout = layoutOf(model, meta.length);
  model.layers.forEach((layer, l) => {
    sameLength(`weights of layer ${l}`, layer.weights.length, layer.inputs * layer.outputs);
  });
  if (layout.length > LIMIT.imageBytes) fieldError('image length', 8, HEADER, LIMIT.imageBytes, layout.length);
  const w = new ByteWriter(layout.length, 'image');
  w.u32(MAGIC, 'magic').u16(FORMAT_VERSION, 'version').u16(HEADER, 'header length');
  w.u32(layout.length, 'image length').u32(0, 'CRC');
  w.u16(model.rawInputs, 'raw inputs').u8(model.classes, 'classes').u8(model.layers.length, 'layers');
  w.u8(model.objective === 'label' ? 1 : 0, 'objective').u8(model.encoding === 'complement' ? 1 : 0, 'encoding');
  w.u8(encodeFlags(model), 'flags').u8(model.labelValue, 'label value');
  w.u32(layout.metaOffset, 'meta offset').u32(layout.metaLength, 'meta length');
  w.u32(layout.stateOffset, 'state offset').u32(layout.stateLength, 'state length');
  const [below, aboveShift, aboveBits] = encodeAbove(model);
  w.u8(below, 'layers below').u8(aboveShift, 'length shift above').u8(aboveBits, 'input bits above');
  w.at = HEADER;
  model.layers.forEach((layer, l) => {
    w.u16(layer.inputs, 'inputs').u16(layer.outputs, 'neurons').u8(layer.lengthShift, 'length shift');
    w.u8(layer.layout, 'layout')
      .u8(layer.weightBits, 'weight bits')
      .u8(layer.learns ? 1 : 0, 'flags');
    w.u32(layout.weightsOffsets[l]!, 'weights offset').u32(padded(weightsLength(layer)), 'weights length');
    w.u8(layer.outputShift, 'output shift').u8(layer.inputBits, 'input bits').u16(layer.activityMax, 'largest output');
    w.u32(layer.inputSumBound, 'input bound').f32(layer.scale).f32(layer.outputUnit);
  });
  w.raw(meta);
  model.layers.forEach((layer, l) => {
    w.at = layout.weightsOffsets[l]!;
    const limit = weightLimit(layer.weightBits);
    const bad = layer.weights.findIndex((weight) => Math.abs(weight) > limit);
    if (bad >= 0) weightError(l, bad, limit, layer.weights[bad]!);
    w.raw(layoutFor(layer.layout, layer).pack(layer, layer.weights));
  });
  w.at = layout.stateOffset;
  w.raw(encodeState(model.state, model));
  sealImage(w.bytes);
  decodeImage(w.bytes);
  return w.bytes;
}

/** Puts the CRC in that fits the bytes, for instance into an image read back from a device that has learned. In place. */
export function sealImage(bytes: Uint8Array): void {
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).setUint32(12, crc32(bytes.subarray(CRC_FROM)), true);
}

/**
 * Puts weights of 0, in each layer's layout, into an image of which only header, layer records, meta and state are there. In place.
 * What doesn't lie within the image is left to `decodeImage`, which refuses it.
 * @throws GoodnessError `image.layout`
 */
export function clearWeights(image: Uint8Array): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  for (let at = HEADER, l = view.getUint8(19); l > 0 && at + RECORD <= image.length; at += RECORD, l--) {
    const [inputs, outputs, offset] = [
      view.getUint16(at, true),
      view.getUint16(at + 2, true),
      view.getUint32(at + 8, true),
    ];
    const kind = kindOf(image, at, inputs, outputs);
    if (offset + weightsLength(kind) > image.length) return;
    image.set(layoutFor(kind.layout, kind).pack(kind, new Int8Array(inputs * outputs)), offset);
  }
}

/**
 * Reads a model image and checks every statement of the format (SPEC.md, "Validation").
 * @throws GoodnessError `image.truncated`, `image.magic`, `image.version`, `image.crc`, `image.field`,
 * `image.meta`, `image.layout`
 */
export function decodeImage(bytes: Uint8Array): Model {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  checkHeader(bytes, view);
  const u8 = (at: number, name: string, min: number, max: number): number =>
    within(view.getUint8(at), name, at, min, max);
  const u16 = (at: number, name: string, min: number, max: number): number =>
    within(view.getUint16(at, true), name, at, min, max);
  const u32 = (at: number, name: string, min: number, max: number): number =>
    within(view.getUint32(at, true), name, at, min, max);

  u16(6, 'header length', HEADER, HEADER);
  if (bytes.length % 4 !== 0 || bytes.length > LIMIT.imageBytes) {
    throw new GoodnessError('image.field', 'impossible image length (offset 8)', {
      expected: `a multiple of 4, at most ${LIMIT.imageBytes}`,
      got: String(bytes.length),
    });
  }
  const rawInputs = u16(16, 'raw inputs', 1, LIMIT.inputs);
  const classes = u8(18, 'classes', 1, LIMIT.classes);
  const count = u8(19, 'layers', 1, LIMIT.layers);
  const objective = u8(20, 'objective', 0, 1) === 1 ? 'label' : 'partitioned';
  const encoding = u8(21, 'encoding', 0, 1) === 1 ? 'complement' : 'plain';
  const labelValue = u8(23, 'label value', 0, objective === 'label' ? 255 : 0);
  const metaOffset = HEADER + RECORD * count;
  u32(24, 'meta offset', metaOffset, metaOffset);
  const metaLength = u32(28, 'meta length', 0, LIMIT.metaBytes);
  const stateOffset = u32(32, 'state offset', metaOffset, bytes.length);
  u32(36, 'state length', bytes.length - stateOffset, bytes.length - stateOffset);
  const stage = decodeStage(bytes, { objective, encoding });
  u8(43, 'reserved', 0, 0);
  u32(44, 'reserved', 0, 0);

  const shape = { rawInputs, classes, objective, encoding, layersBelow: stage.layersBelow } as const;
  const groups = modelGroups(shape);
  const layers: Omit<ModelLayer, 'weights'>[] = [];
  let inputs = encodedInputs(shape);
  let weightsAt = metaOffset + padded(metaLength);
  for (let l = 0; l < count; l++) {
    const at = HEADER + RECORD * l;
    if (at + RECORD > bytes.length) truncated(at + RECORD, bytes.length);
    u16(at, 'inputs', inputs, inputs);
    const outputs = u16(at + 2, 'neurons', 1, LIMIT.neurons);
    if (outputs % groups !== 0) {
      throw new GoodnessError('image.field', `neurons can't be split into groups (offset ${at + 2})`, {
        expected: `a multiple of ${groups}`,
        got: String(outputs),
      });
    }
    const lengthShift = u8(at + 4, 'length shift', 4, 12);
    const learns = u8(at + 7, 'flags', 0, objective === 'label' ? 0 : 1) === 1;
    const outputShift = u8(at + 16, 'output shift', 0, 24);
    const activityMax = u16(at + 18, 'largest output', 1, 0xffff);
    if (outputs * activityMax * activityMax > 0xffffffff) {
      throw new GoodnessError('image.field', `largest output lets the goodness overflow (offset ${at + 18})`, {
        expected: `neurons * output^2 below 2^32`,
        got: String(activityMax),
      });
    }
    const kind = kindOf(bytes, at, inputs, outputs);
    u32(at + 8, 'weights offset', weightsAt, weightsAt);
    const length = padded(weightsLength(kind));
    u32(at + 12, 'weights length', length, length);
    const inputSumBound = view.getUint32(at + 20, true);
    const [scale, outputUnit] = [view.getFloat32(at + 24, true), view.getFloat32(at + 28, true)];
    layers.push({ ...kind, lengthShift, outputShift, activityMax, inputSumBound, learns, scale, outputUnit });
    inputs = outputs;
    weightsAt += length;
  }
  u32(32, 'state offset', weightsAt, weightsAt);
  const stateBytes = stateLength({ classes, layers });
  u32(36, 'state length', stateBytes, stateBytes);

  const metaText = decodeMetaText(bytes.subarray(metaOffset, metaOffset + metaLength), shape);
  zeros(bytes, metaOffset + metaLength, padded(metaLength) - metaLength);
  weightsAt = metaOffset + padded(metaLength);
  const whole = layers.map((layer, l): ModelLayer => {
    const length = weightsLength(layer);
    const layout = layoutFor(layer.layout, layer);
    const section = bytes.subarray(weightsAt, weightsAt + length);
    const weights = layout.unpack(layer, section);
    const limit = weightLimit(layer.weightBits);
    const bad = weights.findIndex((weight) => Math.abs(weight) > limit);
    if (bad >= 0) weightError(l, bad, limit, weights[bad]!);
    // What is no weight must be as a packer leaves it.
    layout.pack(layer, weights).forEach((byte, k) => {
      if (section[k] !== byte) fieldError('byte between weights', weightsAt + k, byte, byte, section[k]!);
    });
    zeros(bytes, weightsAt + length, padded(length) - length);
    weightsAt += padded(length);
    return { ...layer, weights };
  });
  const state = decodeState(bytes.subarray(stateOffset), { classes, layers }, stateOffset);
  return { ...shape, ...stage, labelValue, layers: whole, metaText, state };
}

/** Layout and bits of the layer whose record stands at `at`. */
function kindOf(bytes: Uint8Array, at: number, inputs: number, outputs: number) {
  const [layout, weightBits, inputBits] = [bytes[at + 5]!, bytes[at + 6] as WeightBits, bytes[at + 17] as InputBits];
  if (!WEIGHT_BITS.includes(weightBits) || !INPUT_BITS.includes(inputBits)) {
    throw new GoodnessError('image.layout', `weights or inputs of impossible bits (offset ${at + 6} or ${at + 17})`, {
      expected: `weights of ${WEIGHT_BITS.join(', ')} bits, inputs of ${INPUT_BITS.join(', ')}`,
      got: `${weightBits} and ${inputBits}`,
      fix: 'The image is damaged or was made by an incompatible program: make it again.',
    });
  }
  const kind = { inputs, outputs, layout, weightBits, inputBits };
  layoutFor(layout, kind);
  return kind;
}

/** The checks that come before those of the fields, in their order. */
function checkHeader(bytes: Uint8Array, view: DataView): void {
  if (bytes.length < HEADER) truncated(HEADER, bytes.length);
  if (view.getUint32(0, true) !== MAGIC) {
    throw new GoodnessError('image.magic', 'this is no model image', {
      expected: 'a file that begins with FFM1',
      got: Array.from(bytes.subarray(0, 4), (b) => b.toString(16).padStart(2, '0')).join(' '),
      fix: 'Give a model image (.ffm) made by `goodness train` or `goodness quantize`.',
    });
  }
  const version = view.getUint16(4, true);
  if (version !== FORMAT_VERSION) {
    throw new GoodnessError('image.version', 'unknown format version', {
      expected: String(FORMAT_VERSION),
      got: String(version),
      fix: 'Use the version of goodness that made the image, or make the image again.',
    });
  }
  const length = view.getUint32(8, true);
  if (length !== bytes.length) truncated(length, bytes.length);
  const stored = view.getUint32(12, true);
  const sum = crc32(bytes.subarray(CRC_FROM));
  if (sum !== stored) {
    throw new GoodnessError('image.crc', 'the checksum of the image does not fit', {
      expected: `0x${stored.toString(16)}`,
      got: `0x${sum.toString(16)}`,
      fix: 'The file is damaged: copy or make it again.',
    });
  }
}

function weightError(layer: number, index: number, limit: number, got: number): never {
  throw new GoodnessError('image.field', `weight ${index} of layer ${layer} is out of its range`, {
    expected: `${-limit} to ${limit}`,
    got: String(got),
    fix: 'The image is damaged or was made by an incompatible program: make it again.',
  });
}

function within(value: number, name: string, offset: number, min: number, max: number): number {
  if (value < min || value > max) fieldError(name, offset, min, max, value);
  return value;
}

function truncated(expected: number, got: number): never {
  throw new GoodnessError('image.truncated', 'the image has another length than its header says', {
    expected: `${expected} bytes`,
    got: `${got}`,
    fix: 'Copy or make the image again.',
  });
}

function zeros(bytes: Uint8Array, from: number, count: number): void {
  for (let i = from; i < from + count; i++) if (bytes[i] !== 0) fieldError('padding', i, 0, 0, bytes[i]!);
}
