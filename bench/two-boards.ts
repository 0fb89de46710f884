import {
  boardOf,
  type Dataset,
  decodeImage,
  encodeImage,
  MESSAGES,
  type Model,
  openTransport,
  pullImage,
  Reference,
  Session,
  startBoard,
} from 'goodness';
import { library } from './library.js';

type Chains = typeof import('../dist/device/chain/chain.js');
type ChainStreams = typeof import('../dist/device/chain/stream.js');
type Stages = typeof import('../dist/format/stages.js');
type StagePlanner = typeof import('../dist/device/boards/stage-planner.js');
type Firmware = typeof import('../dist/device/boards/firmware.js');
type Datasets = typeof import('../dist/data/dataset.js');
type BoardId = Parameters<typeof boardOf>[0];

const { Chain } = await library<Chains>('device/chain/chain');
const { learnChain } = await library<ChainStreams>('device/chain/stream');
const { joinModels } = await library<Stages>('format/stages');
const { planStages } = await library<StagePlanner>('device/boards/stage-planner');
const { buildFirmware } = await library<Firmware>('device/boards/firmware');
const { sample } = await library<Datasets>('data/dataset');

/** Time for an emulated board to answer for the first time, in ms. */
const OPEN_MS = 20_000;
/** An outcome on the wire. */
const OUTCOME_BYTES = 12;
/** The image's own checksum is that of the store. */
const CRC = { from: 12, to: 16 };

export interface TwoBoards {
  readonly boards: readonly string[];
  /** What learned the same samples by itself. */
  readonly single: string;
  readonly model: string;
  readonly cuts: readonly number[];
  readonly frames: number;
  readonly bytesCompared: number;
  readonly bytesDifferent: number;
  /** Against the TypeScript reference. */
  readonly referenceDifferent: number;
  /** Requests that had to be sent again. */
  readonly retries: number;
  /** Layer updates while learning: it is no test of boards that learn nothing. */
  readonly updates: number;
  readonly seconds: number;
}

type Fields = { readonly class: number; readonly flags: number; readonly score: number; readonly labelScore: number };

/** What a run is compared by: 12 bytes per frame, and the image. */
function bytesOf(outcomes: readonly Fields[], image: Uint8Array): Buffer {
  const bytes = Buffer.alloc(OUTCOME_BYTES * outcomes.length);
  for (const [i, { class: cls, flags, score, labelScore }] of outcomes.entries()) {
    bytes.writeUInt8(cls, OUTCOME_BYTES * i);
    bytes.writeUInt8(flags, OUTCOME_BYTES * i + 1);
    bytes.writeUInt32LE(score, OUTCOME_BYTES * i + 4);
    bytes.writeUInt32LE(labelScore, OUTCOME_BYTES * i + 8);
  }
  return Buffer.concat([bytes, image.subarray(0, CRC.from), image.subarray(CRC.to)]);
}

/** The image with every layer column by column: stages have the layouts that their boards want. */
function canonical(model: Model): Uint8Array {
  return encodeImage({ ...model, layers: model.layers.map((layer) => ({ ...layer, layout: 0 })) });
}

function different(a: Buffer, b: Buffer): number {
  let count = Math.abs(a.length - b.length);
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) count++;
  return count;
}

async function openBoard(id: BoardId, image: Uint8Array): Promise<{ session: Session; stop(): Promise<void> }> {
  const board = boardOf(id);
  await buildFirmware(board, { path: process.env.PATH ?? '' });
  const running = await startBoard(board, { model: image });
  try {
    const session = await Session.open(await openTransport(running.address), { openMs: OPEN_MS });
    return {
      session,
      stop: async () => {
        await session.close();
        await running.close();
      },
    };
  } catch (error) {
    await running.close();
    throw error;
  }
}

/** What one board with the whole network says of each frame, and what it is then. */
async function alone(id: BoardId, model: Model, data: Dataset): Promise<Buffer> {
  const { session, stop } = await openBoard(id, encodeImage(model));
  try {
    await session.request(MESSAGES.stream, { index: 0 });
    const outcomes: Fields[] = [];
    for (let i = 0; i < data.count; i++) {
      const query = { index: i, label: data.labels[i]!, input: sample(data, i) };
      outcomes.push((await session.request(MESSAGES.learn, query)).outcome);
    }
    return bytesOf(outcomes, await pullImage(session));
  } finally {
    await stop();
  }
}

/** Learns the same frames on several boards with a stage each, on one board, and in the reference, and compares every byte. */
export async function compareBoards(
  name: string,
  ids: readonly BoardId[],
  single: BoardId,
  model: Model,
  data: Dataset,
): Promise<TwoBoards> {
  const start = performance.now();
  const { cuts, stages } = await planStages(model, ids.map(boardOf), {
    learn: model.layers.flatMap((layer, l) => (layer.learns ? [l] : [])),
  });
  const boards: Awaited<ReturnType<typeof openBoard>>[] = [];
  try {
    for (const [s, id] of ids.entries()) boards.push(await openBoard(id, encodeImage(stages[s]!)));
    const chain = await Chain.of(boards.map(({ session }) => session));
    const outcomes: Fields[] = [];
    const report = await learnChain(chain, data, {
      onOutcome: (place, outcome) => {
        if (outcome !== undefined) outcomes[place] = outcome;
      },
    });
    const parts: Model[] = [];
    for (const session of chain.sessions) parts.push(decodeImage(await pullImage(session)));
    const together = bytesOf(
      Array.from(outcomes, (outcome) => outcome ?? { class: 255, flags: 255, score: 0, labelScore: 0 }),
      canonical(joinModels(parts)),
    );
    const reference = new Reference(model);
    const expected = Array.from({ length: data.count }, (_, i) => reference.learn(sample(data, i), data.labels[i]!));
    const one = await alone(single, model, data);
    return {
      boards: ids,
      single,
      model: name,
      cuts,
      frames: data.count,
      bytesCompared: together.length,
      bytesDifferent: different(one, together),
      referenceDifferent: different(bytesOf(expected, reference.image()), together),
      retries: chain.sessions.reduce((sum, session) => sum + session.line.retries, 0),
      updates: report.updates,
      seconds: (performance.now() - start) / 1000,
    };
  } finally {
    for (const { stop } of boards) await stop();
  }
}
