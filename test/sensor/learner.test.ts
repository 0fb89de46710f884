import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadData } from '../../src/data/load.js';
import { type Judgement, Learner } from '../../src/device/learner/learner.js';
import { startNativeBoard } from '../../src/device/native-board.js';
import { pullImage } from '../../src/device/pull.js';
import { openTransport } from '../../src/device/resolve.js';
import { capture } from '../../src/device/sensor/capture.js';
import { type SignalKind, signalSource } from '../../src/device/sensor/signal.js';
import { Session } from '../../src/device/session.js';
import { flashModel } from '../../src/device/transfer.js';
import { decodeImage, encodeImage } from '../../src/format/image.js';
import { MESSAGES } from '../../src/format/message.js';
import { quantize } from '../../src/quantize/quantize.js';
import { selectBackend } from '../../src/train/backend.js';
import { shapeFor } from '../../src/train/config.js';
import { Trainer } from '../../src/train/trainer.js';
import { IMAGE } from '../device/support/rig.js';
import { hasProgram } from '../support/programs.js';

const LENGTH = 32;
const HOP = 11;
let folder = '';
let image: Uint8Array;

const sensor = (kind: SignalKind, seed: number) => signalSource({ kind, rate: 50, seed, unpaced: true });

/** Feeds windows of a made-up machine and returns what the learner says. */
async function watch(learner: Learner, kind: SignalKind, seed: number, windows: number): Promise<Judgement[]> {
  const said: Judgement[] = [];
  for await (const sample of sensor(kind, seed).samples()) {
    const judgement = await learner.feed(sample);
    if (judgement !== undefined && said.push(judgement) === windows) return said;
  }
  return said;
}

const novelPart = (said: readonly Judgement[]): number => said.filter((s) => s.novel).length / said.length;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'goodness-learner-'));
  const out = join(folder, 'machine.csv');
  const options = { out, length: LENGTH, hop: HOP, features: 'spectrum', append: true } as const;
  await capture(sensor('rest', 1), { ...options, label: 'rest', windows: 300 });
  await capture(sensor('normal', 2), { ...options, label: 'normal', windows: 300 });
  const { train } = await loadData(out, { others: 'other', headroom: 0.25 });
  const trainer = new Trainer({
    backend: await selectBackend('auto'),
    seed: 1,
    shape: shapeFor(train, { hidden: [24, 24], objective: 'partitioned' }),
  });
  await trainer.fit(train);
  image = encodeImage(quantize(trainer.network(), { calibration: train, seed: 1 }).model);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe('a learner', () => {
  it('knows rest and normal operation, and raises novelty at a fault that it never saw', async () => {
    const learner = new Learner({ model: image, hop: HOP });
    await learner.ready;
    expect(learner.classes).toEqual(['normal', 'other', 'rest']);
    const normal = await watch(learner, 'normal', 11, 60);
    expect(normal.filter((s) => s.class === 'normal').length).toBeGreaterThan(54);
    expect(novelPart(normal)).toBeLessThan(0.1);
    expect(novelPart(await watch(learner, 'rest', 12, 60))).toBeLessThan(0.1);
    expect(novelPart(await watch(learner, 'fault', 13, 60))).toBeGreaterThan(0.9);
    expect(Object.keys(normal[0]!.scores!)).toEqual(['normal', 'other', 'rest']);
    await learner.close();
  });

  it('tells what happens by events', async () => {
    const learner = new Learner({ model: image, hop: HOP, label: 'normal' });
    const count = { goodness: 0, class: 0, novelty: 0, learned: 0 };
    for (const name of ['goodness', 'class', 'novelty', 'learned'] as const) learner.on(name, () => count[name]++);
    const said = await watch(learner, 'normal', 21, 30);
    expect(count).toMatchObject({ goodness: 30, class: 30, learned: 30 });
    learner.label = undefined;
    await watch(learner, 'fault', 22, 10);
    expect(count.learned).toBe(30);
    expect(count.novelty).toBeGreaterThan(said.filter((s) => s.novel).length);
    await learner.close();
  });

  it('listens to a johnny-five sensor: a value, or the axes of an accelerometer', async () => {
    class Fake extends EventEmitter {
      value = 0;
    }
    const part = new Fake();
    const learner = new Learner({ model: image, sensor: part, hop: HOP });
    await learner.ready;
    const first = new Promise<string>((resolve) => learner.once('class', resolve));
    let n = 0;
    for await (const sample of sensor('rest', 31).samples()) {
      part.value = sample[0]!;
      part.emit('data', part.value);
      if (++n === LENGTH) break;
    }
    expect(await first).toBe('rest');
    expect(part.listenerCount('data')).toBe(1);
    await learner.close();
    expect(part.listenerCount('data')).toBe(0);
  });

  it('finds what it learned again after a restart, and what it did not save is gone', async () => {
    const store = join(folder, 'flash.bin');
    const first = new Learner({ model: image, hop: HOP, store, label: 'normal', saveEvery: 0 });
    await watch(first, 'fault', 41, 40);
    await first.save();
    const { address, close } = await first.serve(0);
    const session = await Session.open(await openTransport(address));
    const saved = await pullImage(session);
    await session.close();
    await close();
    expect(decodeImage(saved).state.samples).toBe(40);
    await first.close();
    const second = new Learner({ model: image, hop: HOP, store });
    await second.ready;
    const again = await second.serve(0);
    const other = await Session.open(await openTransport(again.address));
    const found = await pullImage(other);
    expect(decodeImage(found).state.samples).toBe(40);
    expect(decodeImage(found).layers[0]!.weights).toEqual(decodeImage(saved).layers[0]!.weights);
    await other.close();
    await again.close();
    await second.close();
  });

  it('serves hosts over TCP while it goes on learning', async () => {
    const learner = new Learner({ model: image, hop: HOP, label: 'normal' });
    const { address, close } = await learner.serve(0);
    const session = await Session.open(await openTransport(address));
    const before = (await session.request(MESSAGES.status, undefined)).samples;
    const [, sequence] = await Promise.all([
      watch(learner, 'normal', 51, 50),
      session.request(MESSAGES.save, undefined),
    ]);
    expect(sequence.sequence).toBeGreaterThan(0);
    expect((await session.request(MESSAGES.status, undefined)).samples - before).toBe(50);
    // Another model by the line: the learner notices, and says what no longer fits.
    await flashModel(session, IMAGE);
    await expect(learner.feed([1, 2, 3, 4, 5])).rejects.toMatchObject({ code: 'features.channels' });
    await session.close();
    await close();
    await learner.close();
  });

  it('refuses to start without a model, with a store of another one, or with a class that is none', async () => {
    await expect(new Learner({}).ready).rejects.toMatchObject({ code: 'learner.model' });
    const store = join(folder, 'other.bin');
    const first = new Learner({ model: IMAGE, store });
    await first.ready;
    await first.close();
    await expect(new Learner({ model: image, store }).ready).rejects.toMatchObject({ code: 'learner.model' });
    const replaced = new Learner({ model: image, store, replace: true, label: 'nonsense', hop: HOP });
    await expect(watch(replaced, 'rest', 61, 1)).rejects.toMatchObject({ code: 'learner.label' });
    await replaced.close();
    writeFileSync(join(folder, 'bad.ffm'), 'no model');
    await expect(new Learner({ model: join(folder, 'bad.ffm') }).ready).rejects.toMatchObject({
      code: 'image.truncated',
    });
  });

  it.skipIf(!hasProgram('cc'))('says the same on the native board as in this process (needs cc)', async () => {
    const board = await startNativeBoard({ tcp: 0 });
    const [native, inProcess] = [
      new Learner({ model: image, hop: HOP, port: board.address, label: 'normal' }),
      new Learner({ model: image, hop: HOP, label: 'normal' }),
    ];
    const said = await watch(native, 'fault', 71, 40);
    expect(said.map((s) => s.outcome)).toEqual((await watch(inProcess, 'fault', 71, 40)).map((s) => s.outcome));
    await native.close();
    await inProcess.close();
    await board.close();
  });
});
