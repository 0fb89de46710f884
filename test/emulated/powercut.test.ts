import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeMicrobit, wrapMicrobit } from '../../src/device/emulated/microbit.js';
import { type CutCount, type CutSteps, cutPower } from '../../src/device/emulated/powercut.js';
import { PowerCutBoard } from '../../src/device/emulated/powercut-board.js';
import { FLASH_AT, FLASH_BYTES } from '../../src/device/emulated/powercut-flash.js';
import type { Work } from '../../src/device/emulated/powercut-talk.js';
import { encodeImage } from '../../src/format/image.js';
import { randomInputs, randomModel } from '../golden/random-model.js';
import { buildFirmware } from './support/firmware.js';
import { lacking } from './support/session.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const BOOT = join(root, 'build/boot/microbit/boot.bin');
/** The first of the two model slots. */
const OLD_MODEL = 0x8000;
const missing = lacking('make', 'arm-none-eabi-gcc', 'qemu-system-arm');

const image = (seed: number) =>
  encodeImage(randomModel({ seed, rawInputs: 20, classes: 3, hidden: [21, 12], learns: [true, true] }));
const samples = randomInputs(3, 20, 20).map((input, n) => ({ input, label: n % 3 }));

// Every cut is tried by `npm run bench:powercut`.
describe.skipIf(missing.any)(
  `a micro:bit in QEMU whose power goes at an operation on its flash${missing.title}`,
  () => {
    let board: PowerCutBoard;
    let firmware: Uint8Array;

    beforeAll(async () => {
      execFileSync('make', ['-s', '-C', join(root, 'firmware'), 'boot'], { stdio: 'pipe', timeout: 120_000 });
      firmware = readFileSync(buildFirmware('microbit').replace(/\.hex$/, '.bin'));
      board = await PowerCutBoard.start(BOOT);
    }, 300_000);
    afterAll(() => board?.close());

    const flashOfABoard = (): Uint8Array => {
      const { segments } = composeMicrobit({ boot: readFileSync(BOOT), firmware, build: 1, model: image(1) });
      const flash = new Uint8Array(FLASH_BYTES).fill(0xff);
      for (const { address, bytes } of segments) if (address >= FLASH_AT) flash.set(bytes, address - FLASH_AT);
      return flash;
    };
    const cut = async (work: Work, steps: CutSteps, next?: Uint8Array): Promise<CutCount> =>
      (await cutPower(board, work, flashOfABoard(), steps, next)).count;

    const NOTHING = { modelsLost: 0, firmwaresLost: 0, losses: [] };

    it('holds the old model or the new one, whole, and takes another, after cuts in a transfer', async () => {
      const count = await cut(
        { what: 'model transfer', image: image(2) },
        { stopped: 90, placed: 90, torn: 90 },
        image(3),
      );
      expect(count).toMatchObject(NOTHING);
      // Headers of a slot and the words of the model, each written once: no operation escapes.
      expect(count.operations - count.erases).toBe((image(2).length + 32) / 4);
      expect(count.stopped).toBe(Math.ceil(count.operations / 90));
      // Behind the last operation, and nowhere before, it is the new model.
      expect(count.tookNew).toBe(1);
      expect(count.keptOld).toBe(count.cuts - 1);
    }, 120_000);

    it('holds what it had learned before or what it saved, after cuts in a save', async () => {
      const count = await cut({ what: 'save', samples }, { stopped: 130, placed: 130, torn: 130 });
      expect(count).toMatchObject(NOTHING);
      expect(count).toMatchObject({
        ...{ tookNew: 1, keptOld: count.cuts - 1 },
        stopped: Math.ceil(count.operations / 130),
      });
    }, 120_000);

    it('runs the old firmware or the new one, and keeps its model, after cuts in an update', async () => {
      const count = await cut(
        { what: 'firmware update', file: wrapMicrobit(firmware, 2) },
        { stopped: 1500, placed: 500, torn: 800 },
      );
      expect(count).toMatchObject(NOTHING);
      expect(count.operations).toBeGreaterThan(firmware.length / 4);
      expect(count.keptOld).toBeGreaterThan(3);
      expect(count.tookNew).toBeGreaterThan(3);
    }, 180_000);

    it('is noticed to have lost its model, where that is damaged behind its back', async () => {
      const flash = flashOfABoard();
      const damaging = Object.create(board, {
        putFlash: {
          value: (bytes: Uint8Array) => {
            const put = bytes.slice();
            // A byte of the old model, but not before the transfer has begun.
            if (Buffer.compare(bytes, flash) !== 0) put[OLD_MODEL - FLASH_AT + 200]! ^= 1;
            return board.putFlash(put);
          },
        },
      }) as PowerCutBoard;
      const work = { what: 'model transfer', image: image(2) } as const;
      const { count } = await cutPower(damaging, work, flash, { stopped: 1000, placed: 100, torn: 1000 });
      expect(count.modelsLost).toBeGreaterThan(1);
      expect(count.losses).toContain('behind 100 operations: another model');
      expect(count.firmwaresLost).toBe(0);
    }, 120_000);
  },
);
