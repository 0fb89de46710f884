import { describe, expect, it } from 'vitest';
import type { FlashStore } from '../../src/device/flash-file.js';
import { Session } from '../../src/device/session.js';
import { connectSimulated } from '../../src/device/simulated.js';
import { SimulatedBoard } from '../../src/device/simulated-board.js';
import { flashModel, readRegion, sendObject } from '../../src/device/transfer.js';
import { crc32 } from '../../src/format/crc32.js';
import { encodeImage, sealImage } from '../../src/format/image.js';
import { MESSAGES, OBJECT_KIND, REGION } from '../../src/format/message.js';
import { randomModel } from '../golden/random-model.js';
import { FaultyTransport } from './support/faulty-transport.js';
import { IMAGE, MODEL, openRig } from './support/rig.js';

const LARGE = randomModel({ seed: 2, rawInputs: 60, classes: 4, hidden: [48, 24] });
const LARGE_IMAGE = encodeImage(LARGE);
const SMALL_FRAMES = { maxPayload: 128 } as const;
const QUICK = { responseMs: 10, slowMs: 500, openMs: 5000 } as const;

/** A flash in memory that outlives its board. */
function memoryStore(): FlashStore {
  let kept: Uint8Array | undefined;
  return {
    load: () => kept,
    save: (flash) => {
      kept = flash.slice();
    },
  };
}

/** Whether the device holds this image and answers with it. */
async function holds(session: Session, image: Uint8Array): Promise<boolean> {
  const { imageLength } = await session.refresh();
  return Buffer.compare(await readRegion(session, REGION.image, 0, imageLength), image) === 0;
}

describe('flashing', () => {
  it('puts a model on the device, verified by reading it back', async () => {
    const { session } = await openRig({ image: null });
    const steps: string[] = [];
    const report = await flashModel(session, IMAGE, {
      onProgress: (phase, done, total) => {
        if (done === total) steps.push(phase);
      },
    });
    expect(report).toMatchObject({
      imageBytes: IMAGE.length,
      resumedAt: 0,
      verified: true,
      baseId: MODEL.state.baseId,
    });
    expect(report.bytesDown).toBeGreaterThan(IMAGE.length);
    expect(steps).toEqual(['send', 'verify']);
    expect(session.hello).toMatchObject({ modelLoaded: true, rawInputs: 24, classes: 4, layers: 2 });
    await session.close();
  });

  it('works in frames of the smallest size', async () => {
    const { session } = await openRig({ board: { maxPayload: 64 } });
    expect(await holds(session, IMAGE)).toBe(true);
    await session.close();
  });

  it('goes on where a cut cable ended it, and the old model stays until then', async () => {
    const { board, session } = await openRig({ board: SMALL_FRAMES });
    await session.close();
    const line = new FaultyTransport(await connectSimulated(board), 1, 0);
    const broken = await Session.open(line);
    line.cutAfter = line.traffic.down + 4000;
    await expect(flashModel(broken, LARGE_IMAGE)).rejects.toMatchObject({ code: 'device.gone' });
    const again = await Session.open(await connectSimulated(board));
    expect(await holds(again, IMAGE)).toBe(true);
    const report = await flashModel(again, LARGE_IMAGE);
    expect(report.resumedAt).toBeGreaterThan(1000);
    expect(report.bytesDown).toBeLessThan(LARGE_IMAGE.length);
    expect(await holds(again, LARGE_IMAGE)).toBe(true);
    await again.close();
  });

  it('starts a different object from its beginning', async () => {
    const { session } = await openRig({ board: SMALL_FRAMES, image: null });
    await session.request(MESSAGES.begin, { kind: OBJECT_KIND.image, length: LARGE_IMAGE.length, crc: 1 });
    await session.request(MESSAGES.write, { offset: 0, bytes: LARGE_IMAGE.subarray(0, 100) });
    expect((await flashModel(session, LARGE_IMAGE)).resumedAt).toBe(0);
    await session.close();
  });

  it('keeps the old model over a power cut in the middle, and the new one once it is committed', async () => {
    const store = memoryStore();
    const first = await SimulatedBoard.start(SMALL_FRAMES, store);
    const session = await Session.open(await connectSimulated(first));
    await flashModel(session, IMAGE);
    await session.request(MESSAGES.begin, {
      kind: OBJECT_KIND.image,
      length: LARGE_IMAGE.length,
      crc: crc32(LARGE_IMAGE),
    });
    await session.request(MESSAGES.write, { offset: 0, bytes: LARGE_IMAGE.subarray(0, 100) });
    first.unplug();
    const second = await SimulatedBoard.start(SMALL_FRAMES, store);
    const revived = await Session.open(await connectSimulated(second));
    expect(await holds(revived, IMAGE)).toBe(true);
    expect((await flashModel(revived, LARGE_IMAGE)).resumedAt).toBe(0);
    second.unplug();
    const third = await Session.open(await connectSimulated(await SimulatedBoard.start(SMALL_FRAMES, store)));
    expect(await holds(third, LARGE_IMAGE)).toBe(true);
    await third.close();
  });

  it('does not say that a model is kept when its flash can not be written', async () => {
    const full: FlashStore = {
      load: () => undefined,
      save: () => {
        throw new Error('no space left on device');
      },
    };
    const session = await Session.open(await connectSimulated(await SimulatedBoard.start({}, full)));
    await expect(flashModel(session, IMAGE)).rejects.toMatchObject({
      code: 'device.gone',
      message: expect.stringContaining('no space left'),
    });
    await session.close();
  });

  it('begins again where the device lost what it had got', async () => {
    const { session } = await openRig({ board: SMALL_FRAMES, image: null });
    let aborted = false;
    await sendObject(session, OBJECT_KIND.image, LARGE_IMAGE, (done) => {
      if (done > 1000 && !aborted) {
        aborted = true;
        void session.request(MESSAGES.abort, undefined);
      }
    });
    expect(aborted).toBe(true);
    await session.request(MESSAGES.commit, undefined);
    expect(await holds(session, LARGE_IMAGE)).toBe(true);
    await session.close();
  });

  it.each([1000, 100])(
    'arrives whole over a line with a fault per %i bytes',
    async (every) => {
      const board = await SimulatedBoard.start({ maxPayload: 68 });
      const line = new FaultyTransport(await connectSimulated(board), every, 1 / every);
      const session = await Session.open(line, { ...QUICK, retries: 50 });
      await flashModel(session, LARGE_IMAGE);
      expect(line.faults).toBeGreaterThan(10);
      line.rate = 0;
      expect(await holds(session, LARGE_IMAGE)).toBe(true);
      await session.close();
    },
    30_000,
  );

  it.each([
    ['a changed byte', 'image.crc', (image: Uint8Array) => image.map((byte, i) => (i === 300 ? byte ^ 1 : byte))],
    ['a missing end', 'image.truncated', (image: Uint8Array) => image.slice(0, -8)],
    ['an unknown version', 'image.version', (image: Uint8Array) => image.map((byte, i) => (i === 4 ? 3 : byte))],
    [
      'text instead',
      'image.magic',
      () => new TextEncoder().encode('{"model": "not an image, but long enough to be one"}'),
    ],
  ])('refuses an image with %s before anything is sent', async (_, code, damage) => {
    const { session } = await openRig();
    await expect(flashModel(session, damage(IMAGE))).rejects.toMatchObject({ code });
    expect(await holds(session, IMAGE)).toBe(true);
    await session.close();
  });

  it.each([
    ['flash slot', 'device.slot', { slotBytes: 4096, pageBytes: 1024 }],
    ['RAM', 'device.arena', { arenaBytes: 4096 }],
    ['frames', 'device.request', { maxPayload: 64 }],
  ])('refuses a model that is too large for the %s, sends none of it and keeps the old one', async (_, code, size) => {
    const { session } = await openRig({ board: size });
    const before = session.transport.traffic.down;
    await expect(flashModel(session, LARGE_IMAGE)).rejects.toMatchObject({
      code,
      expected: expect.any(String),
      got: expect.any(String),
    });
    expect(session.transport.traffic.down - before).toBeLessThan(100);
    expect(await holds(session, IMAGE)).toBe(true);
    await session.close();
  });

  it('has the device refuse what a host sent unchecked, and keep its model', async () => {
    const { session } = await openRig();
    const bad = IMAGE.slice();
    bad[48 + 4] = 99;
    sealImage(bad);
    await sendObject(session, OBJECT_KIND.image, bad);
    await expect(session.request(MESSAGES.commit, undefined)).rejects.toMatchObject({ code: 'device.field' });
    expect(await holds(session, IMAGE)).toBe(true);
    await expect(session.request(MESSAGES.commit, undefined)).rejects.toMatchObject({ code: 'device.no_transfer' });
    await session.close();
  });

  it('gives the same answer to a commit that is asked for twice', async () => {
    const { session } = await openRig({ image: null });
    await sendObject(session, OBJECT_KIND.image, IMAGE);
    const first = await session.request(MESSAGES.commit, undefined);
    expect(await session.request(MESSAGES.commit, undefined)).toEqual(first);
    await session.close();
  });

  it('reads a region whose end it does not know over a bad line, whatever gets lost around that end', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const board = await SimulatedBoard.start({ maxPayload: 64 });
      const line = new FaultyTransport(await connectSimulated(board), seed, 0);
      const session = await Session.open(line, { ...QUICK, retries: 50 });
      await flashModel(session, IMAGE);
      line.rate = 1 / 50;
      const from = IMAGE.length - 150;
      expect(await readRegion(session, REGION.image, from, 2000), `seed ${seed}`).toEqual(IMAGE.subarray(from));
      expect(await readRegion(session, REGION.statistics, 0, 2000), `seed ${seed}`).toHaveLength(0);
      await session.close();
    }
  }, 30_000);

  it('reads to the end of a region and no further', async () => {
    const { session } = await openRig({ board: SMALL_FRAMES });
    expect(await readRegion(session, REGION.image, 100, 1e5)).toEqual(IMAGE.subarray(100));
    await expect(readRegion(session, REGION.image, IMAGE.length + 1, 4)).rejects.toMatchObject({
      code: 'device.range',
    });
    await session.close();
  });
});
