import { crc32 } from '../../format/crc32.js';
import { decodeImage, imageLayout } from '../../format/image.js';
import { weightsLength } from '../../format/layout.js';
import { MESSAGES, OBJECT_KIND, REGION } from '../../format/message.js';
import { STATUS } from '../../format/status.js';
import { flashModel, readRegion } from '../transfer.js';
import type { ContractRun } from './run.js';
import type { Tally } from './tally.js';

/** Bytes of the first pieces, sent by hand. */
const PIECE = 32;
const CRC_AT = 12;
const CRC_END = 16;

/** The model gets there, and nothing else does: a transfer that is broken off, goes on, or has a piece out of its place. */
export async function modelTransfer(run: ContractRun, tally: Tally, onProgress: (done: number, total: number) => void) {
  const { session, image, target } = run;
  const hello = await session.refresh();
  const comesWithFirmware = target.transfer === 'with firmware';
  tally.holds(
    `the device says that its image comes ${comesWithFirmware ? 'with the firmware' : 'over the link'}`,
    hello.imageWithFirmware === comesWithFirmware,
    1,
  );
  const begin = { kind: OBJECT_KIND.image, length: image.length, crc: crc32(image) };
  if (comesWithFirmware) {
    const request = session.request(MESSAGES.begin, begin);
    await tally.refuses('an image', request, STATUS.ARGUMENT, [0, OBJECT_KIND.image]);
    await compareWithFirmware(run, tally);
    return;
  }
  if (target.savesTo !== 'store') {
    tally.note(`transfer of images: not verified (${target.savesTo.nothing})`);
    // Which address the flash refused first is the port's business.
    await tally.refusesWith('an image', session.request(MESSAGES.begin, begin), [STATUS.FLASH]);
    tally.bytes('the model', image, await readRegion(session, REGION.image, 0, image.length));
    return;
  }
  await pieces(run, tally, begin);
  const report = await flashModel(session, image, {
    onProgress: (phase, done, total) => onProgress(phase === 'send' ? done : total + done, 2 * total),
  });
  tally.number('base id', run.model.state.baseId, report.baseId, 4);
  tally.bytes('the model', image, await readRegion(session, REGION.image, 0, image.length));
  run.knows(image);
}

/** The state machine of a transfer, with the first pieces of the model. */
async function pieces(run: ContractRun, tally: Tally, begin: { kind: number; length: number; crc: number }) {
  const { session, image } = run;
  await session.request(MESSAGES.abort, undefined);
  const write = (offset: number, count = PIECE): Promise<{ next: number }> =>
    session.request(MESSAGES.write, { offset, bytes: image.subarray(offset, offset + count) });
  const commit = (): Promise<unknown> => session.request(MESSAGES.commit, undefined);
  await tally.refusesWith('a COMMIT of nothing', commit(), [STATUS.NO_TRANSFER]);
  await tally.refusesWith('a WRITE to nothing', write(0), [STATUS.NO_TRANSFER]);
  const start = async (what: string, expected: number): Promise<void> => {
    tally.number(what, expected, (await session.request(MESSAGES.begin, begin)).offset, 4);
  };
  await start('offset at the beginning', 0);
  tally.number('offset behind the first piece', PIECE, (await write(0)).next, 4);
  tally.number('offset after a piece that came twice', PIECE, (await write(0)).next, 4);
  tally.number('offset after a piece that came too early', PIECE, (await write(2 * PIECE)).next, 4);
  tally.number('offset behind the second piece', 2 * PIECE, (await write(PIECE)).next, 4);
  await start('offset at which a broken transfer goes on', 2 * PIECE);
  await tally.refuses('a COMMIT too early', commit(), STATUS.NO_TRANSFER, [image.length, 2 * PIECE]);
  // The same object by another name is another object.
  const other = { ...begin, crc: (begin.crc ^ 1) >>> 0 };
  tally.number('offset of another object', 0, (await session.request(MESSAGES.begin, other)).offset, 4);
  await session.request(MESSAGES.abort, undefined);
  await tally.refusesWith('a WRITE after ABORT', write(0), [STATUS.NO_TRANSFER]);
  const { slotBytes, largestPatch } = session.hello;
  for (const [kind, most] of [
    [OBJECT_KIND.image, slotBytes],
    [OBJECT_KIND.patch, largestPatch],
  ] as const) {
    const length = (most & ~3) + 4;
    const request = session.request(MESSAGES.begin, { kind, length, crc: 1 });
    await tally.refuses(`an object of ${length} bytes`, request, STATUS.SLOT, [most, length]);
    for (const odd of [0, 6]) {
      const wrong = session.request(MESSAGES.begin, { kind, length: odd, crc: 1 });
      await tally.refuses(`an object of ${odd} bytes`, wrong, STATUS.ARGUMENT, [4, odd]);
    }
  }
}

/**
 * A board whose image comes with the firmware holds the given model; or that model with what it has learned and saved since, which then
 * is what the other checks start from.
 */
async function compareWithFirmware(run: ContractRun, tally: Tally): Promise<void> {
  const { model, image } = run;
  await run.reload();
  const got = await run.deviceImage();
  const layout = imageLayout(model);
  const learned = (at: number): boolean =>
    at >= layout.stateOffset ||
    (at >= CRC_AT && at < CRC_END) ||
    model.layers.some((layer, l) => {
      const from = layout.weightsOffsets[l]!;
      return layer.learns && at >= from && at < from + weightsLength(layer);
    });
  const differs = image.some((byte, i) => byte !== got[i]);
  const masked = image.map((byte, i) => (learned(i) ? (got[i] ?? byte) : byte));
  tally.bytes('the model', masked, got);
  if (!differs || tally.differences > 0) return;
  run.found = decodeImage(got);
  run.stored = run.found;
  tally.note('the board had learned and saved: the checks start from that');
}
