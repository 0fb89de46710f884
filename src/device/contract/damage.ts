import { GoodnessError } from '../../base/errors.js';
import type { Random } from '../../base/random.js';
import { crc32 } from '../../format/crc32.js';
import { decodeImage, encodeImage, imageLayout } from '../../format/image.js';
import { MESSAGES, OBJECT_KIND } from '../../format/message.js';
import { decodePatch } from '../../format/patch.js';
import { STATUS, type StatusName } from '../../format/status.js';
import { Reference } from '../../reference/reference.js';
import { compareModel, Ledger } from '../parity.js';
import { sendObject } from '../transfer.js';
import type { ContractRun } from './run.js';
import type { Tally } from './tally.js';

/** A copy with one bit of the byte at `offset` flipped. */
export function withFlippedBit(bytes: Uint8Array, offset: number, random: Random): Uint8Array {
  const wrong = bytes.slice();
  wrong[offset] = wrong[offset]! ^ (1 << random.integer(8));
  return wrong;
}

/**
 * A damaged object is refused at COMMIT in both ways in which it may come: announced with the checksum of the good one, as when it was
 * damaged on its way, and with its own, as when it was damaged before.
 */
export async function refusedByDevice(
  run: ContractRun,
  tally: Tally,
  kind: number,
  good: Uint8Array,
  wrong: Uint8Array,
): Promise<void> {
  const { session } = run;
  const at = wrong.findIndex((byte, i) => byte !== good[i]);
  await sendObject(session, kind, wrong);
  const commit = session.request(MESSAGES.commit, undefined);
  await tally.refusesWith(`an object with a flipped bit at ${at}`, commit, [codeOf(kind, wrong)]);
  await session.request(MESSAGES.begin, { kind, length: good.length, crc: crc32(good) });
  await sendPieces(run, wrong);
  const late = session.request(MESSAGES.commit, undefined);
  const sums = [crc32(good), crc32(wrong)] as const;
  await tally.refuses(`a bit at ${at} flipped on its way`, late, STATUS.CRC, sums);
}

/** Sends bytes for a transfer that has begun with the checksum of others. */
async function sendPieces({ session }: ContractRun, bytes: Uint8Array): Promise<void> {
  const piece = Math.min(256, session.hello.maxRequest - 4) & ~7;
  for (let offset = 0; offset < bytes.length; ) {
    const end = Math.min(bytes.length, offset + piece);
    offset = (await session.request(MESSAGES.write, { offset, bytes: bytes.subarray(offset, end) })).next;
  }
}

/** The status with which the codecs of this side refuse it: the order of checks is that of SPEC.md 2.6. */
function codeOf(kind: number, wrong: Uint8Array): number {
  try {
    if (kind === OBJECT_KIND.image) decodeImage(wrong);
    else decodePatch(wrong);
  } catch (error) {
    if (error instanceof GoodnessError) return STATUS[error.code.split('.')[1]!.toUpperCase() as StatusName];
    throw error;
  }
  throw new GoodnessError('internal', 'an object with a flipped bit passed the checks of the host');
}

/** Models with one flipped bit, at places of every section, are refused; after each the old one answers, and in the end its bytes are the same. */
export async function damagedModels(run: ContractRun, tally: Tally, onProgress: (done: number, total: number) => void) {
  const { session, target, random } = run;
  await run.reload();
  if (target.transfer !== 'link' || target.savesTo !== 'store') {
    tally.note('the link takes no images here, so no damaged ones');
    await unchanged(run, tally);
    return;
  }
  const good = encodeImage({
    ...run.model,
    state: { ...run.model.state, baseId: (run.model.state.baseId ^ 0x33) >>> 0 },
  });
  const offsets = places(run, good.length);
  for (const [n, offset] of offsets.entries()) {
    await refusedByDevice(run, tally, OBJECT_KIND.image, good, withFlippedBit(good, offset, random));
    const ledger = new Ledger();
    const { input } = run.samples(1)[0]!;
    ledger.outcome(n, new Reference(run.stored).infer(input), await session.request(MESSAGES.infer, { input }));
    tally.ledger(ledger);
    onProgress(n + 1, offsets.length);
  }
  await unchanged(run, tally);
  await run.reload();
  tally.bytes('the model after a reload', run.storedImage(), await run.deviceImage());
}

async function unchanged(run: ContractRun, tally: Tally): Promise<void> {
  const ledger = new Ledger();
  await compareModel(ledger, run.stored, run.session, run.samples(1));
  tally.ledger(ledger);
}

/** Offsets to flip a bit at: the start of each section, the last byte, then random ones. */
function places({ model, settings, random }: ContractRun, length: number): number[] {
  const layout = imageLayout(model);
  const fixed = [0, length - 1, 48 + 4, layout.weightsOffsets[0]!, layout.stateOffset, 12, 8, 4];
  const chosen = fixed.slice(0, settings.flips);
  while (chosen.length < settings.flips) chosen.push(random.integer(length));
  return chosen;
}
