import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type QemuBoard, startQemu } from '../../src/device/emulated/qemu.js';
import { startMps } from '../../src/device/emulated/qemu-mps.js';
import { startStm32f405 } from '../../src/device/emulated/qemu-stm32f405.js';
import { verifyLearning, verifyModel } from '../../src/device/parity.js';
import { flashModel } from '../../src/device/transfer.js';
import { encodeImage } from '../../src/format/image.js';
import { MESSAGES } from '../../src/format/message.js';
import { buildFirmware } from './support/firmware.js';
import { differences, imageOn, lacking, modelOn, SMALL, samplesOf, WHOLE, withSession } from './support/session.js';

const MINUTE = 60_000;
/** How `firmware/ports/cortex-m/start.c` paints the stack. */
const PAINT = 0x57ac57ac;

const lacks = lacking('make', 'arm-none-eabi-gcc', 'qemu-system-arm');
if (lacks.any) console.warn(`boards in QEMU${lacks.title}`);

let board: QemuBoard | undefined;
afterEach(async () => {
  await board?.close();
  board = undefined;
});

const status = (address: string) => withSession(address, (session) => session.request(MESSAGES.status, {}));

/** Bytes of the stack between `from` and `to` that were ever used. */
async function stackUsed(on: QemuBoard, from: number, to: number): Promise<number> {
  const bytes = await on.readMemory(from, to - from);
  const words = new Uint32Array(bytes.buffer);
  const deepest = words.findIndex((word) => word !== PAINT);
  return bytes.length - 4 * deepest;
}

describe.skipIf(lacks.any)(`an MPS2 in QEMU${lacks.title}`, () => {
  let firmware: string;
  beforeAll(() => {
    firmware = buildFirmware('mps2-an386');
  }, 5 * MINUTE);

  it(
    'takes a model, infers and learns as the reference does, byte by byte',
    async () => {
      board = await startMps({ firmware });
      await withSession(board.address, async (session) => {
        expect(session.hello).toMatchObject({ target: 'mps2-an386', modelLoaded: false, persistent: false, window: 4 });
        await flashModel(session, encodeImage(SMALL));
        expect(await differences(session, SMALL, 7, 40)).toBe(0);
      });
    },
    MINUTE,
  );

  it(
    'starts again from what it saved, and not from what it learned since',
    async () => {
      board = await startMps({ firmware });
      const [saved, boot] = await withSession(board.address, async (session) => {
        await flashModel(session, encodeImage(SMALL));
        await verifyLearning(SMALL, session, samplesOf(SMALL, 8, 20));
        await session.request(MESSAGES.save, {});
        const image = await modelOn(session, SMALL);
        await verifyLearning(image, session, samplesOf(SMALL, 9, 20));
        return [image, (await session.request(MESSAGES.status, {})).boot];
      });
      await board.reset();
      await withSession(board.address, async (session) => {
        expect(await differences(session, saved, 10, 20)).toBe(0);
      });
      expect((await status(board.address)).boot).not.toBe(boot);
    },
    MINUTE,
  );

  it(
    'has lost its slots when the power comes back',
    async () => {
      board = await startMps({ firmware });
      await withSession(board.address, (session) => flashModel(session, encodeImage(SMALL)));
      await board.close();
      board = await startMps({ firmware });
      await withSession(board.address, async (session) => expect(session.hello.modelLoaded).toBe(false));
    },
    MINUTE,
  );

  it(
    'restarts when it is asked to, and says so by another boot number',
    async () => {
      board = await startMps({ firmware });
      const before = await status(board.address);
      await withSession(board.address, (session) => session.request(MESSAGES.reset, { mode: 0 }));
      expect((await status(board.address)).boot).not.toBe(before.boot);
    },
    MINUTE,
  );

  it(
    'holds a whole 784-120-120, and loses no byte of a window of long frames',
    async () => {
      board = await startMps({ firmware });
      const { address } = board;
      await withSession(address, async (session) => {
        await flashModel(session, encodeImage(WHOLE));
        expect(await differences(session, WHOLE, 11, 8)).toBe(0);
        await session.request(MESSAGES.statistics, { level: 2 });
        await session.request(MESSAGES.save, {});
        const { framesDropped } = await session.request(MESSAGES.status, {});
        expect(framesDropped).toBe(0);
      });
      expect(await stackUsed(board, 0x203ff000, 0x20400000)).toBeLessThan(2048);
    },
    3 * MINUTE,
  );
});

describe.skipIf(lacks.any)(`an STM32F405 in QEMU${lacks.title}`, () => {
  let firmware: string;
  beforeAll(() => {
    firmware = buildFirmware('stm32f405');
  }, 5 * MINUTE);

  it(
    'infers and learns as the reference does, with the model that came with the firmware',
    async () => {
      board = await startStm32f405({ firmware, model: encodeImage(SMALL) });
      await withSession(board.address, async (session) => {
        expect(session.hello).toMatchObject({ target: 'stm32f405', modelLoaded: true, canRestart: true });
        expect(await differences(session, SMALL, 12, 40)).toBe(0);
      });
    },
    MINUTE,
  );

  it(
    'refuses to save where flash takes nothing, loses nothing by it, and begins anew after a reset',
    async () => {
      board = await startStm32f405({ firmware, model: encodeImage(SMALL) });
      await withSession(board.address, async (session) => {
        await verifyLearning(SMALL, session, samplesOf(SMALL, 13, 20));
        const learned = await imageOn(session, SMALL);
        await expect(session.request(MESSAGES.save, {})).rejects.toMatchObject({ code: 'device.flash' });
        await expect(flashModel(session, encodeImage(SMALL))).rejects.toMatchObject({ code: 'device.flash' });
        expect(await imageOn(session, SMALL)).toEqual(learned);
        const now = await modelOn(session, SMALL);
        expect((await verifyLearning(now, session, samplesOf(SMALL, 14, 20))).mismatches).toBe(0);
      });
      await board.reset();
      await withSession(board.address, async (session) => {
        expect((await verifyModel(SMALL, session, samplesOf(SMALL, 15, 5))).mismatches).toBe(0);
      });
    },
    MINUTE,
  );

  it.each([0, 1])(
    'comes back from a restart in mode %i, here without the chip’s bootloader',
    async (mode) => {
      board = await startStm32f405({ firmware });
      const before = await status(board.address);
      await withSession(board.address, (session) => session.request(MESSAGES.reset, { mode }));
      expect((await status(board.address)).boot).not.toBe(before.boot);
    },
    MINUTE,
  );

  it(
    'holds a whole 784-120-120 that learns in both layers in 128 KB of RAM, and uses half of its stack at most',
    async () => {
      board = await startStm32f405({ firmware, model: encodeImage(WHOLE) });
      await withSession(board.address, async (session) => {
        expect(await differences(session, WHOLE, 16, 8)).toBe(0);
        await session.request(MESSAGES.save, {}).catch(() => {});
      });
      expect(await stackUsed(board, 0x20020000 - 3072, 0x20020000)).toBeLessThan(1536);
    },
    3 * MINUTE,
  );

  it(
    'has the firmware in its flash byte by byte',
    async () => {
      board = await startStm32f405({ firmware });
      const expected = readFileSync(firmware.replace(/hex$/, 'bin'));
      expect(Buffer.from(await board.readMemory(0x08000000, expected.length)).equals(expected)).toBe(true);
    },
    MINUTE,
  );
});

describe('starting QEMU', () => {
  it('without QEMU says which package has it', async () => {
    const started = startQemu({ machine: 'microbit', program: 'qemu-system-arm-of-nowhere' });
    await expect(started).rejects.toMatchObject({ code: 'emulator.missing', fix: expect.stringContaining('Install') });
  });

  it.skipIf(lacks.any)(`says what it did not like${lacks.title}`, async () => {
    await expect(startQemu({ machine: 'no-such-board' })).rejects.toMatchObject({
      code: 'emulator.start',
      got: expect.stringContaining('unsupported machine'),
    });
    await expect(startMps({ firmware: '/no/such/firmware.hex' })).rejects.toMatchObject({
      code: 'emulator.start',
      got: expect.stringContaining('/no/such/firmware.hex'),
    });
  });

  it.skipIf(lacks.any)(
    `answers at its monitor until it is closed${lacks.title}`,
    async () => {
      board = await startQemu({ machine: 'mps2-an386', image: buildFirmware('mps2-an386') });
      expect(await board.monitor('info version')).toMatch(/^\d+\.\d+/);
      await board.close();
      await expect(board.monitor('info version')).rejects.toMatchObject({ code: 'emulator.gone' });
      await expect(board.ended).resolves.toContain('signal 15');
      board = undefined;
    },
    5 * MINUTE,
  );
});
