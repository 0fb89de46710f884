import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { pull, pullImage } from '../../src/device/pull.js';
import { push, save } from '../../src/device/push.js';
import { learn } from '../../src/device/stream.js';
import { TELEMETRY, telemetryWithout } from '../../src/device/telemetry.js';
import { decodeImage, encodeImage } from '../../src/format/image.js';
import { MESSAGES } from '../../src/format/message.js';
import type { Model } from '../../src/format/model.js';
import { applyPatch, diffPatch } from '../../src/format/patch.js';
import { Reference } from '../../src/reference/reference.js';
import { randomModel } from '../golden/random-model.js';
import { MODEL, openRig, randomData } from './support/rig.js';

const DATA = randomData(MODEL, 31, 200);

/** A model that the host might make of one that it pulled. */
function retrained(model: Model, baseId: number): Model {
  const random = new Random(baseId);
  const layers = model.layers.map((layer) => ({
    ...layer,
    weights: layer.weights.map((w) => Math.max(-127, Math.min(127, w + random.integer(41) - 20))),
  }));
  return {
    ...model,
    layers,
    state: { ...model.state, baseId, t: 0, thresholds: model.state.thresholds.map((t) => t + 9) },
  };
}

describe('a pull', () => {
  it('brings the model as the device has it, and the statistics of its inputs', async () => {
    const { session } = await openRig();
    await session.request(MESSAGES.statistics, { level: 2 });
    await learn(session, DATA);
    const reference = new Reference(MODEL);
    for (let i = 0; i < DATA.count; i++) {
      reference.learn(DATA.inputs.subarray(i * DATA.width, (i + 1) * DATA.width), DATA.labels[i]!);
    }
    const pulled = await pull(session, MODEL, new Random(1));
    expect(pulled.baseId).toBe(MODEL.state.baseId);
    expect(pulled.t).toBe(MODEL.state.t + DATA.count);
    expect(encodeImage(pulled.model).subarray(16)).toEqual(reference.image().subarray(16));
    expect(pulled.statistics?.level).toBe(2);
    expect(pulled.statistics?.classes.reduce((sum, c) => sum + c.count, 0)).toBe(DATA.count);
    const payload = TELEMETRY.reduce((sum, t) => sum + t.bytes(MODEL), 0);
    expect(pulled.bytesUp).toBeGreaterThan(payload);
    expect(pulled.bytesDown).toBeLessThan(200);
    await session.close();
  });

  it('brings no statistics from a device that keeps none', async () => {
    const { session } = await openRig();
    expect((await pull(session, MODEL, new Random(1))).statistics).toBeUndefined();
    await session.close();
  });

  it('brings means alone where the device keeps no squares', async () => {
    const { session } = await openRig({ board: { maxPayload: 64 } });
    await session.request(MESSAGES.statistics, { level: 1 });
    await learn(session, DATA, { samples: 20 });
    expect((await pull(session, MODEL, new Random(1))).statistics).toMatchObject({ level: 1, rawInputs: 24 });
    await session.close();
  });

  it.each(['weights', 'means', 'counts', 'statistics'] as const)(
    'leaves %s on the device where they are switched off',
    async (item) => {
      const { session } = await openRig();
      await session.request(MESSAGES.statistics, { level: 2 });
      await learn(session, DATA);
      const everything = await pull(session, MODEL, new Random(1));
      const { model, statistics, bytesUp } = await pull(session, MODEL, new Random(1), {
        items: telemetryWithout([item]),
      });
      const known = { weights: MODEL.layers[0]!.weights, means: MODEL.state.means, counts: MODEL.state.counts };
      const got = { weights: model.layers[0]!.weights, means: model.state.means, counts: model.state.counts };
      for (const part of ['weights', 'means', 'counts'] as const) {
        if (part === item) expect(got[part]).toEqual(known[part]);
        else expect(got[part]).not.toEqual(known[part]);
      }
      expect(statistics === undefined).toBe(item === 'statistics');
      const saved = TELEMETRY.find((t) => t.item === item)!.bytes(MODEL);
      expect(everything.bytesUp - bytesUp).toBeGreaterThanOrEqual(saved);
      await session.close();
    },
  );

  it('refuses a device that carries another kind of model', async () => {
    const other = randomModel({ seed: 12, rawInputs: 24, classes: 4, hidden: [16, 12] });
    const { session } = await openRig({ image: encodeImage(other) });
    await expect(pull(session, MODEL, new Random(1))).rejects.toMatchObject({ code: 'sync.model' });
    await session.close();
  });

  it('knows all names of telemetry, and no others', () => {
    expect([...telemetryWithout([])]).toEqual(['weights', 'means', 'counts', 'statistics']);
    expect(() => telemetryWithout(['samples'])).toThrow(expect.objectContaining({ code: 'telemetry.item' }));
  });
});

describe('a push', () => {
  it('adds the host’s work to weights that went on learning meanwhile', async () => {
    const { session } = await openRig();
    await learn(session, DATA, { samples: 100 });
    const pulled = await pull(session, MODEL, new Random(2));
    await learn(session, DATA, { from: 100 });
    const moved = decodeImage(await pullImage(session));
    const { patch } = diffPatch(pulled.model, retrained(pulled.model, 501), pulled.ticket);
    const report = await push(session, patch);
    expect(report.baseId).toBe(501);
    expect(report.bytesDown).toBeGreaterThan(report.patchBytes);
    const expected = encodeImage(applyPatch(moved, patch, pulled.ticket));
    expect(await pullImage(session)).toEqual(expected);
    await session.close();
  });

  it('lasts over a restart once it is saved, and not before', async () => {
    const { session } = await openRig();
    const sync = async (baseId: number): Promise<void> => {
      const pulled = await pull(session, decodeImage(await pullImage(session)), new Random(baseId));
      await push(session, diffPatch(pulled.model, retrained(pulled.model, baseId), pulled.ticket).patch);
    };
    await sync(601);
    await session.request(MESSAGES.reload, undefined);
    expect((await session.refresh()).baseId).toBe(MODEL.state.baseId);
    await sync(602);
    const kept = await pullImage(session);
    expect(await save(session)).toBeGreaterThan(0);
    await session.request(MESSAGES.reload, undefined);
    expect(await pullImage(session)).toEqual(kept);
    await session.close();
  });

  it('is refused for another base, after another ticket, and after a restart, and changes nothing', async () => {
    const { session } = await openRig();
    const first = await pull(session, MODEL, new Random(3));
    const patchFor = (model: Model, ticket: number) => diffPatch(model, retrained(model, 700), ticket).patch;
    const before = await pullImage(session);
    const elsewhere = { ...MODEL, state: { ...MODEL.state, baseId: 99 } };
    await expect(push(session, patchFor(elsewhere, first.ticket))).rejects.toMatchObject({ code: 'device.base' });
    await pull(session, MODEL, new Random(4));
    await expect(push(session, patchFor(MODEL, first.ticket))).rejects.toMatchObject({ code: 'device.ticket' });
    const third = await pull(session, MODEL, new Random(5));
    await session.request(MESSAGES.reload, undefined);
    await expect(push(session, patchFor(MODEL, third.ticket))).rejects.toMatchObject({ code: 'device.ticket' });
    expect(await pullImage(session)).toEqual(before);
    await session.close();
  });

  it('serves once: the same patch is not added twice', async () => {
    const { session } = await openRig();
    const pulled = await pull(session, MODEL, new Random(6));
    const { patch } = diffPatch(pulled.model, retrained(pulled.model, 801), pulled.ticket);
    await push(session, patch);
    const after = await pullImage(session);
    await expect(push(session, patch)).rejects.toMatchObject({ code: 'device.base' });
    expect(await pullImage(session)).toEqual(after);
    await session.close();
  });
});
