import { encodeFrame, FrameDecoder } from '../../format/frame.js';
import { decodeImage } from '../../format/image.js';
import { MESSAGES, NO_LABEL, OBJECT_KIND, REGION, RESET_MODE } from '../../format/message.js';
import type { Model } from '../../format/model.js';
import { STATUS } from '../../format/status.js';
import { Reference } from '../../reference/reference.js';
import { Ledger } from '../parity.js';
import { rawRequest } from './raw.js';
import { type ContractRun, canLearn } from './run.js';
import type { Tally } from './tally.js';

/** A WRITE or TRACE is longer than its fixed part. */
const WRITE_HEAD = 4;
const TRACE_HEAD = 5;
const LEARN_HEAD = 5;
const INFER_HEAD = 1;
/** Frames of each kind of damage. */
const ROUNDS = 4;
const GARBAGE_BYTES = 300;

/**
 * What is no frame is dropped, counted and not answered; what is a frame but no good request is refused with the right numbers; and
 * after all of it the device answers as before and holds the same model. Nothing is changed.
 */
export async function badFrames(run: ContractRun, tally: Tally, onProgress: (done: number, total: number) => void) {
  const { session } = run;
  const hello = await session.refresh();
  const before = await session.request(MESSAGES.status, undefined);
  const image = hello.modelLoaded ? await run.deviceImage() : undefined;
  const pieces = damaged(run, hello.maxRequest);
  // The decoder of SPEC.md on this side says how many drops each piece makes.
  const twin = new FrameDecoder(hello.maxRequest);
  const model = image === undefined ? undefined : decodeImage(image);
  const reference = model === undefined ? undefined : new Reference(model);
  for (const [n, piece] of pieces.entries()) {
    await session.transport.write(piece);
    twin.push(piece, () => {});
    // The device must be there still, and in step.
    if (reference === undefined) await session.request(MESSAGES.status, undefined);
    else {
      const { input } = run.samples(1)[0]!;
      const ledger = new Ledger();
      ledger.outcome(n, reference.infer(input), await session.request(MESSAGES.infer, { input }));
      tally.ledger(ledger);
    }
    onProgress(n + 1, pieces.length);
  }
  const between = await session.request(MESSAGES.status, undefined);
  tally.number('frames dropped', twin.dropped, between.framesDropped - before.framesDropped, 4);
  await refusals(run, tally);
  if (model !== undefined) await refusalsOfModel(run, tally, model);
  else await refusalsWithoutModel(run, tally);
  const after = await session.request(MESSAGES.status, undefined);
  tally.number('frames dropped after refusals', between.framesDropped, after.framesDropped, 4);
  for (const field of ['baseId', 't', 'samples', 'updates', 'errors', 'falseRejects', 'falseAccepts'] as const) {
    tally.number(`${field} afterwards`, before[field], after[field], 4);
  }
  if (image !== undefined) tally.bytes('the model afterwards', image, await run.deviceImage());
}

/** Bytes that are no frames, each piece with its closing zero. */
function damaged(run: ContractRun, maxRequest: number): Uint8Array[] {
  const { random } = run;
  const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => random.integer(256));
  const pieces: Uint8Array[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // Noise; frames with one flipped bit, that of a WRITE among them; frames cut off at either end; one that is too long.
    pieces.push(Uint8Array.of(...bytes(GARBAGE_BYTES), 0));
    for (const type of [MESSAGES.status.type, MESSAGES.write.type, MESSAGES.read.type]) {
      const frame = encodeFrame(type, random.integer(256), bytes(16));
      pieces.push(flipped(frame, random.integer(frame.length - 1), random.integer(8)));
    }
    const whole = encodeFrame(MESSAGES.save.type, round, bytes(40));
    const cut = 1 + random.integer(whole.length - 2);
    pieces.push(Uint8Array.of(...whole.subarray(0, cut), 0), whole.slice(cut));
    pieces.push(encodeFrame(MESSAGES.write.type, round, bytes(maxRequest + 1 + round)));
    // Whole COBS, but shorter than any frame; empty frames don't count.
    pieces.push(Uint8Array.of(1 + round, ...new Uint8Array(round).fill(7), 0), new Uint8Array(1 + round));
  }
  return pieces;
}

function flipped(frame: Uint8Array, at: number, bit: number): Uint8Array {
  const wrong = frame.slice();
  wrong[at] = wrong[at]! ^ (1 << bit);
  return wrong;
}

/** Requests that are whole frames, but not allowed. */
async function refusals(run: ContractRun, tally: Tally): Promise<void> {
  const { session, hello } = run;
  for (const type of [0x00, 0x05, 0x0f, 0x14, 0x26, 0x33, 0x7f, 0x80 | MESSAGES.hello.type, 0xff]) {
    const request = session.request(rawRequest(type, new Uint8Array(3)), undefined);
    await tally.refuses(`request 0x${type.toString(16)}`, request, STATUS.COMMAND, [0, type]);
  }
  const lengths = [
    ...[MESSAGES.status, MESSAGES.reload, MESSAGES.commit, MESSAGES.abort, MESSAGES.save].map((m) => [m, 0] as const),
    ...[MESSAGES.stream, MESSAGES.seed, MESSAGES.ticket].map((m) => [m, 4] as const),
    ...[MESSAGES.reset, MESSAGES.statistics].map((m) => [m, 1] as const),
    [MESSAGES.begin, 12] as const,
    [MESSAGES.read, 7] as const,
  ];
  for (const [{ type, name }, right] of lengths) {
    for (const length of [right - 1, right + 1, 0, 61].filter(
      (l, i, all) => l >= 0 && l !== right && all.indexOf(l) === i,
    )) {
      const request = session.request(rawRequest(type, new Uint8Array(length).fill(1)), undefined);
      await tally.refuses(`${name} of ${length} bytes`, request, STATUS.LENGTH, [right, length]);
    }
  }
  const short = session.request(rawRequest(MESSAGES.write.type, new Uint8Array(WRITE_HEAD - 1)), undefined);
  await tally.refuses('a WRITE without its offset', short, STATUS.LENGTH, [WRITE_HEAD, WRITE_HEAD - 1]);
  const begin = (kind: number, length: number): Promise<unknown> =>
    session.request(MESSAGES.begin, { kind, length, crc: 1 });
  for (const kind of [0, OBJECT_KIND.record, 5000]) {
    await tally.refuses(`an object of kind ${kind}`, begin(kind, 64), STATUS.ARGUMENT, [0, kind]);
  }
  // Numbers that a machine of 16 bits may take for smaller ones; what it says that it got may be its largest number.
  for (const kind of [0x10000 + OBJECT_KIND.image, 0x10000 + OBJECT_KIND.patch, 0xffffffff]) {
    await tally.refusesWith(`an object of kind ${kind}`, begin(kind, 64), [STATUS.ARGUMENT]);
  }
  for (const length of [0x10000, 0x10040, 0xfffffffc].filter((bytes) => bytes > hello.largestPatch)) {
    await tally.refusesWith(`a patch of ${length} bytes`, begin(OBJECT_KIND.patch, length), [STATUS.SLOT]);
  }
  if (hello.canRestart) {
    await tally.refuses('RESET mode 2', session.request(MESSAGES.reset, { mode: 2 }), STATUS.ARGUMENT, [1, 2]);
  } else {
    const request = session.request(MESSAGES.reset, { mode: RESET_MODE.restart });
    await tally.refuses('RESET', request, STATUS.COMMAND, [0, MESSAGES.reset.type]);
  }
}

async function refusalsWithoutModel({ session }: ContractRun, tally: Tally): Promise<void> {
  const request = session.request(MESSAGES.infer, { input: new Uint8Array(4) });
  await tally.refuses('INFER without a model', request, STATUS.NO_MODEL, [0, 0]);
  await tally.refuses('SAVE without a model', session.request(MESSAGES.save, undefined), STATUS.NO_MODEL, [0, 0]);
  await tally.refuses(
    'TICKET without a model',
    session.request(MESSAGES.ticket, { ticket: 1 }),
    STATUS.NO_MODEL,
    [0, 0],
  );
}

/** Those that are checked against the loaded model. */
async function refusalsOfModel(run: ContractRun, tally: Tally, model: Model): Promise<void> {
  const { session, hello } = run;
  const { rawInputs, classes } = hello;
  const input = new Uint8Array(rawInputs);
  for (const [{ type, name }, head] of [
    [MESSAGES.infer, INFER_HEAD],
    [MESSAGES.trace, TRACE_HEAD],
    [MESSAGES.learn, LEARN_HEAD],
  ] as const) {
    const right = head + rawInputs;
    for (const length of [0, right - 1, right + 1]) {
      if (length > hello.maxRequest) continue;
      const request = session.request(rawRequest(type, new Uint8Array(length)), undefined);
      await tally.refuses(`${name} of ${length} bytes`, request, STATUS.LENGTH, [right, length]);
    }
  }
  await session.request(MESSAGES.stream, { index: 7 });
  for (const label of [classes, NO_LABEL]) {
    if (label < NO_LABEL) {
      const request = session.request(MESSAGES.infer, { label, input });
      await tally.refuses(`INFER with label ${label}`, request, STATUS.LABEL, [classes, label]);
    }
    const request = session.request(MESSAGES.learn, { index: 7, label, input });
    await tally.refuses(`LEARN with label ${label}`, request, STATUS.LABEL, [classes, label]);
  }
  // A sample out of its order is not learned, and the answer says which is expected.
  const { next, outcome } = await session.request(MESSAGES.learn, { index: 9, label: 0, input });
  tally.number('the index expected after one out of order', 7, next, 4);
  tally.number('the score of a sample that was not learned', 0, outcome.score, 4);
  const layers = model.layers.length;
  const trace = (layer: number, from: number, count: number): Promise<unknown> =>
    session.request(MESSAGES.trace, { layer, from, count, input });
  await tally.refuses('a layer that is not there', trace(layers, 0, 1), STATUS.RANGE, [layers, layers]);
  const { outputs } = model.layers[0]!;
  await tally.refuses('a neuron that is not there', trace(0, outputs, 1), STATUS.RANGE, [outputs, outputs + 1]);
  const wide = session.request(MESSAGES.trace, { layer: 0, from: 0xffff, count: 0xffff, input });
  await tally.refuses('neurons far beyond the end', wide, STATUS.RANGE, [outputs, 0x1fffe]);
  const read = (region: number, offset: number, count: number): Promise<Uint8Array> =>
    session.request(MESSAGES.read, { region, offset, count });
  const end = hello.imageLength;
  await tally.refuses('region 2', read(2, 0, 4), STATUS.RANGE, [1, 2]);
  await tally.refuses('an offset beyond the end', read(REGION.image, end + 1, 4), STATUS.RANGE, [end, end + 1]);
  // An offset that a machine of 16 bits may take for one within the region.
  for (const far of [0x10000, 0xffffffff].filter((offset) => offset > end)) {
    await tally.refusesWith(`offset ${far}`, read(REGION.image, far, 4), [STATUS.RANGE]);
  }
  const most = hello.maxResponse - 1;
  await tally.refuses('a count beyond a frame', read(REGION.image, 0, most + 1), STATUS.RANGE, [most, most + 1]);
  tally.number('bytes at the very end', 0, (await read(REGION.image, end, 4)).length, 4);
  tally.number('bytes of a READ that is cut', 3, (await read(REGION.image, end - 3, 10)).length, 4);
  const [code, numbers] = canLearn(run, model)
    ? ([STATUS.ARGUMENT, [1, 0]] as const)
    : ([STATUS.NO_LEARN, [0, 0]] as const);
  await tally.refuses('seed 0', session.request(MESSAGES.seed, { seed: 0 }), code, numbers);
  await tally.refuses('ticket 0', session.request(MESSAGES.ticket, { ticket: 0 }), STATUS.ARGUMENT, [1, 0]);
  const statistics = session.request(MESSAGES.statistics, { level: 3 });
  await tally.refuses('statistics of level 3', statistics, STATUS.ARGUMENT, [2, 3]);
}
