import { GoodnessError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { padded } from './model.js';
import { PATCH_HEADER, PATCH_RECORD_HEADER, type Patch, type PatchRecord, patchLength, recordStart } from './patch.js';

/** Bytes of the smallest patch that says something: one record of up to 4 bytes. */
const LEAST = PATCH_HEADER + PATCH_RECORD_HEADER + 4;

/**
 * A patch as several, none of more than `mostBytes` bytes, which one after the other do what the whole one does: for a device that
 * has not the room to stage it (SPEC.md 9.4). Each is for the base that the one before leaves. The first keeps the patch's ticket,
 * the others carry fresh ones, which the device must be given first. Records of the state come last, together where they fit one
 * part, so that the state is valid in between.
 *
 * @param random draws base ids and tickets
 * @returns the patch itself if it is small enough
 * @throws GoodnessError `patch.parts` if not even a record of 4 bytes fits
 */
export function splitPatch(patch: Patch, mostBytes: number, random: Random): Patch[] {
  if (patchLength(patch) <= mostBytes) return [patch];
  if (mostBytes < LEAST) {
    throw new GoodnessError('patch.parts', 'the device has no room for even the smallest part of a patch', {
      expected: `${LEAST} bytes`,
      got: `${mostBytes}`,
      fix: 'Build its firmware with a larger `stage` for patches, or with larger slots.',
    });
  }
  const groups = pack(patch.records, (mostBytes & ~3) - PATCH_HEADER);
  const used = new Set([patch.baseId, patch.nextBaseId]);
  const fresh = (): number => {
    let id = random.uint32();
    while (used.has(id)) id = random.uint32();
    used.add(id);
    return id;
  };
  let { baseId, ticket } = patch;
  return groups.map((records, k) => {
    const part = { baseId, nextBaseId: k === groups.length - 1 ? patch.nextBaseId : fresh(), ticket, records };
    baseId = part.nextBaseId;
    ticket = Math.max(1, random.uint32());
    return part;
  });
}

/** Fills parts of `room` bytes with records, in order, and cuts those that don't fit. */
function pack(records: readonly PatchRecord[], room: number): PatchRecord[][] {
  const parts: PatchRecord[][] = [[]];
  let left = room;
  const next = (): void => {
    if (parts.at(-1)!.length > 0) parts.push([]);
    left = room;
  };
  const stateBytes = records.reduce((sum, r) => sum + (r.operation === 'replace' ? size(r.bytes.length) : 0), 0);
  let inState = false;
  for (const record of records) {
    if (record.operation === 'replace' && !inState) {
      inState = true;
      if (stateBytes > left && stateBytes <= room) next();
    }
    let from = 0;
    do {
      if (left < LEAST - PATCH_HEADER) next();
      const start = recordStart(record) + from;
      // What is cut is cut at a multiple of 4: no number of the state lies across one.
      const most = ((start + left - PATCH_RECORD_HEADER) & ~3) - start;
      const count = record.bytes.length - from <= left - PATCH_RECORD_HEADER ? record.bytes.length - from : most;
      const bytes = record.bytes.subarray(from, from + count);
      parts
        .at(-1)!
        .push(record.operation === 'add' ? { ...record, first: start, bytes } : { ...record, offset: start, bytes });
      left -= size(count);
      from += count;
    } while (from < record.bytes.length);
  }
  return parts;
}

function size(bytes: number): number {
  return PATCH_RECORD_HEADER + padded(bytes);
}
