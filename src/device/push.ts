import { MESSAGES, OBJECT_KIND } from '../format/message.js';
import { encodePatch, type Patch } from '../format/patch.js';
import type { Session } from './session.js';
import { type OnProgress, sendObject } from './transfer.js';

export interface PushReport {
  /** Base id of the device afterwards. */
  readonly baseId: number;
  readonly patchBytes: number;
  /** Bytes over the line, frames and all. */
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/**
 * Sends a patch and has the device apply it, whole or not at all. It goes into RAM: `save` makes it last.
 *
 * @throws GoodnessError `device.base`, `device.ticket` if the device changed its base or restarted since the pull
 */
export async function push(session: Session, patch: Patch, onProgress?: OnProgress): Promise<PushReport> {
  const { traffic } = session.transport;
  const before = { ...traffic };
  const bytes = encodePatch(patch);
  await sendObject(session, OBJECT_KIND.patch, bytes, onProgress);
  const { baseId } = await session.request(MESSAGES.commit, undefined);
  return {
    baseId,
    patchBytes: bytes.length,
    bytesUp: traffic.up - before.up,
    bytesDown: traffic.down - before.down,
  };
}

/** Writes the model as it stands, learned weights and state included, to the device's flash; gives the slot's sequence number. */
export async function save(session: Session): Promise<number> {
  return (await session.request(MESSAGES.save, undefined)).sequence;
}
