import { GoodnessError } from '../../base/errors.js';
import { MESSAGES, OBJECT_KIND } from '../../format/message.js';
import { encodePatch, type Patch } from '../../format/patch.js';
import type { ContractRun } from './run.js';
import type { Tally } from './tally.js';

/** Bytes of a patch's header, and of a record beside its own with its padding. */
const PATCH_HEADER = 32;
const RECORD_EXTRA = 12 + 3;

/**
 * A patch as large as can be staged. Where flash can't be written that is what fits the RAM which the device sets aside: its largest
 * records are cut short then.
 */
export async function fitting(run: ContractRun, tally: Tally, patch: Patch): Promise<Patch> {
  const whole = encodePatch(patch).length;
  if (run.saves) return patch;
  let most = whole;
  while (most > PATCH_HEADER && !(await canBeStaged(run, most))) most = (most >> 1) & ~3;
  if (most === whole) return patch;
  tally.note(`patches of more than ${most} bytes: not verified (nothing but RAM can take them here)`);
  const state = patch.records.filter((record) => record.operation === 'replace');
  const weights = patch.records.filter((record) => record.operation === 'add');
  const room = most - PATCH_HEADER - state.reduce((sum, record) => sum + RECORD_EXTRA + record.bytes.length, 0);
  const each = Math.max(0, Math.floor(room / weights.length) - RECORD_EXTRA);
  const cut = weights.map((record) => ({ ...record, bytes: record.bytes.slice(0, each) }));
  return { ...patch, records: [...cut, ...state] };
}

async function canBeStaged({ session }: ContractRun, length: number): Promise<boolean> {
  try {
    await session.request(MESSAGES.begin, { kind: OBJECT_KIND.patch, length, crc: 1 });
    await session.request(MESSAGES.abort, undefined);
    return true;
  } catch (error) {
    if (error instanceof GoodnessError && error.code === 'device.flash') return false;
    throw error;
  }
}
