import { GoodnessError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { type ClassStatistics, classStatisticsLength, decodeClassStatistics } from '../format/class-statistics.js';
import { clearWeights, decodeImage, encodeImage, imageLayout, sealImage } from '../format/image.js';
import { weightsLength } from '../format/layout.js';
import { MESSAGES, REGION } from '../format/message.js';
import { type Model, padded, withLearning } from '../format/model.js';
import { emptyState, stateFixedLength } from '../format/state.js';
import { STATUS, statusError } from '../format/status.js';
import type { Session } from './session.js';
import { TELEMETRY, type TelemetryItem } from './telemetry.js';
import { type OnProgress, readRegion } from './transfer.js';

export interface PullOptions {
  /** What may travel; everything if left out. */
  readonly items?: ReadonlySet<TelemetryItem>;
  /** Also reads the weights of layers that don't learn, because `known` (from `pullShape`) has none. */
  readonly allWeights?: boolean;
  readonly onProgress?: OnProgress;
}

/** What a device told about itself, and the ticket that the answer must carry. */
export interface Pull {
  readonly ticket: number;
  readonly baseId: number;
  /** Samples that the device had learned since the base when the pull began. */
  readonly t: number;
  /** The device's model: the host's own, with what travelled in its place. */
  readonly model: Model;
  /** What travelled. */
  readonly items: ReadonlySet<TelemetryItem>;
  /** Statistics of the device's inputs, if it keeps them and they may travel. */
  readonly statistics: ClassStatistics | undefined;
  /** Bytes over the line, frames and all. */
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** Bytes of an image's header in front of its CRC, and of the CRC. */
const CRC_AT = 12;
const CRC_BYTES = 4;
const HEADER_BYTES = 48;
const META_OFFSET_AT = 24;
const META_LENGTH_AT = 28;
const STATE_OFFSET_AT = 32;
const RECORD_BYTES = 32;
const LAYOUT_AT = 5;
const LEARNS_AT = 7;

/**
 * Asks the device for what a sync needs. It may go on learning meanwhile.
 *
 * @param known the model as the host gave it last: header and everything that doesn't travel are taken from it
 * @param random draws the ticket
 * @throws GoodnessError `sync.model` if the device carries a model of another kind than `known`
 */
export async function pull(session: Session, known: Model, random: Random, options: PullOptions = {}): Promise<Pull> {
  const items = options.items ?? new Set(TELEMETRY.map((t) => t.item));
  const { traffic } = session.transport;
  const before = { ...traffic };
  const image = encodeImage(known);
  const layout = imageLayout(known);
  await checkKind(session, image, layout.metaOffset);
  const ticket = Math.max(1, random.uint32());
  const { baseId, t } = await session.request(MESSAGES.ticket, { ticket });

  const stretches: { from: number; to: number }[] = [];
  if (items.has('weights')) {
    known.layers.forEach((layer, l) => {
      const from = layout.weightsOffsets[l]!;
      if (layer.learns || options.allWeights) stretches.push({ from, to: from + weightsLength(layer) });
    });
  }
  const meansAt = layout.stateOffset + stateFixedLength(known);
  if (items.has('counts')) stretches.push({ from: layout.stateOffset, to: meansAt });
  if (items.has('means')) stretches.push({ from: meansAt, to: layout.length });
  const summaryBytes =
    items.has('statistics') && session.hello.hasStatistics
      ? classStatisticsLength(2, known.classes, known.rawInputs)
      : 0;
  const total = stretches.reduce((sum, s) => sum + s.to - s.from, summaryBytes);
  let done = 0;
  const progress = (part: number): void => options.onProgress?.(done + part, total);
  for (const { from, to } of stretches) {
    const bytes = await readRegion(session, REGION.image, from, to - from, progress);
    if (bytes.length !== to - from) throw otherKind();
    image.set(bytes, from);
    done += bytes.length;
  }
  const summary =
    summaryBytes === 0 ? undefined : await readRegion(session, REGION.statistics, 0, summaryBytes, progress);
  sealImage(image);
  const model = decodeImage(image);
  // The ticket itself tells how many samples were learned since the base, whatever else stays on the device.
  const state = items.has('counts')
    ? model.state
    : { ...model.state, baseId, t, samples: Math.min(0xffffffff, model.state.samples + t) };
  return {
    ticket,
    baseId,
    t,
    model: { ...model, state },
    items,
    statistics: summary === undefined || summary.length === 0 ? undefined : decodeClassStatistics(summary),
    bytesUp: traffic.up - before.up,
    bytesDown: traffic.down - before.down,
  };
}

/** The whole model as it stands on the device, with everything that it learned. */
export async function pullImage(session: Session, onProgress?: OnProgress): Promise<Uint8Array> {
  const hello = await session.refresh();
  if (!hello.modelLoaded) throw statusError(STATUS.NO_MODEL, 0, hello.loadStatus);
  const image = await readRegion(session, REGION.image, 0, hello.imageLength, onProgress);
  sealImage(image);
  return image;
}

/**
 * What kind of model a device carries: header, layer records and meta, with empty weights and an empty state. Nothing that was
 * learned is read.
 */
export async function pullShape(session: Session): Promise<Model> {
  const hello = await session.refresh();
  if (!hello.modelLoaded) throw statusError(STATUS.NO_MODEL, 0, hello.loadStatus);
  const header = await readRegion(session, REGION.image, 0, HEADER_BYTES);
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  if (header.length < HEADER_BYTES) throw otherKind();
  const head = view.getUint32(META_OFFSET_AT, true) + padded(view.getUint32(META_LENGTH_AT, true));
  const state = emptyState(hello.layers);
  const stateAt = view.getUint32(STATE_OFFSET_AT, true);
  if (head > hello.imageLength || stateAt + state.length > hello.imageLength) throw otherKind();
  const image = new Uint8Array(hello.imageLength);
  image.set(await readRegion(session, REGION.image, 0, head));
  image.set(state, stateAt);
  clearWeights(image);
  sealImage(image);
  return decodeImage(image);
}

/** The device's header and layer records must be those of `image`: offsets of what is read depend on them. */
async function checkKind(session: Session, image: Uint8Array, length: number): Promise<void> {
  const head = await readRegion(session, REGION.image, 0, length);
  for (let i = 0; i < length; i++) {
    if (i === CRC_AT) i += CRC_BYTES;
    if (head[i] !== image[i]) throw otherKind();
  }
}

/**
 * A model as the host knows it, with only those layers learning that learn on the device, and weights laid out as there: a board got it
 * with some layers frozen, and in the layouts that its kernels want (`place`). Whatever else differs is found by the pull.
 */
export async function asOnDevice(session: Session, known: Model): Promise<Model> {
  const records = await readRegion(session, REGION.image, HEADER_BYTES, RECORD_BYTES * known.layers.length);
  const learns = known.layers.flatMap((layer, l) =>
    layer.learns && records[RECORD_BYTES * l + LEARNS_AT] === 1 ? [l] : [],
  );
  const layers = known.layers.map((layer, l) => ({ ...layer, layout: records[RECORD_BYTES * l + LAYOUT_AT]! }));
  return withLearning({ ...known, layers }, new Set(learns));
}

function otherKind(): GoodnessError {
  return new GoodnessError('sync.model', 'the device carries a model of another kind than the host', {
    fix: 'Name the model that was flashed to this device, or flash this one first.',
  });
}
