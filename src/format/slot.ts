import { GoodnessError } from '../base/errors.js';
import { ByteWriter } from './byte-writer.js';
import { crc32 } from './crc32.js';

/** Bytes of a slot's header (SPEC.md, "Store"). */
export const SLOT_HEADER = 32;

const MAGIC = 0x31534646;
const COMMIT_MARK = 0x600df00d;

/** What stands before an object in flash. */
export interface SlotHeader {
  /** The committed slot with the highest number (serial-number arithmetic) is the one in use. */
  readonly sequence: number;
  readonly objectLength: number;
  readonly objectCrc: number;
  /** See OBJECT_KIND. */
  readonly kind: number;
}

/** A whole slot: header with its commit mark, object. */
export function encodeSlot(object: Uint8Array, sequence: number, kind: number): Uint8Array {
  const w = new ByteWriter(SLOT_HEADER + object.length, 'slot');
  w.u32(MAGIC, 'magic').u32(sequence, 'sequence').u32(object.length, 'length').u32(crc32(object), 'CRC');
  w.u32(kind, 'kind')
    .u32(0xffffffff, 'reserved')
    .u32(crc32(w.bytes.subarray(0, 24)), 'header CRC');
  w.u32(COMMIT_MARK, 'commit mark').raw(object);
  return w.bytes;
}

/**
 * The header of a committed slot.
 * @returns undefined if the slot is empty, unfinished or damaged
 */
export function decodeSlotHeader(slot: Uint8Array): SlotHeader | undefined {
  if (slot.length < SLOT_HEADER) return undefined;
  const view = new DataView(slot.buffer, slot.byteOffset, slot.byteLength);
  const u32 = (at: number): number => view.getUint32(at, true);
  if (u32(0) !== MAGIC || u32(28) !== COMMIT_MARK || u32(24) !== crc32(slot.subarray(0, 24))) return undefined;
  return { sequence: u32(4), objectLength: u32(8), objectCrc: u32(12), kind: u32(16) };
}

/**
 * The object of a committed slot, a copy.
 * @throws GoodnessError `slot.empty`, `slot.crc`
 */
export function decodeSlot(slot: Uint8Array): Uint8Array {
  const header = decodeSlotHeader(slot);
  if (header === undefined || header.objectLength > slot.length - SLOT_HEADER) {
    throw new GoodnessError('slot.empty', 'the slot holds no committed object', {
      expected: 'a header with its commit mark',
    });
  }
  const object = slot.slice(SLOT_HEADER, SLOT_HEADER + header.objectLength);
  const sum = crc32(object);
  if (sum !== header.objectCrc) {
    throw new GoodnessError('slot.crc', 'the object in the slot is damaged', {
      expected: `0x${header.objectCrc.toString(16)}`,
      got: `0x${sum.toString(16)}`,
    });
  }
  return object;
}

/** Whether sequence number `a` comes after `b` (RFC 1982). */
export function isLater(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

/** Of two slots the object that a device would load, undefined if neither holds one. The object itself isn't validated. */
export function newestObject(first: Uint8Array, second: Uint8Array): Uint8Array | undefined {
  const found = [first, second]
    .map((slot) => ({ slot, header: decodeSlotHeader(slot) }))
    .filter((s): s is { slot: Uint8Array; header: SlotHeader } => s.header !== undefined)
    .sort((a, b) => (isLater(a.header.sequence, b.header.sequence) ? -1 : 1));
  for (const { slot } of found) {
    try {
      return decodeSlot(slot);
    } catch (error) {
      if (!(error instanceof GoodnessError)) throw error;
    }
  }
  return undefined;
}
