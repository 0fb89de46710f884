import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { pull, pullImage } from '../../src/device/pull.js';
import { push, save } from '../../src/device/push.js';
import { Session } from '../../src/device/session.js';
import { connectSimulated } from '../../src/device/simulated.js';
import { SimulatedBoard } from '../../src/device/simulated-board.js';
import { learn } from '../../src/device/stream.js';
import { TELEMETRY, telemetryWithout } from '../../src/device/telemetry.js';
import type { WasmCore } from '../../src/device/wasm/core.js';
import { decodeImage, encodeImage } from '../../src/format/image.js';
import { MESSAGES } from '../../src/format/message.js';
import type { Model } from '../../src/format/model.js';
import { applyPatch, diffPatch } from '../../src/format/patch.js';
import { Reference } from '../../src/reference/reference.js';
import { randomModel } from '../golden/random-model.js';
import { IMAGE, MODEL, openRig, randomData } from './support/rig.js';

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

/** The session with a device that has room for patches of so many bytes only; `request` may step in. */
function cramped(
  session: Session,
  largestPatch: number,
  before: (name: string) => Promise<void> = async () => {},
): Session {
  const hello = { ...session.hello, largestPatch };
  const request: Session['request'] = async (message, query) => {
    await before(message.name);
    return session.request(message, query);
  };
  return new Proxy(session, {
    get(target, key) {
      if (key === 'hello') return hello;
      if (key === 'request') return request;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('a push to a device without room for the whole patch', () => {
  it('goes in parts, and ends with the same bytes', async () => {
    const { session } = await openRig();
    await learn(session, DATA, { samples: 50 });
    const pulled = await pull(session, MODEL, new Random(8));
    const { patch } = diffPatch(pulled.model, retrained(pulled.model, 901), pulled.ticket);
    const report = await push(cramped(session, 128), patch);
    expect(report).toMatchObject({ baseId: 901 });
    expect(report.parts).toBeGreaterThan(5);
    const now = decodeImage(await pullImage(session));
    expect(now).toEqual(applyPatch(pulled.model, patch, pulled.ticket));
    await session.close();
  });

  it('keeps what the device learns between the parts', async () => {
    const { session } = await openRig();
    const pulled = await pull(session, MODEL, new Random(9));
    const { patch } = diffPatch(pulled.model, retrained(pulled.model, 902), pulled.ticket);
    let index = 0;
    const busy = cramped(session, 400, async (name) => {
      if (name === 'COMMIT') await learn(session, DATA, { from: 10 * index++, samples: 10 });
    });
    await push(busy, patch);
    expect(index).toBeGreaterThan(2);
    const status = await session.request(MESSAGES.status, undefined);
    expect(status).toMatchObject({ baseId: 902, samples: MODEL.state.samples + 10 * index });
    await session.close();
  });

  it('is taken back where a part fails: the device is as it was before, learned weights included', async () => {
    const { session } = await openRig();
    await learn(session, DATA, { samples: 50 });
    const pulled = await pull(session, MODEL, new Random(10));
    const { patch } = diffPatch(pulled.model, retrained(pulled.model, 903), pulled.ticket);
    const before = decodeImage(await pullImage(session));
    let commits = 0;
    // Another host takes a ticket in front of the third part.
    const disturbed = cramped(session, 128, async (name) => {
      if (name === 'COMMIT' && ++commits === 3) await session.request(MESSAGES.ticket, { ticket: 4711 });
    });
    await expect(push(disturbed, patch)).rejects.toMatchObject({
      code: 'push.parts',
      message: expect.stringMatching(/part 3 of \d+ .*the device is as it was before/),
      cause: expect.objectContaining({ code: 'device.ticket' }),
    });
    expect(decodeImage(await pullImage(session))).toEqual(before);
    await session.close();
  });

  it('that refuses the first part keeps all it has, saved or not', async () => {
    const { session } = await openRig();
    const pulled = await pull(session, MODEL, new Random(11));
    const { patch } = diffPatch(pulled.model, retrained(pulled.model, 904), pulled.ticket);
    await session.request(MESSAGES.ticket, { ticket: 4711 });
    await learn(session, DATA, { samples: 20 });
    const before = decodeImage(await pullImage(session));
    await expect(push(cramped(session, 128), patch)).rejects.toMatchObject({ code: 'device.ticket' });
    expect(decodeImage(await pullImage(session))).toEqual(before);
    await session.close();
  });

  it('works on one that cannot save, and says so if a part fails and there is nothing to go back to', async () => {
    const board = await SimulatedBoard.start({ slotBytes: 512, pageBytes: 256 });
    (board as unknown as { core: WasmCore }).core.load(IMAGE); // larger than a slot: SAVE is refused, and so would be a transfer
    const session = await Session.open(await connectSimulated(board));
    const pulled = await pull(session, MODEL, new Random(12));
    const { patch } = diffPatch(pulled.model, retrained(pulled.model, 905), pulled.ticket);
    expect(session.hello.largestPatch).toBe(480);
    const { parts } = await push(session, patch);
    expect(parts).toBeGreaterThan(1);
    expect(decodeImage(await pullImage(session))).toEqual(applyPatch(MODEL, patch, pulled.ticket));
    const again = await pull(session, MODEL, new Random(13));
    const second = diffPatch(again.model, retrained(again.model, 906), again.ticket).patch;
    let commits = 0;
    const disturbed = cramped(session, 480, async (name) => {
      if (name === 'COMMIT' && ++commits === 2) await session.request(MESSAGES.ticket, { ticket: 4711 });
    });
    await expect(push(disturbed, second)).rejects.toMatchObject({
      code: 'push.parts',
      message: expect.stringContaining('nothing saved'),
    });
    expect((await session.refresh()).modelLoaded).toBe(false);
    await session.close();
  });
});
