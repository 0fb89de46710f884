import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EmulatedBoard } from '../../src/device/emulated/emulated-board.js';
import { startPi } from '../../src/device/emulated/qemu-pi.js';
import { startNativeBoard } from '../../src/device/native-board.js';
import { flashModel } from '../../src/device/transfer.js';
import { encodeImage } from '../../src/format/image.js';
import { MESSAGES } from '../../src/format/message.js';
import { buildFirmware } from './support/firmware.js';
import { differences, imageOn, lacking, SMALL, WHOLE, withSession } from './support/session.js';

const MINUTE = 60_000;
const TARGETS = [
  ['arm64', 'aarch64-linux-gnu-gcc', 'qemu-aarch64-static'],
  ['armhf', 'arm-linux-gnueabihf-gcc', 'qemu-arm-static'],
] as const;

let board: EmulatedBoard | undefined;
afterEach(async () => {
  await board?.close();
  board = undefined;
});

for (const [architecture, compiler, runner] of TARGETS) {
  const lacks = lacking('make', compiler, runner);
  if (lacks.any) console.warn(`the program for Raspberry Pi, ${architecture}${lacks.title}`);

  describe.skipIf(lacks.any)(`the program for Raspberry Pi, ${architecture}${lacks.title}`, () => {
    let program: string;
    beforeAll(() => {
      program = buildFirmware(`pi-${architecture}`);
    }, 5 * MINUTE);

    it(
      'infers and learns as the reference does, and has what it saved after a reset',
      async () => {
        board = await startPi(architecture, { program });
        const { address } = board;
        const [image, boot] = await withSession(address, async (session) => {
          await flashModel(session, encodeImage(SMALL));
          expect(await differences(session, SMALL, 21, 40)).toBe(0);
          await session.request(MESSAGES.save, {});
          return [await imageOn(session, SMALL), (await session.request(MESSAGES.status, {})).boot];
        });
        await board.reset();
        await withSession(board.address, async (session) => {
          expect(await imageOn(session, SMALL)).toEqual(image);
          expect((await session.request(MESSAGES.status, {})).boot).not.toBe(boot);
        });
      },
      MINUTE,
    );

    it(
      'holds a whole 784-120-120 that learns in both layers',
      async () => {
        board = await startPi(architecture, { program });
        await withSession(board.address, async (session) => {
          await flashModel(session, encodeImage(WHOLE));
          expect(await differences(session, WHOLE, 22, 10)).toBe(0);
        });
      },
      MINUTE,
    );
  });
}

describe('running a program for another processor', () => {
  it('without its emulator says which package has it', async () => {
    const started = startNativeBoard({ program: '/bin/true', runner: ['qemu-of-no-processor'] });
    await expect(started).rejects.toMatchObject({
      code: 'emulator.missing',
      fix: expect.stringContaining('qemu-user-static'),
    });
  });

  const lacks = lacking('qemu-aarch64-static');
  it.skipIf(lacks.any)(`says why it did not start${lacks.title}`, async () => {
    const started = startPi('arm64', { program: '/no/such/program' });
    await expect(started).rejects.toMatchObject({
      code: 'native.start',
      message: expect.stringContaining('/no/such/program'),
    });
  });
});
