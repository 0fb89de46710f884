import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { verifyLearning } from '../../src/device/parity.js';
import { Session } from '../../src/device/session.js';
import { StreamTransport } from '../../src/device/stream-transport.js';
import { flashModel } from '../../src/device/transfer.js';
import { encodeImage } from '../../src/format/image.js';
import { MESSAGES } from '../../src/format/message.js';
import { differences, imageOn, lacking, SMALL, samplesOf } from './support/session.js';

const FIRMWARE = fileURLToPath(new URL('../../firmware', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'goodness-template-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const make = (...words: string[]): void => {
  execFileSync('make', ['-s', '-C', FIRMWARE, `BUILD=${folder}`, 'BOARD=template', ...words], { stdio: 'pipe' });
};

describe('the template for a new board', () => {
  const cross = lacking('make', 'arm-none-eabi-gcc');
  it.skipIf(cross.any)(`compiles for a Cortex-M${cross.title}`, () => make(), 300_000);

  const host = lacking('make', 'gcc');
  it.skipIf(host.any)(
    `runs on this machine, and keeps a model over a reload${host.title}`,
    async () => {
      make('TEMPLATE=host');
      const child = spawn(join(folder, 'boards/template-host/firmware.elf'), { stdio: ['pipe', 'pipe', 'inherit'] });
      const ended = new Promise<void>((resolve) => {
        child.once('close', () => resolve());
      });
      const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
      const shut = async (): Promise<void> => {
        child.kill();
        await ended;
      };
      const session = await Session.open(new StreamTransport(stream, 'the template', undefined, shut));
      try {
        expect(session.hello.target).toBe('template');
        await flashModel(session, encodeImage(SMALL));
        expect(await differences(session, SMALL, 31, 20)).toBe(0);
        await session.request(MESSAGES.save, {});
        const saved = await imageOn(session, SMALL);
        await verifyLearning(SMALL, session, samplesOf(SMALL, 32, 5));
        expect(await imageOn(session, SMALL)).not.toEqual(saved);
        await session.request(MESSAGES.reload, {});
        expect(await imageOn(session, SMALL)).toEqual(saved);
      } finally {
        await session.close();
      }
    },
    300_000,
  );
});
