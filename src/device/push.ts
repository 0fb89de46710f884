import { GoodnessError } from '../base/errors.js';
import { Random } from '../base/random.js';
import { MESSAGES, OBJECT_KIND } from '../format/message.js';
import { encodePatch, type Patch } from '../format/patch.js';
import { splitPatch } from '../format/patch-parts.js';
import { STATUSES } from '../format/status.js';
import type { Session } from './session.js';
import { type OnProgress, sendObject } from './transfer.js';

export interface PushReport {
  /** Base id of the device afterwards. */
  readonly baseId: number;
  /** Bytes of the patch, or of all its parts. */
  readonly patchBytes: number;
  /** Patches that it took: 1, or more where the device has not the room for the whole. */
  readonly parts: number;
  /** Bytes over the line, frames and all. */
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/**
 * Sends a patch and has the device apply it. It goes into RAM: `save` makes it last.
 *
 * It is applied whole or not at all. Where the device has not the room to stage all of it, it goes in parts (SPEC.md 9.4): first the
 * device saves what it has, and if a later part fails it reloads that.
 *
 * @param random draws base ids and tickets of parts; seeded from the patch if left out
 * @throws GoodnessError `device.base`, `device.ticket` if the device changed its base or restarted since the pull; `push.parts` if a
 * part failed after others had been applied: it says what the device holds then; `patch.parts` if it has no room for any part
 */
export async function push(
  session: Session,
  patch: Patch,
  onProgress?: OnProgress,
  random: Random = new Random(patch.ticket ^ patch.nextBaseId),
): Promise<PushReport> {
  const { traffic } = session.transport;
  const before = { ...traffic };
  const parts = splitPatch(patch, session.hello.largestPatch, random).map((part) => ({
    ticket: part.ticket,
    bytes: encodePatch(part),
  }));
  const patchBytes = parts.reduce((sum, part) => sum + part.bytes.length, 0);
  const saved = parts.length === 1 || (await trySave(session));
  let sent = 0;
  let baseId = patch.baseId;
  for (const [k, { ticket, bytes }] of parts.entries()) {
    try {
      if (k > 0) await session.request(MESSAGES.ticket, { ticket });
      await sendObject(session, OBJECT_KIND.patch, bytes, (done) => onProgress?.(sent + done, patchBytes));
      ({ baseId } = await session.request(MESSAGES.commit, undefined));
    } catch (error) {
      // A refusal says that this part changed nothing; after silence nobody knows.
      if (parts.length === 1 || (k === 0 && isRefusal(error))) throw error;
      throw await takeBack(session, `part ${k + 1} of ${parts.length}`, saved, error);
    }
    sent += bytes.length;
  }
  return {
    baseId,
    patchBytes,
    parts: parts.length,
    bytesUp: traffic.up - before.up,
    bytesDown: traffic.down - before.down,
  };
}

/** Writes the model as it stands, learned weights and state included, to the device's store; gives the slot's sequence number. */
export async function save(session: Session): Promise<number> {
  return (await session.request(MESSAGES.save, undefined)).sequence;
}

/** False if the device can't save. */
async function trySave(session: Session): Promise<boolean> {
  try {
    await save(session);
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

/** Has the device forget the parts that it applied; gives the error that says how that ended. */
async function takeBack(session: Session, part: string, saved: boolean, cause: unknown): Promise<GoodnessError> {
  const why = cause instanceof Error ? cause.message : String(cause);
  const failed = (state: string, fix: string): GoodnessError =>
    new GoodnessError('push.parts', `${part} of the patch failed (${why}); ${state}`, { fix, cause });
  try {
    await session.request(MESSAGES.reload, undefined);
    await session.refresh();
  } catch (error) {
    if (isRefusal(error)) return failed('the device had nothing saved and holds no model now', 'Flash one.');
    const then = saved ? 'it was before' : 'it was last saved';
    return failed('the device does not answer', `Restart it: then it is as ${then}. Sync again.`);
  }
  const lost = '; what it learned since then is gone';
  return failed(`the device is as ${saved ? 'it was before' : `it was last saved${lost}`}`, 'Sync again.');
}

/** Whether an error is the device's own answer, and not a fault of the line. */
function isRefusal(error: unknown): boolean {
  return error instanceof GoodnessError && STATUSES.some((s) => error.code === `device.${s.name.toLowerCase()}`);
}
