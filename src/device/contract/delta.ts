import { encodeImage, imageLayout } from '../../format/image.js';
import { weightLimit } from '../../format/layout.js';
import { MESSAGES, OBJECT_KIND } from '../../format/message.js';
import type { Model } from '../../format/model.js';
import { diffPatch, encodePatch, type Patch, type PatchRecord } from '../../format/patch.js';
import { STATUS } from '../../format/status.js';
import { Reference } from '../../reference/reference.js';
import { pull } from '../pull.js';
import { push } from '../push.js';
import { sendObject } from '../transfer.js';
import { refusedByDevice, withFlippedBit } from './damage.js';
import { fitting } from './fitting.js';
import { learnAlike } from './learning.js';
import type { ContractRun } from './run.js';
import type { Tally } from './tally.js';

/** Part of the learning steps before the pull, and again between pull and push. */
const PART = 0.15;
const DAMAGED_PATCHES = 4;

/**
 * A sync as far as the device goes: it is pulled by a ticket, goes on learning, and takes a patch that is added to what it is then. Patches
 * for another base, of another pull, or with one flipped bit are refused and change nothing.
 */
export async function delta(run: ContractRun, tally: Tally): Promise<void> {
  const { session } = run;
  await run.reload();
  if (!run.learns) {
    tally.note('this device does not learn this model, so there is nothing to add to');
    await tally.refusesWith('a COMMIT of no patch', session.request(MESSAGES.commit, undefined), [STATUS.NO_TRANSFER]);
    return;
  }
  const reference = new Reference(run.stored);
  const steps = Math.ceil(PART * run.settings.steps);
  const learn = (): Promise<void> => learnAlike(run, tally, reference, steps);
  await learn();
  await wrongPatches(run, tally, reference);

  const pulled = await pull(session, run.stored, run.random);
  tally.bytes('what was pulled', reference.image(), encodeImage(pulled.model));
  tally.number('base id of the ticket', reference.toModel().state.baseId, pulled.baseId, 4);
  tally.number('t of the ticket', reference.toModel().state.t, pulled.t, 4);
  await learn();
  const whole = diffPatch(pulled.model, retrained(run, pulled.model), pulled.ticket).patch;
  const patch = await fitting(run, tally, whole);
  const saved = reference.image();
  const { baseId, parts } = await push(session, patch, undefined, run.random);
  reference.applyPatch(patch, pulled.ticket);
  tally.number('base id after the push', patch.nextBaseId, baseId, 4);
  tally.bytes('the model after the push', reference.image(), await run.deviceImage());
  await sendObject(session, OBJECT_KIND.patch, encodePatch(tiny(patch)));
  await tally.refusesWith('the same patch again', session.request(MESSAGES.commit, undefined), [STATUS.BASE]);
  await learn();
  await run.reload();
  if (parts > 1) {
    // The device saves first, where it can, so that a part that fails can be taken back.
    tally.note(`the patch went in ${parts} parts`);
    if (run.saves) run.knows(saved);
  }
  tally.bytes('the model after a reload', run.storedImage(), await run.deviceImage());
}

/** All that must be refused, by patches as short as can be. */
async function wrongPatches(run: ContractRun, tally: Tally, reference: Reference): Promise<void> {
  const { session, random } = run;
  const model = reference.toModel();
  const ticket = 1 + random.integer(0xfffffffe);
  const answer = await session.request(MESSAGES.ticket, { ticket });
  tally.number('base id of the ticket', model.state.baseId, answer.baseId, 4);
  tally.number('t of the ticket', model.state.t, answer.t, 4);
  const thresholds = model.state.thresholds.map((threshold) => (threshold >>> 1) + 77);
  const next: Model = { ...model, state: { ...model.state, thresholds, baseId: (model.state.baseId ^ 0x55) >>> 0 } };
  const good = diffPatch(model, next, ticket).patch;
  const commit = (): Promise<unknown> => session.request(MESSAGES.commit, undefined);
  const elsewhere = (model.state.baseId ^ 1) >>> 0;
  await sendObject(session, OBJECT_KIND.patch, encodePatch({ ...good, baseId: elsewhere }));
  await tally.refuses('a patch for another base', commit(), STATUS.BASE, [model.state.baseId, elsewhere]);
  const late = (ticket ^ 2) >>> 0;
  await session.request(MESSAGES.ticket, { ticket });
  await sendObject(session, OBJECT_KIND.patch, encodePatch({ ...good, ticket: late }));
  await tally.refuses('a patch of another pull', commit(), STATUS.TICKET, [ticket, late]);
  // Fields of the state that are out of their range, and bytes that no patch may touch.
  const layout = imageLayout(model);
  const forbidden: readonly [string, PatchRecord][] = [
    ['tau of 0', { offset: layout.stateOffset + 36, operation: 'replace', bytes: new Uint8Array(2) }],
    ['the header', { offset: 16, operation: 'replace', bytes: new Uint8Array(4) }],
    ['bytes beyond the image', { offset: layout.length, operation: 'replace', bytes: new Uint8Array(4) }],
    [
      'weights of no layer',
      { operation: 'add', layer: model.layers.length, first: 0, bytes: new Uint8Array(4).fill(1) },
    ],
    [
      'weights behind the last one',
      { operation: 'add', layer: 0, first: model.layers[0]!.weights.length - 1, bytes: new Uint8Array(2).fill(1) },
    ],
  ];
  for (const [what, record] of forbidden) {
    await session.request(MESSAGES.ticket, { ticket });
    await sendObject(session, OBJECT_KIND.patch, encodePatch({ ...good, records: [record] }));
    await tally.refusesWith(`a patch with ${what}`, commit(), [STATUS.FIELD]);
  }
  const bytes = encodePatch(good);
  for (let n = 0; n < DAMAGED_PATCHES; n++) {
    const wrong = withFlippedBit(bytes, Math.floor((n * bytes.length) / DAMAGED_PATCHES), random);
    await session.request(MESSAGES.ticket, { ticket });
    await refusedByDevice(run, tally, OBJECT_KIND.patch, bytes, wrong);
  }
  tally.bytes('the model after patches that were refused', reference.image(), await run.deviceImage());
}

/** What a host might make of a model: most weights differ, and so do thresholds and the base. */
function retrained({ random }: ContractRun, model: Model): Model {
  const layers = model.layers.map((layer) => ({
    ...layer,
    weights: layer.learns
      ? layer.weights.map((w) => held(w + random.integer(61) - 30, weightLimit(layer.weightBits)))
      : layer.weights,
  }));
  const thresholds = model.state.thresholds.map((threshold) => Math.max(1, threshold - (threshold >>> 3) + 9));
  return { ...model, layers, state: { ...model.state, thresholds, t: 0, baseId: random.uint32() } };
}

function held(weight: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, weight));
}

/** The same patch without its records. */
function tiny(patch: Patch): Patch {
  return { ...patch, records: [] };
}
