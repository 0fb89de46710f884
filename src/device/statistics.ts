import { GoodnessError } from '../base/errors.js';
import { MESSAGES, REGION } from '../format/message.js';
import type { Session } from './session.js';
import { readRegion } from './transfer.js';

/**
 * Has the device keep statistics of its inputs per class, unless it does so already: those it has stay. Takes what its RAM allows, means and
 * squares or means alone.
 * @returns whether it keeps any now
 */
export async function keepStatistics(session: Session): Promise<boolean> {
  if (!session.hello.hasStatistics) return false;
  if ((await readRegion(session, REGION.statistics, 0, 4)).length > 0) return true;
  for (const level of [2, 1] as const) {
    try {
      await session.request(MESSAGES.statistics, { level });
      return true;
    } catch (error) {
      if (!(error instanceof GoodnessError) || error.code !== 'device.arena') throw error;
    }
  }
  return false;
}
