import { GoodnessError } from '../base/errors.js';
import { ByteWriter } from './byte-writer.js';
import { crc32 } from './crc32.js';
import { FORMAT_VERSION, imageLayout } from './image.js';
import { weightLimit } from './layout.js';
import { type Model, padded } from './model.js';
import { decodeState, encodeState, stateFieldsLength, stateParts } from './state.js';

const MAGIC = 0x31504646;
/** Bytes of a patch in front of its records. */
export const PATCH_HEADER = 32;
/** Bytes of a record in front of its own. */
export const PATCH_RECORD_HEADER = 12;
const CRC_FROM = 16;
/** Where the base id lies in the state. */
const BASE_ID = 0;

/** Puts bytes into the state. */
export interface StateRecord {
  readonly operation: 'replace';
  /** From the start of the image. */
  readonly offset: number;
  /** New bytes. */
  readonly bytes: Uint8Array;
}

/** Adds to weights, clamped to what the layer's bits hold. */
export interface WeightsRecord {
  readonly operation: 'add';
  readonly layer: number;
  /** Index of the first weight, input-major, whatever the layout on the device. */
  readonly first: number;
  /** Differences as int8, one per weight. */
  readonly bytes: Uint8Array;
}

export type PatchRecord = StateRecord | WeightsRecord;

/** What a sync sends down (SPEC.md, "Patch"). */
export interface Patch {
  /** Base id of the weights that it is made for. */
  readonly baseId: number;
  /** Base id afterwards. */
  readonly nextBaseId: number;
  /** Ticket of the pull that it answers. */
  readonly ticket: number;
  /** Weights first, by layer and index, then the state by offset; without overlaps. */
  readonly records: readonly PatchRecord[];
}

/** Bytes that a patch takes. */
export function patchLength(patch: Patch): number {
  return patch.records.reduce((sum, r) => sum + PATCH_RECORD_HEADER + padded(r.bytes.length), PATCH_HEADER);
}

/** The bytes of a patch (`.ffp`). */
export function encodePatch(patch: Patch): Uint8Array {
  const length = patchLength(patch);
  const w = new ByteWriter(length, 'patch');
  w.u32(MAGIC, 'magic')
    .u16(FORMAT_VERSION, 'version')
    .u16(PATCH_HEADER, 'header length')
    .u32(length, 'length')
    .u32(0, 'CRC');
  w.u32(patch.baseId, 'base id').u32(patch.nextBaseId, 'next base id').u32(patch.ticket, 'ticket');
  w.u32(patch.records.length, 'records');
  for (const r of patch.records) {
    w.u32(recordStart(r), 'start').u32(r.bytes.length, 'count');
    if (r.operation === 'add') w.u8(1, 'operation').u8(r.layer, 'layer').u16(0, 'reserved');
    else w.u32(0, 'operation');
    w.raw(r.bytes);
    w.at = padded(w.at);
  }
  new DataView(w.bytes.buffer).setUint32(12, crc32(w.bytes.subarray(CRC_FROM)), true);
  decodePatch(w.bytes);
  return w.bytes;
}

/**
 * Reads a patch and checks all that can be checked without the image; padding of records that isn't zero is refused, which
 * devices ignore.
 * @throws GoodnessError `patch.truncated`, `patch.magic`, `patch.version`, `patch.crc`, `patch.field`
 */
export function decodePatch(bytes: Uint8Array): Patch {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (at: number): number => view.getUint32(at, true);
  if (bytes.length < PATCH_HEADER)
    fail('truncated', 'the patch is cut off', `${PATCH_HEADER} bytes`, `${bytes.length}`);
  if (u32(0) !== MAGIC) fail('magic', 'this is no patch', 'bytes that begin with FFP1', hex(u32(0)));
  const version = view.getUint16(4, true);
  if (version !== FORMAT_VERSION) fail('version', 'unknown format version', `${FORMAT_VERSION}`, `${version}`);
  if (u32(8) !== bytes.length)
    fail('truncated', 'the patch has another length than its header says', `${u32(8)} bytes`, `${bytes.length}`);
  const sum = crc32(bytes.subarray(CRC_FROM));
  if (sum !== u32(12)) fail('crc', 'the checksum of the patch does not fit', hex(u32(12)), hex(sum));
  if (view.getUint16(6, true) !== PATCH_HEADER)
    fail('field', 'header length (offset 6)', `${PATCH_HEADER}`, `${view.getUint16(6, true)}`);
  if (bytes.length % 4 !== 0) fail('field', 'length (offset 8)', 'a multiple of 4', `${bytes.length}`);
  const records: PatchRecord[] = [];
  let at = PATCH_HEADER;
  let before: PatchRecord | undefined;
  for (let n = 0; n < u32(28); n++) {
    if (at + PATCH_RECORD_HEADER > bytes.length)
      fail('field', `record ${n} is cut off`, `${at + PATCH_RECORD_HEADER} bytes`, `${bytes.length}`);
    const [start, count, operation, layer] = [u32(at), u32(at + 4), u32(at + 8) & 0xffff00ff, bytes[at + 9]!];
    if (operation !== 1 && (operation !== 0 || layer !== 0))
      fail('field', `operation of record ${n} (offset ${at + 8})`, '0, or 1 and a layer', hex(u32(at + 8)));
    at += PATCH_RECORD_HEADER;
    if (padded(count) > bytes.length - at)
      fail('field', `record ${n} is cut off`, `${count} bytes`, `${bytes.length - at}`);
    const own = bytes.slice(at, at + count);
    const record: PatchRecord =
      operation === 1
        ? { operation: 'add', layer, first: start, bytes: own }
        : { operation: 'replace', offset: start, bytes: own };
    if (before !== undefined && !follows(record, before))
      fail('field', `record ${n} overlaps the one before or is out of order`, 'records in order', describe(record));
    records.push(record);
    before = record;
    for (let i = at + count; i < at + padded(count); i++) {
      if (bytes[i] !== 0) fail('field', `padding (offset ${i})`, '0', `${bytes[i]}`);
    }
    at += padded(count);
  }
  if (at !== bytes.length) fail('field', 'bytes behind the last record', `${at} bytes`, `${bytes.length}`);
  return { baseId: u32(16), nextBaseId: u32(20), ticket: u32(24), records };
}

/** Where a record begins: an offset of the image, or an index of the layer's weights. */
export function recordStart(record: PatchRecord): number {
  return record.operation === 'add' ? record.first : record.offset;
}

/** Whether a record may stand behind another: weights come first, by layer, and nothing overlaps. */
function follows(record: PatchRecord, before: PatchRecord): boolean {
  const place = (r: PatchRecord): number => (r.operation === 'add' ? r.layer : Number.POSITIVE_INFINITY);
  if (place(record) !== place(before)) return place(record) > place(before);
  return recordStart(record) >= recordStart(before) + before.bytes.length;
}

/** A patch made of two models, and what it can't carry. */
export interface PatchDifference {
  readonly patch: Patch;
  /** Weights whose difference is beyond +-127, so that they stop short of the target. */
  readonly clipped: number;
}

/**
 * The patch that turns one model into another: for each learning layer that changed the differences of all its weights
 * (dense: after a sync most of them differ), and the parts of the state that changed (see `stateParts`), so that counters
 * which the device moves on meanwhile stay.
 * @param to same shape as `from`; its base id becomes the device's
 * @param ticket of the pull that `from` came from
 * @throws GoodnessError `patch.shape` if the models differ in more than weights of learning layers and state
 */
export function diffPatch(from: Model, to: Model, ticket: number): PatchDifference {
  sameShape(from, to);
  const records: PatchRecord[] = [];
  let clipped = 0;
  from.layers.forEach((layer, l) => {
    const after = to.layers[l]!.weights;
    const difference = new Int8Array(after.length);
    let changed = 0;
    for (let i = 0; i < after.length; i++) {
      const d = after[i]! - layer.weights[i]!;
      if (d === 0) continue;
      changed++;
      const held = Math.max(-127, Math.min(127, d));
      if (held !== d) clipped++;
      difference[i] = held;
    }
    if (changed === 0) return;
    if (!layer.learns)
      fail('shape', `weights of layer ${l} differ, which doesn't learn`, 'the same weights', `${changed} others`);
    records.push({ operation: 'add', layer: l, first: 0, bytes: new Uint8Array(difference.buffer) });
  });
  records.push(...stateRecords(from, to, imageLayout(from).stateOffset));
  const patch = { baseId: from.state.baseId, nextBaseId: to.state.baseId, ticket, records };
  return { patch, clipped };
}

/** Records for the parts of the state that differ; the base id travels in the header. Neighbours become one record. */
function stateRecords(from: Model, to: Model, stateOffset: number): StateRecord[] {
  const before = encodeState(from.state, from);
  const after = encodeState(to.state, to);
  const spans: { from: number; to: number }[] = [];
  for (const part of stateParts(from)) {
    const end = part.offset + part.length;
    let same = part.offset === BASE_ID;
    if (!same) {
      same = true;
      for (let i = part.offset; same && i < end; i++) same = before[i] === after[i];
    }
    if (same) continue;
    const last = spans.at(-1);
    if (last?.to === part.offset) last.to = end;
    else spans.push({ from: part.offset, to: end });
  }
  return spans.map((s) => ({ offset: stateOffset + s.from, operation: 'replace', bytes: after.slice(s.from, s.to) }));
}

/**
 * Applies a patch as a device does, whole or not at all.
 * @param model what the device holds now
 * @param ticket the ticket that it remembers, 0 if none
 * @returns the model afterwards
 * @throws GoodnessError `patch.base`, `patch.ticket`, `patch.field`, and `image.field` where the state is invalid afterwards
 */
export function applyPatch(model: Model, patch: Patch, ticket: number): Model {
  if (patch.baseId !== model.state.baseId) {
    fail('base', 'the patch was made for another base', hex(model.state.baseId), hex(patch.baseId));
  }
  if (patch.ticket !== ticket || ticket === 0) {
    fail('ticket', 'the patch answers a pull that is not remembered', hex(ticket), hex(patch.ticket));
  }
  const { stateOffset } = imageLayout(model);
  const weights = model.layers.map((layer) => layer.weights.slice());
  const state = encodeState(model.state, model);
  const fields = stateFieldsLength(model);
  patch.records.forEach((record, n) => {
    if (record.operation === 'replace') {
      if (!within(record, stateOffset, fields)) outside(n, record, 'the fields of the state');
      state.set(record.bytes, record.offset - stateOffset);
      return;
    }
    const layer = model.layers[record.layer];
    if (layer === undefined || !layer.learns || !within(record, 0, layer.weights.length))
      outside(n, record, 'the weights of one layer that learns');
    const own = weights[record.layer]!;
    const limit = weightLimit(layer.weightBits);
    record.bytes.forEach((byte, i) => {
      const sum = own[record.first + i]! + ((byte << 24) >> 24);
      own[record.first + i] = Math.max(-limit, Math.min(limit, sum));
    });
  });
  new DataView(state.buffer).setUint32(BASE_ID, patch.nextBaseId, true);
  const layers = model.layers.map((layer, l) => ({ ...layer, weights: weights[l]! }));
  return { ...model, layers, state: decodeState(state, model, stateOffset) };
}

function sameShape(from: Model, to: Model): void {
  const blank = (model: Model): string =>
    JSON.stringify({
      ...model,
      state: null,
      layers: model.layers.map((layer) => ({ ...layer, weights: layer.weights.length })),
    });
  if (blank(from) !== blank(to)) {
    fail('shape', 'the models differ in more than weights and state', 'two models of one shape', 'others');
  }
}

/** Whether all that a record touches lies in the `length` bytes from `start` on; one without bytes may stand at their end. */
function within(record: PatchRecord, start: number, length: number): boolean {
  const from = recordStart(record);
  return from >= start && from + record.bytes.length <= start + length;
}

function outside(index: number, record: PatchRecord, where: string): never {
  fail('field', `record ${index} reaches outside ${where}`, where, describe(record));
}

function describe(record: PatchRecord): string {
  const where = record.operation === 'add' ? `layer ${record.layer}, weight` : 'offset';
  return `${where} ${recordStart(record)}, ${record.bytes.length} bytes`;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}

function fail(reason: string, message: string, expected: string, got: string): never {
  throw new GoodnessError(`patch.${reason}`, message, { expected, got });
}
