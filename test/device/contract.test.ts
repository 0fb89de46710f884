import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { flashFile } from '../../src/device/flash-file.js';
import { startNativeBoard } from '../../src/device/native-board.js';
import { verifyLearning, verifyModel } from '../../src/device/parity.js';
import { pull, pullImage } from '../../src/device/pull.js';
import { push, save } from '../../src/device/push.js';
import { openTransport } from '../../src/device/resolve.js';
import { Session } from '../../src/device/session.js';
import { SimulatedBoard } from '../../src/device/simulated-board.js';
import { evaluate, evaluateCore, learn } from '../../src/device/stream.js';
import { serveTcp } from '../../src/device/tcp-server.js';
import { flashModel } from '../../src/device/transfer.js';
import { WasmCore } from '../../src/device/wasm/core.js';
import { decodeImage, encodeImage } from '../../src/format/image.js';
import { MESSAGES } from '../../src/format/message.js';
import { applyPatch, diffPatch } from '../../src/format/patch.js';
import { IMAGE, MODEL, randomData } from './support/rig.js';

/** A board to run the contract on; `start` powers it on with what the file holds. */
interface Target {
  readonly name: string;
  readonly available: boolean;
  start(store: string): Promise<{ port: string; stop(): Promise<void> }>;
}

const hasCompiler = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;
if (!hasCompiler) console.warn('SKIPPED: the contract of the native board: it needs Linux and a C compiler (cc)');

const TARGETS: Target[] = [
  {
    name: 'the simulated board',
    available: true,
    start: async (store) => ({ port: `sim:${store}`, stop: async () => {} }),
  },
  {
    name: 'the simulated board over TCP',
    available: true,
    start: async (store) => {
      const board = await SimulatedBoard.start({}, flashFile(store));
      const server = await serveTcp(board, 0);
      return { port: server.address, stop: () => server.close() };
    },
  },
  {
    name: 'the native board on a pseudo terminal',
    available: hasCompiler,
    start: async (store) => {
      const board = await startNativeBoard({ store });
      return { port: board.address, stop: () => board.close() };
    },
  },
  {
    name: 'the native board over TCP',
    available: hasCompiler,
    start: async (store) => {
      const board = await startNativeBoard({ store, tcp: 0 });
      return { port: board.address, stop: () => board.close() };
    },
  },
];

const DATA = randomData(MODEL, 51, 200);
const SAMPLES = Array.from({ length: DATA.count }, (_, i) => ({
  input: DATA.inputs.subarray(i * DATA.width, (i + 1) * DATA.width),
  label: DATA.labels[i]!,
}));

describe.each(TARGETS.filter((target) => target.available))('$name', (target) => {
  let folder = '';
  let board: Awaited<ReturnType<Target['start']>>;
  let session: Session;

  const powerOn = async (): Promise<void> => {
    board = await target.start(join(folder, 'flash.bin'));
    session = await Session.open(await openTransport(board.port));
  };
  const powerOff = async (): Promise<void> => {
    await session.close();
    await board.stop();
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'goodness-board-'));
    await powerOn();
  }, 60_000);
  afterAll(async () => {
    await powerOff();
    rmSync(folder, { recursive: true });
  });

  it('has no model at first and says so', async () => {
    expect(session.hello.modelLoaded).toBe(false);
    await expect(evaluate(session, DATA)).rejects.toMatchObject({ code: 'device.no_model' });
    await expect(session.request(MESSAGES.save, undefined)).rejects.toMatchObject({ code: 'device.no_model' });
  });

  it('takes a model and computes what the reference computes', async () => {
    await flashModel(session, IMAGE);
    expect(await verifyModel(MODEL, session, SAMPLES.slice(0, 40))).toEqual({ samples: 40, mismatches: 0 });
    expect(await evaluate(session, DATA)).toEqual(evaluateCore(await WasmCore.withModel(IMAGE), DATA));
  });

  it('learns what the reference learns', async () => {
    await session.request(MESSAGES.reload, undefined);
    expect(await verifyLearning(MODEL, session, SAMPLES)).toEqual({ samples: DATA.count, mismatches: 0 });
  });

  it('answers between garbage, and counts what it dropped', async () => {
    const random = new Random(7);
    const { framesDropped } = await session.request(MESSAGES.status, undefined);
    for (let n = 0; n < 20; n++) {
      await session.transport.write(Uint8Array.from({ length: 300 }, () => random.integer(256)));
      await session.transport.write(Uint8Array.of(0));
      expect(await session.request(MESSAGES.infer, { input: SAMPLES[n]!.input })).toBeDefined();
    }
    const after = await session.request(MESSAGES.status, undefined);
    expect(after.framesDropped - framesDropped).toBeGreaterThanOrEqual(20);
  });

  it('refuses requests that it does not know, or that are malformed', async () => {
    const raw = (type: number, length: number) => ({
      type,
      name: 'RAW',
      encode: () => new Uint8Array(length),
      decode: () => undefined,
    });
    await expect(session.request(raw(0x7f, 3), undefined)).rejects.toMatchObject({ code: 'device.command' });
    await expect(session.request(raw(0x02, 1), undefined)).rejects.toMatchObject({ code: 'device.length' });
    await expect(session.request(raw(0x11, 2), undefined)).rejects.toMatchObject({ code: 'device.length' });
    await expect(session.request(MESSAGES.seed, { seed: 0 })).rejects.toMatchObject({ code: 'device.argument' });
    await expect(session.request(MESSAGES.ticket, { ticket: 0 })).rejects.toMatchObject({ code: 'device.argument' });
  });

  it('syncs: pull, learn on, push, save, and it lasts over a power cut', async () => {
    await flashModel(session, IMAGE);
    await session.request(MESSAGES.statistics, { level: 2 });
    await learn(session, DATA, { samples: 100 });
    const pulled = await pull(session, MODEL, new Random(3));
    expect(pulled.statistics?.classes.reduce((sum, c) => sum + c.count, 0)).toBe(100);
    await learn(session, DATA, { from: 100 });
    const before = decodeImage(await pullImage(session));
    const layers = pulled.model.layers.map((layer) => ({ ...layer, weights: layer.weights.map((w) => w >> 1) }));
    const next = { ...pulled.model, layers, state: { ...pulled.model.state, baseId: 4242, t: 0 } };
    const { patch } = diffPatch(pulled.model, next, pulled.ticket);
    await push(session, patch);
    const expected = encodeImage(applyPatch(before, patch, pulled.ticket));
    expect(await pullImage(session)).toEqual(expected);
    await save(session);
    await powerOff();
    await powerOn();
    expect(session.hello).toMatchObject({ modelLoaded: true, baseId: 4242 });
    expect(await pullImage(session)).toEqual(expected);
  });
});
