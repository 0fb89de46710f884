import { spawnSync } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import { FAULTS, type Fault, FaultyTransport } from '../../bench/faulty-line.js';
import { GoodnessError } from '../../src/base/errors.js';
import { Random } from '../../src/base/random.js';
import { startNativeBoard } from '../../src/device/native-board.js';
import { pull, pullImage } from '../../src/device/pull.js';
import { push, save } from '../../src/device/push.js';
import { openTransport } from '../../src/device/resolve.js';
import { Session } from '../../src/device/session.js';
import { connectSimulated } from '../../src/device/simulated.js';
import { SimulatedBoard } from '../../src/device/simulated-board.js';
import { learn } from '../../src/device/stream.js';
import { flashModel } from '../../src/device/transfer.js';
import type { Transport } from '../../src/device/transport.js';
import { encodeImage } from '../../src/format/image.js';
import { diffPatch } from '../../src/format/patch.js';
import { Reference } from '../../src/reference/reference.js';
import { randomData } from '../device/support/rig.js';
import { randomModel } from '../golden/random-model.js';

const MODEL = randomModel({ seed: 71, rawInputs: 32, classes: 4, hidden: [40, 20] });
const IMAGE = encodeImage(MODEL);
const DATA = randomData(MODEL, 72, 60);

interface Device {
  connect(): Promise<Transport>;
  stop(): Promise<void>;
}

const hasCompiler = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;

const DEVICES: readonly { name: string; available: boolean; start(): Promise<Device> }[] = [
  {
    name: 'the core as WebAssembly',
    available: true,
    start: async () => {
      const board = await SimulatedBoard.start({ maxPayload: 256 });
      return { connect: () => connectSimulated(board), stop: async () => board.unplug() };
    },
  },
  {
    name: `the core as a process${hasCompiler ? '' : ' (SKIPPED: there is no cc)'}`,
    available: hasCompiler,
    start: async () => {
      const board = await startNativeBoard();
      return { connect: () => openTransport(board.address), stop: () => board.close() };
    },
  },
];

/** What the reference holds after the same flash, stream and sync. */
function expected(ticket: number): { image: Uint8Array; patch: ReturnType<typeof diffPatch>['patch'] } {
  const reference = new Reference(MODEL);
  for (let i = 0; i < DATA.count; i++) {
    reference.learn(DATA.inputs.subarray(i * DATA.width, (i + 1) * DATA.width), DATA.labels[i]!);
  }
  const before = reference.toModel();
  const layers = before.layers.map((layer) => ({ ...layer, weights: layer.weights.map((w) => w >> 1) }));
  const { patch } = diffPatch(before, { ...before, layers, state: { ...before.state, baseId: 99, t: 0 } }, ticket);
  reference.remember(ticket);
  reference.applyPatch(patch);
  return { image: reference.image(), patch };
}

/** The loop of a device's life over one line; true where it came to its end, false where it ended with a clear error. */
async function life(line: FaultyTransport): Promise<boolean> {
  const session = await Session.open(line, { slowMs: 3000, responseMs: 500 });
  try {
    await flashModel(session, IMAGE);
    await learn(session, DATA);
    const { ticket, model } = await pull(session, MODEL, new Random(1));
    const { image, patch } = expected(ticket);
    // What came up over such a line is what the device has, to the last byte.
    const reference = new Reference(MODEL);
    for (let i = 0; i < DATA.count; i++) {
      reference.learn(DATA.inputs.subarray(i * DATA.width, (i + 1) * DATA.width), DATA.labels[i]!);
    }
    expect(encodeImage(model)).toEqual(reference.image());
    await push(session, patch);
    await save(session);
    line.rate = 0;
    expect(await pullImage(session)).toEqual(image);
    return true;
  } catch (error) {
    if (!(error instanceof GoodnessError)) throw error;
    expect(error.code).toMatch(/^device\.(silent|noisy)$/);
    return false;
  } finally {
    await session.close();
  }
}

for (const device of DEVICES) {
  if (!device.available) console.warn(device.name);
  describe.skipIf(!device.available)(`${device.name}, behind a bad line`, () => {
    let running: Device | undefined;
    afterAll(() => running?.stop());

    const lines = [1e-3, 1e-2].flatMap((rate) => FAULTS.map((fault): [number, Fault] => [rate, fault]));
    it.each(lines)(
      'is flashed, learns and syncs with the right bytes where %f of all bytes meet: %s',
      async (rate, fault) => {
        running ??= await device.start();
        for (const seed of rate < 1e-2 ? [1, 2] : [1]) {
          const line = new FaultyTransport(await running.connect(), seed, rate, [fault]);
          // So short a life comes to its end at these rates; a failure is to name the seed that replays it.
          expect(await life(line), `seed ${seed}`).toBe(true);
          expect(line.faults, `seed ${seed}`).toBeGreaterThan(0);
        }
      },
      60_000,
    );

    it('holds a whole model, old or new, and takes up the transfer, however often the cable falls out on the way', async () => {
      running ??= await device.start();
      const other = encodeImage(randomModel({ seed: 73, rawInputs: 32, classes: 4, hidden: [40, 20] }));
      const clean = await Session.open(await running.connect());
      await flashModel(clean, IMAGE);
      await clean.close();
      let resumedAt = 0;
      for (let cut = 0; cut < 4; cut++) {
        const line = new FaultyTransport(await running.connect(), cut, 1e-3);
        const session = await Session.open(line);
        line.cutAfter = line.traffic.down + 700;
        await expect(flashModel(session, other)).rejects.toMatchObject({ code: 'device.gone' });
        const look = await Session.open(await running.connect());
        expect(await pullImage(look), `cut ${cut}`).toEqual(IMAGE);
        await look.close();
      }
      const last = await Session.open(await running.connect());
      ({ resumedAt } = await flashModel(last, other));
      expect(resumedAt).toBeGreaterThan(1000);
      expect(await pullImage(last)).toEqual(other);
      await last.close();
    }, 60_000);

    it('ends with a clear error, and with the old model, where nothing gets through any more', async () => {
      running ??= await device.start();
      const clean = await Session.open(await running.connect());
      await flashModel(clean, IMAGE);
      await clean.close();
      const other = encodeImage(randomModel({ seed: 74, rawInputs: 32, classes: 4, hidden: [40, 20] }));
      const line = new FaultyTransport(await running.connect(), 5, 0);
      const session = await Session.open(line, { responseMs: 50, slowMs: 100 });
      const flashing = flashModel(session, other, {
        onProgress: (_, done) => {
          if (done > 300) line.rate = 0.5;
        },
      });
      await expect(flashing).rejects.toMatchObject({ code: expect.stringMatching(/^device\.(silent|noisy)$/) });
      await session.close();
      const look = await Session.open(await running.connect());
      expect(await pullImage(look)).toEqual(IMAGE);
      await look.close();
    }, 60_000);
  });
}
