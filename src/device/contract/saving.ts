import { MESSAGES } from '../../format/message.js';
import { STATUS } from '../../format/status.js';
import { Reference } from '../../reference/reference.js';
import { save } from '../push.js';
import { learnAlike } from './learning.js';
import type { ContractRun } from './run.js';
import type { Tally } from './tally.js';

/** Part of the learning steps before and after each save. */
const PART = 0.1;

/** What was learned and not saved is gone after a reload; what was saved is there, after a reset too. */
export async function saving(run: ContractRun, tally: Tally): Promise<void> {
  await run.reload();
  const { savesTo } = run.target;
  const learn = async (reference: Reference): Promise<void> => {
    if (run.learns) await learnAlike(run, tally, reference, Math.ceil(PART * run.settings.steps));
  };
  const holds = async (what: string, image: Uint8Array): Promise<void> => {
    tally.bytes(what, image, await run.deviceImage());
  };
  await learn(new Reference(run.stored));
  await run.reload();
  await holds('the model after a reload without a save', run.storedImage());
  const reference = new Reference(run.stored);
  await learn(reference);
  const learned = reference.image();
  if (savesTo !== 'store') {
    tally.note(`save: not verified (${savesTo.nothing})`);
    await tally.refusesWith('SAVE', run.session.request(MESSAGES.save, undefined), [STATUS.FLASH]);
    await holds('the model after a save that failed', learned);
    await run.reload();
    await holds('the model after a reload', run.storedImage());
    return;
  }
  const first = await save(run.session);
  run.knows(learned);
  await holds('the model after the save', learned);
  await learn(reference);
  await run.reload();
  await holds('the model after a save and a reload', learned);
  // Once more with more learned, so that both slots had their turn, and the older of the two is not taken.
  const later = new Reference(run.stored);
  await learn(later);
  const second = await save(run.session);
  run.knows(later.image());
  tally.number('sequence number of the next save', (first + 1) >>> 0, second, 4);
  const { boot } = await run.session.request(MESSAGES.status, undefined);
  if (await run.reset()) {
    await holds('the model after a save and a reset', run.storedImage());
    const after = await run.session.request(MESSAGES.status, undefined);
    tally.holds('the boot number is another one after a reset, or always 0', boot !== after.boot || boot === 0, 4);
    if (boot === 0) tally.note('it draws no boot number');
  } else {
    tally.note('reset: not verified (this target can not be reset)');
    await run.reload();
    await holds('the model after the second save', run.storedImage());
  }
}
