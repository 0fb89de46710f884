import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MICROBIT } from '../../src/device/boards/microbit.js';
import type { BootloaderOptions } from '../../src/device/bootloader/bootloader.js';
import { openLine } from '../../src/device/bootloader/line.js';
import { readImage } from '../../src/device/bootloader/mcuboot-image.js';
import { smp } from '../../src/device/bootloader/smp.js';
import { SmpClient } from '../../src/device/bootloader/smp-client.js';
import { composeMicrobit, type Microbit, startMicrobit, wrapMicrobit } from '../../src/device/emulated/microbit.js';
import { verifyLearning, verifyModel } from '../../src/device/parity.js';
import { openTransport } from '../../src/device/resolve.js';
import { Session } from '../../src/device/session.js';
import { flashModel, readRegion } from '../../src/device/transfer.js';
import { encodeImage } from '../../src/format/image.js';
import { MESSAGES, REGION } from '../../src/format/message.js';
import type { Model } from '../../src/format/model.js';
import { randomInputs, randomModel } from '../golden/random-model.js';
import { hasProgram } from '../support/programs.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const BOOT = join(root, 'build/boot/microbit/boot.bin');
const FIRMWARE = join(root, 'build/boards/microbit/firmware.bin');
const lacking = ['make', 'arm-none-eabi-gcc', 'qemu-system-arm'].filter((program) => !hasProgram(program));
const skipped = lacking.length ? ` (SKIPPED: there is no ${lacking.join(', ')})` : '';

/** A Python that has smpclient, the client of the protocol's own community. */
const python = [process.env.GOODNESS_PYTHON, 'python3'].find(
  (program) => program !== undefined && spawnSync(program, ['-c', 'import smpclient']).status === 0,
);
const run = promisify(execFile);

let board: Microbit | undefined;
const folder = mkdtempSync(join(tmpdir(), 'goodness-microbit-test-'));
afterEach(async () => {
  await board?.close();
  board = undefined;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(options: { firmware?: string; model?: Uint8Array; build?: number } = {}): Promise<Microbit> {
  board = await startMicrobit({ boot: BOOT, ...options });
  return board;
}

/** A conversation with the firmware, closed in any case. */
async function withSession<T>(action: (session: Session) => Promise<T>): Promise<T> {
  const session = await Session.open(await openTransport(board!.address));
  try {
    return await action(session);
  } finally {
    await session.close();
  }
}

/** A conversation with the bootloader, which must be running. */
async function withClient<T>(action: (client: SmpClient) => Promise<T>): Promise<T> {
  const line = await openLine(board!.address, { baud: 115200 });
  try {
    return await action(new SmpClient(line));
  } finally {
    await line.close();
  }
}

/** A restart in the bootloader, as the host asks for it over the firmware's own link. */
const toBootloader = () => withSession((session) => session.request(MESSAGES.reset, { mode: 1 }));

const firmwareOf = (build: number) => wrapMicrobit(readFileSync(FIRMWARE), build);
const imageOf = (file: Uint8Array) => ({ segments: [{ address: 0x2000, bytes: file }] });
const SETTINGS = { bauds: [115200], knockMs: 8000 };
const QUIET: BootloaderOptions = {};

/** A client that dies in the middle of an upload. */
const UNPLUGGED = {
  onProgress: (done: number) => {
    if (done > 5000) throw new Error('unplugged');
  },
};

/** The versions in both slots, in the bootloader's own words. */
const versions = async (client: SmpClient) =>
  (await client.images())!.map(({ slot, version }) => `${slot}: ${version}`);

/** What runs, by the version in slot 0. */
async function running(): Promise<number> {
  const header = await board!.readMemory(0x2000, 32);
  return new DataView(header.buffer, header.byteOffset).getUint32(24, true);
}

describe.skipIf(lacking.length > 0)(`the micro:bit in QEMU${skipped}`, () => {
  beforeAll(() => {
    for (const words of [['boot'], ['BOARD=microbit']]) {
      const made = spawnSync('make', ['-s', '-C', join(root, 'firmware'), ...words], { encoding: 'utf8' });
      if (made.status !== 0) throw new Error(made.stderr);
      console.log(made.stdout.trim());
    }
  }, 180_000);

  describe('its bootloader', () => {
    it('stays in itself without firmware, and takes one that runs after a reset', async () => {
      await start();
      const phases: string[] = [];
      const report = await smp(SETTINGS)(board!.address, imageOf(firmwareOf(7)), {
        onProgress: (phase) => phases.includes(phase) || phases.push(phase),
      });
      expect(report).toEqual({
        chip: 'Goodness bootloader',
        bytesWritten: firmwareOf(7).length,
        bytesVerified: firmwareOf(7).length,
        baud: 115200,
      });
      expect(phases).toEqual(['connect', 'write', 'verify']);
      expect(await withSession(async ({ hello }) => hello.target)).toBe('microbit');
      expect(await running()).toBe(7);
    }, 60_000);

    it('puts a new firmware over one that runs, without a button, and touches no model', async () => {
      const model = small();
      await start({ firmware: FIRMWARE, build: 1, model: encodeImage(model) });
      const models = await board!.readMemory(0x8000, 0x38000);
      await withSession((session) => verifyModel(model, session, samples(model, 2)));
      const report = await smp(SETTINGS)(board!.address, imageOf(firmwareOf(2)), QUIET);
      expect(report.chip).toBe('Goodness bootloader, firmware 0.1.0.1');
      await withSession(async (session) => {
        expect(session.hello.modelLoaded).toBe(true);
        expect((await verifyModel(model, session, samples(model, 2))).mismatches).toBe(0);
      });
      expect(await running()).toBe(2);
      expect(Buffer.compare(await board!.readMemory(0x8000, 0x38000), models)).toBe(0);
      // A restart finds the copy done.
      await board!.reset();
      await withSession(async () => {});
      expect(await running()).toBe(2);
    }, 60_000);

    it('refuses an image with a flipped byte, and the old firmware runs', async () => {
      await start({ firmware: FIRMWARE, build: 1 });
      await toBootloader();
      for (const at of [9, 300, firmwareOf(2).length - 1]) {
        const file = firmwareOf(2);
        file[at]! ^= 0x10;
        const refusal = withClient((client) => client.upload(file));
        await expect(refusal).rejects.toMatchObject({
          code: 'bootloader.refused',
          got: expect.stringContaining('ECORRUPT'),
        });
        expect(await withClient(versions)).toEqual(['0: 0.1.0.1']);
      }
      await withClient((client) => client.reset());
      expect(await withSession(async ({ hello }) => hello.target)).toBe('microbit');
      expect(await running()).toBe(1);
    }, 60_000);

    it('goes on with an upload that broke off, also for a client that comes later', async () => {
      await start({ firmware: FIRMWARE, build: 1 });
      await toBootloader();
      const file = firmwareOf(3);
      await expect(withClient((client) => client.upload(file, UNPLUGGED))).rejects.toThrow('unplugged');
      const { resumedAt, matches } = await withClient((client) => client.upload(file));
      expect(resumedAt).toBeGreaterThan(5000);
      expect(matches).toBe(true);
      // All of it is there: nothing is sent twice.
      expect((await withClient((client) => client.upload(file))).resumedAt).toBe(file.length);
      expect(await withClient(versions)).toEqual(['0: 0.1.0.1', '1: 0.1.0.3']);
      await withClient((client) => client.reset());
      await withSession(async () => {});
      expect(await running()).toBe(3);
    }, 60_000);

    it('starts another upload from the beginning, and keeps the firmware when power goes in the middle', async () => {
      await start({ firmware: FIRMWARE, build: 1 });
      await toBootloader();
      await expect(withClient((client) => client.upload(firmwareOf(3), UNPLUGGED))).rejects.toThrow('unplugged');
      await board!.reset();
      await withSession(async () => {});
      expect(await running()).toBe(1);
      await toBootloader();
      expect(await withClient((client) => client.upload(firmwareOf(4)))).toEqual({ resumedAt: 0, matches: true });
    }, 60_000);

    it('tells that an upload will stay, and takes one back when its slot is emptied', async () => {
      await start({ firmware: FIRMWARE, build: 1 });
      await toBootloader();
      await withClient(async (client) => {
        expect(await client.echo('hello')).toBe('hello');
        expect(await client.bufferBytes()).toBe(1020);
        expect(await client.bootloader()).toBe('Goodness');
        const file = firmwareOf(5);
        await client.upload(file);
        const { hash } = readImage(file);
        const [old, next] = (await client.images())!;
        expect(old).toMatchObject({ slot: 0, active: true, confirmed: true, pending: false, bootable: true });
        expect(next).toMatchObject({ slot: 1, active: false, confirmed: false, pending: true, permanent: true, hash });
        expect(await client.choose(hash, false)).toHaveLength(2);
        await expect(client.choose(new Uint8Array(32), true)).rejects.toMatchObject({
          got: expect.stringContaining('ENOENT'),
        });
        await expect(client.erase(0)).rejects.toMatchObject({ got: expect.stringContaining('EINVAL') });
        await client.erase();
        expect(await versions(client)).toEqual(['0: 0.1.0.1']);
        await expect(client.choose(hash, true)).rejects.toMatchObject({ got: expect.stringContaining('ENOENT') });
        await expect(client.upload(firmwareOf(0), { upgradeOnly: true })).rejects.toMatchObject({
          got: expect.stringContaining('EBADSTATE'),
        });
        await expect(client.upload(new Uint8Array(12285))).rejects.toMatchObject({
          got: expect.stringContaining('ENOMEM'),
        });
        await client.reset(true);
      });
      await withClient(async (client) => expect(await versions(client)).toEqual(['0: 0.1.0.1']));
    }, 60_000);

    it('lets a client in that knocks after a reset, and nobody else', async () => {
      await start({ firmware: FIRMWARE, build: 1 });
      await withSession(async () => {});
      const line = await openLine(board!.address, { baud: 115200 });
      const client = new SmpClient(line);
      await expect(client.echo('nobody', 300)).rejects.toMatchObject({ code: 'bootloader.timeout' });
      // On a busy machine a knock may miss the 300 ms, as somebody at a real board may: then reset is pressed again.
      let heard = '';
      for (let press = 0; press < 8 && heard === ''; press++) {
        const knocks = async () => {
          for (let k = 0; k < 10 && heard === ''; k++) heard = await client.echo('me', 100).catch(() => '');
        };
        await Promise.all([knocks(), board!.reset()]);
      }
      expect(heard).toBe('me');
      await client.reset();
      // Half a knock holds the start up for a second, no longer.
      await line.write(Uint8Array.of(6, 9, 65, 65));
      await line.close();
      expect(await withSession(async ({ hello }) => hello.target)).toBe('microbit');
    }, 60_000);

    it('is missed with a hint which button to press, where nothing answers', async () => {
      await start({ firmware: FIRMWARE });
      await board!.monitor('stop');
      const tried: string[] = [];
      const flashing = smp({ bauds: [115200], knockMs: 100 })(board!.address, imageOf(firmwareOf(2)), {
        onTry: (text) => tried.push(text),
      });
      await expect(flashing).rejects.toMatchObject({
        code: 'bootloader.sync',
        fix: expect.stringContaining('button A'),
      });
      expect(tried).toEqual(['SMP at 115200 bits per second']);
    }, 60_000);

    it('finishes a copy that resets break into, again and again', async () => {
      await start({ firmware: FIRMWARE, build: 1 });
      await toBootloader();
      await withClient(async (client) => {
        await client.upload(firmwareOf(8));
        await client.reset();
      });
      for (const milliseconds of [0, 1, 2, 3, 5, 8, 13]) {
        await new Promise((resolve) => setTimeout(resolve, milliseconds));
        await board!.reset();
      }
      await withSession(async ({ hello }) => expect(hello.target).toBe('microbit'));
      expect(await running()).toBe(8);
    }, 60_000);

    it('starts with a firmware that lies there composed with bootloader and model', async () => {
      const image = encodeImage(small());
      const { segments } = composeMicrobit({
        boot: readFileSync(BOOT),
        firmware: readFileSync(FIRMWARE),
        model: image,
      });
      expect(segments.map(({ address }) => address)).toEqual([0, 0x2000, 0x8000]);
      await start({ firmware: FIRMWARE, model: image });
      for (const { address, bytes } of segments) {
        expect(Buffer.compare(await board!.readMemory(address, bytes.length), bytes)).toBe(0);
      }
      await withSession(async (session) => expect(session.hello.modelLoaded).toBe(true));
    }, 60_000);

    it.skipIf(python === undefined)(
      `serves smpclient, an independent client${python === undefined ? ' (SKIPPED: no Python with smpclient)' : ''}`,
      async () => {
        await start({ firmware: FIRMWARE, build: 1 });
        await toBootloader();
        const good = join(folder, 'good.bin');
        const bad = join(folder, 'bad.bin');
        writeFileSync(good, firmwareOf(6));
        const flipped = firmwareOf(6);
        flipped[4000]! ^= 1;
        writeFileSync(bad, flipped);
        const script = join(folder, 'witness.py');
        writeFileSync(script, WITNESS);
        const { stdout } = await run(python!, [script, board!.address, good, bad], { timeout: 50_000 });
        expect(stdout.trim().split('\n')).toEqual([
          'echo hello',
          'refused True',
          'slot 0 0.1.0.1 active',
          `sent ${firmwareOf(6).length}`,
          'slot 0 0.1.0.1 active',
          'slot 1 0.1.0.6 pending',
          'reset',
        ]);
        await withSession(async () => {});
        expect(await running()).toBe(6);
      },
      60_000,
    );
  });

  describe('its firmware', () => {
    it('has what the data of the board say', async () => {
      await start({ firmware: FIRMWARE });
      const { hello } = await withSession(async (session) => session);
      const budget = MICROBIT.budget!;
      expect(hello).toMatchObject({ arenaBytes: budget.arenaBytes, maxRequest: budget.payload, window: budget.window });
      expect(hello).toMatchObject({ slotBytes: 112 * 1024 - 32, persistent: true, canRestart: true, learns: true });
    }, 60_000);

    it('takes models over the link, learns bit for bit as the reference does, and finds what it saved after a reset', async () => {
      const model = small();
      await start({ firmware: FIRMWARE });
      await withSession(async (session) => {
        expect((await flashModel(session, encodeImage(model))).verified).toBe(true);
        expect((await verifyModel(model, session, samples(model, 5))).mismatches).toBe(0);
        expect((await verifyLearning(model, session, labelled(model, 60))).mismatches).toBe(0);
        await session.request(MESSAGES.save, undefined);
        console.log(`a transfer, learning and a save: stack ${await stackUsed()}`);
      });
      const before = await withSession((session) => readRegion(session, REGION.image, 0, session.hello.imageLength));
      await board!.reset();
      await withSession(async (session) => {
        expect(session.hello.samples).toBe(model.state.samples + 60);
        expect(Buffer.compare(await readRegion(session, REGION.image, 0, before.length), before)).toBe(0);
      });
    }, 120_000);

    it('keeps the last model when power goes while another is sent', async () => {
      const model = small();
      await start({ firmware: FIRMWARE, model: encodeImage(model) });
      const other = encodeImage(
        randomModel({ seed: 8, rawInputs: 300, classes: 4, hidden: [100, 40], learns: [false, true] }),
      );
      const dies = withSession((session) =>
        flashModel(session, other, {
          onProgress: (_, done) => {
            if (done > 10_000) throw new Error('unplugged');
          },
        }),
      );
      await expect(dies).rejects.toThrow('unplugged');
      await board!.reset();
      await withSession(async (again) => {
        expect((await verifyModel(model, again, samples(model, 3))).mismatches).toBe(0);
      });
    }, 120_000);

    it('runs a 784-120-120 in place from flash', async () => {
      const model = randomModel({ seed: 5, rawInputs: 784, classes: 10, hidden: [120, 120], learns: [false, false] });
      await start({ firmware: FIRMWARE, model: encodeImage(model) });
      await withSession(async (session) => {
        const report = await verifyModel(model, session, samples(model, 4));
        expect(report).toEqual({ samples: 4, mismatches: 0 });
        console.log(
          `784-120-120 in place: image ${session.hello.imageLength} bytes, arena used ${session.hello.arenaUsed}`,
        );
      });
    }, 120_000);

    it('runs 784-120 in place and learns a layer of 60 above it in RAM', async () => {
      const model = randomModel({ seed: 6, rawInputs: 784, classes: 10, hidden: [120, 60], learns: [false, true] });
      await start({ firmware: FIRMWARE, model: encodeImage(model) });
      await withSession(async (session) => {
        expect((await verifyModel(model, session, samples(model, 2))).mismatches).toBe(0);
        expect((await verifyLearning(model, session, labelled(model, 40))).mismatches).toBe(0);
        await session.request(MESSAGES.save, undefined);
        const { arenaUsed, arenaBytes } = session.hello;
        console.log(
          `784-120-60, upper layer learns: arena used ${arenaUsed} of ${arenaBytes}, stack ${await stackUsed()}`,
        );
      });
      expect(await stackUsed()).toBeLessThan(MICROBIT.budget!.stackBytes - 256);
      await board!.reset();
      await withSession(async (session) => expect(session.hello.samples).toBe(model.state.samples + 40));
    }, 120_000);

    it('counts microseconds, and shows a restart by its boot number', async () => {
      const model = small();
      await start({ firmware: FIRMWARE, model: encodeImage(model) });
      const status = () =>
        withSession(async (session) => {
          await session.request(MESSAGES.infer, { input: samples(model, 1)[0]!.input });
          return session.request(MESSAGES.status, undefined);
        });
      const first = await status();
      expect(first.microseconds).toBeGreaterThan(0);
      expect((await status()).boot).toBe(first.boot);
      await board!.reset();
      expect((await status()).boot).not.toBe(first.boot);
    }, 60_000);
  });
});

/** Deepest that the stack went since the start: words below still have the pattern that the start painted them with. */
async function stackUsed(): Promise<number> {
  const { stackBytes } = MICROBIT.budget!;
  const stack = await board!.readMemory(0x20003ff8 - stackBytes, stackBytes);
  const view = new DataView(stack.buffer, stack.byteOffset, stack.byteLength);
  let at = 0;
  while (at < stackBytes && view.getUint32(at, true) === 0x57ac57ac) at += 4;
  expect(at).toBeGreaterThan(0);
  return stackBytes - at;
}

function small(): Model {
  return randomModel({ seed: 4, rawInputs: 40, classes: 4, hidden: [24, 16] });
}

const samples = (model: Model, count: number) =>
  randomInputs(11, count, model.rawInputs).map((input, n) => ({ input, label: n % model.classes }));
const labelled = samples;

const WITNESS = `
import asyncio, sys
from smpclient import SMPClient
from smpclient.exceptions import SMPUploadError
from smpclient.generics import success
from smpclient.requests.image_management import ImageStatesRead
from smpclient.requests.os_management import EchoWrite, ResetWrite
from smpclient.transport.serial import SMPSerialTransport

async def states(client):
    for image in (await client.request(ImageStatesRead())).images:
        print('slot', image.slot, image.version, 'active' if image.active else 'pending' if image.pending else '')

async def main(port, good, bad):
    client = SMPClient(SMPSerialTransport(), port, 5.0)
    await client.connect()
    print('echo', (await client.request(EchoWrite(d='hello'))).r)
    try:
        async for offset in client.upload(open(bad, 'rb').read()):
            pass
        print('taken')
    except SMPUploadError as error:
        print('refused', 'rc=9' in str(error))
    await states(client)
    async for offset in client.upload(open(good, 'rb').read()):
        pass
    print('sent', offset)
    await states(client)
    assert success(await client.request(ResetWrite()))
    print('reset')
    await client.disconnect()

asyncio.run(main(*sys.argv[1:]))
`;
