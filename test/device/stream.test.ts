import { describe, expect, it } from 'vitest';
import { slice } from '../../src/data/dataset.js';
import { pullImage } from '../../src/device/pull.js';
import { Session } from '../../src/device/session.js';
import { connectSimulated } from '../../src/device/simulated.js';
import { evaluate, evaluateCore, learn } from '../../src/device/stream.js';
import { WasmCore } from '../../src/device/wasm/core.js';
import { FLAG, MESSAGES } from '../../src/format/message.js';
import { Reference } from '../../src/reference/reference.js';
import { FaultyTransport } from './support/faulty-transport.js';
import { IMAGE, MODEL, openRig, randomData } from './support/rig.js';

const DATA = randomData(MODEL, 21, 300);

/** What the reference counts on the same stream, in percent, and what it has learned in the end. */
function reference(): { error: number; falseReject: number; falseAccept: number; image: Uint8Array } {
  const device = new Reference(MODEL);
  let [error, falseReject, falseAccept] = [0, 0, 0];
  for (let i = 0; i < DATA.count; i++) {
    const { flags } = device.learn(DATA.inputs.subarray(i * DATA.width, (i + 1) * DATA.width), DATA.labels[i]!);
    if ((flags & FLAG.correct) === 0) error++;
    if (flags & FLAG.falseReject) falseReject++;
    if (flags & FLAG.falseAccept) falseAccept++;
  }
  const percent = (n: number): number => (100 * n) / DATA.count;
  return {
    error: percent(error),
    falseReject: percent(falseReject),
    falseAccept: percent(falseAccept),
    image: device.image(),
  };
}

describe('evaluating on the device', () => {
  it('gives what the core gives by direct calls', async () => {
    const { session } = await openRig();
    const progress: number[] = [];
    const seen = await evaluate(session, DATA, (done, total) => progress.push(done / total));
    expect(seen).toEqual(evaluateCore(await WasmCore.withModel(IMAGE), DATA));
    expect(seen.confusion.reduce((a, b) => a + b)).toBe(DATA.count);
    let right = 0;
    for (let c = 0; c < 4; c++) right += seen.confusion[c * 4 + c]!;
    expect(seen.error).toBeCloseTo(100 - (100 * right) / DATA.count, 10);
    expect(progress.at(-1)).toBe(1);
    await session.close();
  });

  it('changes nothing on the device', async () => {
    const { session } = await openRig();
    await evaluate(session, DATA);
    expect(await pullImage(session)).toEqual(IMAGE);
    await session.close();
  });

  it('refuses data of another width, labels out of range, and a device without a model', async () => {
    const { session } = await openRig();
    const narrow = { ...DATA, width: 12, count: 600 };
    await expect(evaluate(session, narrow)).rejects.toMatchObject({
      code: 'data.width',
      expected: expect.stringContaining('24'),
    });
    const labels = DATA.labels.map(() => 4);
    await expect(evaluate(session, { ...DATA, labels })).rejects.toMatchObject({ code: 'device.label', got: '4' });
    await session.close();
    const empty = await openRig({ image: null });
    await expect(evaluate(empty.session, DATA)).rejects.toMatchObject({ code: 'device.no_model' });
    await empty.session.close();
  });
});

describe('learning on the device', () => {
  it('learns every sample in order and counts as the reference does', async () => {
    const { session } = await openRig();
    const { image, ...rates } = reference();
    const report = await learn(session, DATA);
    expect(report).toMatchObject({ samples: DATA.count, unanswered: 0, ...rates });
    expect((await pullImage(session)).subarray(16)).toEqual(image.subarray(16));
    await session.close();
  });

  it('learns the same in two streams as in one', async () => {
    const { session } = await openRig();
    await learn(session, DATA, { samples: 120 });
    await learn(session, DATA, { from: 120 });
    expect((await pullImage(session)).subarray(16)).toEqual(reference().image.subarray(16));
    await session.close();
  });

  it.each([1000, 100])(
    'learns each sample exactly once with a fault per %i bytes',
    async (every) => {
      const { board, session: clean } = await openRig({ board: { maxPayload: 64 } });
      await clean.close();
      const line = new FaultyTransport(await connectSimulated(board), every + 1, 1 / every);
      const session = await Session.open(line, { responseMs: 20, openMs: 5000, retries: 50 });
      const { image, ...rates } = reference();
      let last = 0;
      const report = await learn(session, DATA, {
        onProgress: (done) => {
          expect(done).toBeGreaterThan(last);
          last = done;
        },
      });
      expect(report).toMatchObject({ samples: DATA.count, ...rates });
      expect(last).toBe(DATA.count);
      expect(line.faults).toBeGreaterThan(10);
      line.rate = 0;
      expect((await pullImage(session)).subarray(16)).toEqual(image.subarray(16));
      await session.close();
    },
    30_000,
  );

  it('notices that the device restarted in the middle', async () => {
    const { session } = await openRig();
    let reloaded = false;
    const outcome = learn(session, DATA, {
      onProgress: (done) => {
        if (done < 100 || reloaded) return;
        reloaded = true;
        void session.request(MESSAGES.reload, undefined);
      },
    });
    await expect(outcome).rejects.toMatchObject({ code: 'device.restarted' });
    await session.close();
  });

  it('ends with an error when the device vanishes in the middle', async () => {
    const { board, session } = await openRig();
    const outcome = learn(session, DATA, {
      onProgress: (done) => {
        if (done >= 50) board.unplug();
      },
    });
    await expect(outcome).rejects.toMatchObject({ code: 'device.gone' });
    await session.close();
  });

  it('takes no more samples than there are', async () => {
    const { session } = await openRig();
    expect(await learn(session, slice(DATA, 0, 10), { from: 5, samples: 100 })).toMatchObject({ samples: 5 });
    expect(await learn(session, slice(DATA, 0, 10), { from: 50 })).toMatchObject({ samples: 0, error: 0 });
    await session.close();
  });
});
