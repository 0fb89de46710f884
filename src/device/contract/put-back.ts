import { GoodnessError } from '../../base/errors.js';
import { decodeImage } from '../../format/image.js';
import type { Model } from '../../format/model.js';
import { diffPatch } from '../../format/patch.js';
import { pull } from '../pull.js';
import { push, save } from '../push.js';
import { flashModel } from '../transfer.js';
import type { ContractRun } from './run.js';
import type { Tally } from './tally.js';

/** A weight moves by 127 at most per patch, and by 254 at most in all. */
const MOST_PATCHES = 3;

/** In the end the device holds again what it is to hold, and has it in its store. */
export async function putBack(run: ContractRun, tally: Tally): Promise<void> {
  await run.reload();
  const { target, session } = run;
  // As the device has it: what is left out of an image where it isn't needed is left out on both sides.
  const wanted = run.found ?? decodeImage(run.image);
  const before = await run.deviceImage();
  if (target.savesTo === 'store') {
    if (target.transfer === 'link') await flashModel(session, run.image, { verify: false });
    else if (run.learns) await patchBack(run, wanted);
    run.stored = wanted;
  } else tally.bytes('the model at the end', run.storedImage(), before);
  await run.reload();
  tally.bytes('the model that was put back', run.storedImage(), await run.deviceImage());
}

/** Where the link takes no images, patches undo what was learned. */
async function patchBack(run: ContractRun, wanted: Model): Promise<void> {
  for (let n = 0; n < MOST_PATCHES; n++) {
    const known = decodeImage(await run.deviceImage());
    const { ticket } = await pull(run.session, known, run.random);
    const { patch, clipped } = diffPatch(known, wanted, ticket);
    await push(run.session, patch);
    if (clipped > 0) continue;
    await save(run.session);
    return;
  }
  throw new GoodnessError('contract.restore', 'the model could not be put back by patches', {
    fix: 'Flash the board again, with its model.',
  });
}
