import { afterEach, describe, expect, it } from 'vitest';
import { slice } from '../../src/data/dataset.js';
import { type NativeBoard, startNativeBoard } from '../../src/device/native-board.js';
import { pullImage } from '../../src/device/pull.js';
import { openTransport } from '../../src/device/resolve.js';
import { Session } from '../../src/device/session.js';
import { evaluate, evaluateCore, learn } from '../../src/device/stream.js';
import { flashModel } from '../../src/device/transfer.js';
import { WasmCore } from '../../src/device/wasm/core.js';
import { encodeImage } from '../../src/format/image.js';
import { MESSAGES } from '../../src/format/message.js';
import { withLearning } from '../../src/format/model.js';
import { Reference } from '../../src/reference/reference.js';
import { randomModel } from '../golden/random-model.js';
import { hasProgram } from '../support/programs.js';
import { randomData } from './support/rig.js';

const MODEL = randomModel({
  seed: 77,
  rawInputs: 40,
  classes: 4,
  hidden: [32, 28, 24, 20, 16, 12, 8, 8],
  learns: [true, true, false, true, true, true, true, true],
});
const DATA = randomData(MODEL, 78, 400);

let board: NativeBoard | undefined;
afterEach(() => board?.close());

async function open(threads: number): Promise<Session> {
  board = await startNativeBoard({ tcp: 0, threads });
  const session = await Session.open(await openTransport(board.address));
  await flashModel(session, encodeImage(MODEL), { verify: false });
  return session;
}

describe.skipIf(process.platform !== 'linux' || !hasProgram('cc'))('the Linux port with a thread per layers', () => {
  it.each([2, 3, 8])('learns and counts what the reference does, with %i threads', async (threads) => {
    const session = await open(threads);
    const reference = new Reference(MODEL);
    // Other requests in between see the model as it is when all samples before them are learned.
    for (const [from, count] of [
      [0, 150],
      [150, 1],
      [151, 249],
    ] as const) {
      const report = await learn(session, slice(DATA, from, from + count));
      expect(report).toMatchObject({ samples: count, unanswered: 0 });
      for (let i = from; i < from + count; i++) {
        reference.learn(DATA.inputs.subarray(i * DATA.width, (i + 1) * DATA.width), DATA.labels[i]!);
      }
      expect(Buffer.compare((await pullImage(session)).subarray(16), reference.image().subarray(16))).toBe(0);
    }
    await session.close();
  });

  it('classifies as by direct calls, and answers each link in its order', async () => {
    const session = await open(3);
    const other = await Session.open(await openTransport(board!.address));
    const expected = evaluateCore(await WasmCore.withModel(encodeImage(MODEL)), DATA);
    const [first, second] = await Promise.all([evaluate(session, DATA), evaluate(other, DATA)]);
    expect(first).toEqual(expected);
    expect(second).toEqual(expected);
    await other.close();
    await session.close();
  });

  it('keeps class statistics, and takes another model between two samples', async () => {
    const session = await open(4);
    await session.request(MESSAGES.statistics, { level: 2 });
    await learn(session, slice(DATA, 0, 50));
    const reference = new Reference(MODEL);
    reference.statistics(2);
    for (let i = 0; i < 50; i++)
      reference.learn(DATA.inputs.subarray(i * DATA.width, (i + 1) * DATA.width), DATA.labels[i]!);
    const region = await session.request(MESSAGES.read, { region: 1, offset: 0, count: 4000 });
    expect(Buffer.compare(region, reference.statisticsBytes().subarray(0, 4000))).toBe(0);
    const frozen = withLearning(MODEL, new Set());
    await flashModel(session, encodeImage(frozen), { verify: false });
    expect(await evaluate(session, DATA)).toEqual(evaluateCore(await WasmCore.withModel(encodeImage(frozen)), DATA));
    await session.close();
  });

  it('forgets a client that leaves while its samples are under way', async () => {
    const session = await open(2);
    const input = DATA.inputs.subarray(0, DATA.width);
    for (let k = 0; k < 20; k++) session.request(MESSAGES.infer, { input }).catch(() => {});
    await session.close();
    const next = await Session.open(await openTransport(board!.address));
    expect(await evaluate(next, DATA)).toEqual(evaluateCore(await WasmCore.withModel(encodeImage(MODEL)), DATA));
    await next.close();
  });
});
