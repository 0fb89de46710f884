import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { buildNativeBoard, startNativeBoard } from '../../src/device/native-board.js';
import { openTransport } from '../../src/device/resolve.js';
import { Session } from '../../src/device/session.js';
import { learn } from '../../src/device/stream.js';
import { flashModel } from '../../src/device/transfer.js';
import { IMAGE, MODEL, randomData } from './support/rig.js';

const hasCompiler = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;
if (!hasCompiler) console.warn('SKIPPED: the native board as a process: it needs Linux and a C compiler (cc)');

describe.runIf(hasCompiler)('the native board as a process', () => {
  it('has its pseudo terminal to one program at a time', async () => {
    const board = await startNativeBoard();
    const first = await openTransport(board.address);
    await expect(openTransport(board.address)).rejects.toMatchObject({
      code: 'port.busy',
      fix: expect.stringContaining('Close'),
    });
    await first.close();
    await (await openTransport(board.address)).close();
    await board.close();
  }, 60_000);

  it.each(['pty', 'tcp'])('that is killed in the middle of a stream ends it with an error (%s)', async (kind) => {
    const board = await startNativeBoard(kind === 'tcp' ? { tcp: 0 } : {});
    const session = await Session.open(await openTransport(board.address), { responseMs: 50 });
    await flashModel(session, IMAGE);
    let killed: Promise<void> | undefined;
    const outcome = learn(session, randomData(MODEL, 3, 20_000), {
      onProgress: (done) => {
        if (done > 500) killed ??= board.close();
      },
    });
    await expect(outcome).rejects.toMatchObject({ code: expect.stringMatching(/^device\.(gone|silent)$/) });
    await killed;
    await session.close();
    await expect(board.ended).resolves.toContain('SIGTERM');
  });

  it('leaves a file alone that is no flash of its size', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'goodness-notes-'));
    const notes = join(folder, 'notes.txt');
    writeFileSync(notes, 'do not lose this');
    await expect(startNativeBoard({ store: notes })).rejects.toMatchObject({ code: 'native.start' });
    expect(readFileSync(notes, 'utf8')).toBe('do not lose this');
    rmSync(folder, { recursive: true });
  });

  it('says why it does not start', async () => {
    await expect(startNativeBoard({ store: '/no/such/folder/flash.bin' })).rejects.toMatchObject({
      code: 'native.start',
      message: expect.stringContaining('/no/such/folder'),
    });
  });
});

describe('building the native board', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('without a C compiler says what to do instead', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'goodness-native-'));
    vi.stubEnv('PATH', cache);
    await expect(buildNativeBoard(cache)).rejects.toMatchObject({
      code: 'native.compiler',
      fix: expect.stringContaining('simulate --tcp'),
    });
    rmSync(cache, { recursive: true });
  });
});
