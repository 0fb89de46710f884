import { MESSAGES, REGION } from '../../format/message.js';
import { STATUS } from '../../format/status.js';
import { Reference } from '../../reference/reference.js';
import { readRegion } from '../transfer.js';
import { learnAlike } from './learning.js';
import type { ContractRun } from './run.js';
import type { Tally } from './tally.js';

/** Part of the learning steps that each level gets. */
const PART = 0.25;

/** Statistics of the inputs per class: the same bytes as those of the reference, at both levels; none once they are switched off. */
export async function statisticsOfClasses(run: ContractRun, tally: Tally): Promise<void> {
  const { session } = run;
  if (!run.learns || !session.hello.hasStatistics) {
    tally.note('this device keeps no statistics of this model');
    await run.reload();
    tally.bytes('the region of statistics', new Uint8Array(0), await readRegion(session, REGION.statistics, 0, 4));
    tally.number('bytes of no statistics', 0, await bytesAt(run, 0), 4);
    return;
  }
  for (const level of [1, 2] as const) {
    await run.reload();
    const reference = new Reference(run.stored);
    const expected = reference.statistics(level);
    const { arenaBytes, arenaUsed } = session.hello;
    if (expected > arenaBytes - arenaUsed) {
      tally.note(`level ${level} does not fit the RAM beside this model`);
      const request = session.request(MESSAGES.statistics, { level });
      await tally.refuses(`level ${level}`, request, STATUS.ARENA, [arenaUsed + expected, arenaBytes]);
      continue;
    }
    tally.number(`bytes of level ${level}`, expected, await bytesAt(run, level), 4);
    await learnAlike(run, tally, reference, Math.ceil(PART * run.settings.steps));
    // What is asked for beyond the end is cut, so that too long a region shows as well.
    const got = await readRegion(session, REGION.statistics, 0, expected + 4);
    tally.bytes(`statistics of level ${level}`, reference.statisticsBytes(), got);
    tally.number('bytes once they are off', 0, await bytesAt(run, 0), 4);
    tally.bytes('statistics once they are off', new Uint8Array(0), await readRegion(session, REGION.statistics, 0, 4));
  }
  await run.reload();
}

async function bytesAt({ session }: ContractRun, level: number): Promise<number> {
  return (await session.request(MESSAGES.statistics, { level })).bytes;
}
