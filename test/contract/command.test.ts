import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/run.js';
import { CHECKS, HARMLESS } from '../../src/device/contract/checks.js';
import type { CheckReport } from '../../src/device/contract/contract.js';
import { pullImage } from '../../src/device/pull.js';
import { openTransport } from '../../src/device/resolve.js';
import { Session } from '../../src/device/session.js';
import { SimulatedBoard } from '../../src/device/simulated-board.js';
import { learn } from '../../src/device/stream.js';
import { serveTcp, type TcpBoard } from '../../src/device/tcp-server.js';
import { flashModel } from '../../src/device/transfer.js';
import { encodeImage } from '../../src/format/image.js';
import { randomData } from '../device/support/rig.js';
import { randomModel } from '../golden/random-model.js';

const MODEL = randomModel({ seed: 81, rawInputs: 20, classes: 3, hidden: [12, 9] });
const IMAGE = encodeImage(MODEL);
const OTHER = encodeImage(randomModel({ seed: 82, rawInputs: 20, classes: 3, hidden: [12, 9] }));

let folder = '';
let file = '';
let server: TcpBoard;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'goodness-verify-'));
  file = join(folder, 'model.ffm');
  writeFileSync(file, IMAGE);
  server = await serveTcp(await SimulatedBoard.start(), 0);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

async function verify(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const code = await run(['verify', file, ...words], {
    stdout: { write: (text) => (said.out += text) },
    stderr: { write: (text) => (said.err += text) },
    environment: { PATH: process.env.PATH },
    platform: process.platform,
    now: () => performance.now(),
    interrupted: () => new Promise(() => {}),
  });
  return { code, ...said };
}

/** Does something with the board behind the port, and gives what it holds then. */
async function withBoard(action: (session: Session) => Promise<unknown>): Promise<Uint8Array> {
  const session = await Session.open(await openTransport(server.address));
  try {
    await action(session);
    return await pullImage(session);
  } finally {
    await session.close();
  }
}

describe('goodness verify', () => {
  it('changes nothing by default, and says which checks it made', async () => {
    const before = await withBoard((session) => flashModel(session, IMAGE));
    const { code, out } = await verify('--port', server.address, '--samples', '10', '--json');
    expect(code).toBe(0);
    const report = JSON.parse(out) as { checks: CheckReport[]; bytesDifferent: number; mismatches: number };
    // Inference is compared on samples of the user's own, and so is no check of the contract here.
    expect(report.checks.map((check) => check.name)).toEqual(HARMLESS.filter((name) => name !== 'inference'));
    expect(report).toMatchObject({ bytesDifferent: 0, mismatches: 0, inferred: 10 });
    expect(await withBoard(async () => {})).toEqual(before);
  });

  it('--contract makes all checks, warns first, and leaves the given model on the board', async () => {
    await withBoard(async (session) => {
      await flashModel(session, OTHER);
      await learn(session, randomData(MODEL, 83, 20));
    });
    const { code, out, err } = await verify('--port', server.address, '--contract', '--learn', '60', '--json');
    expect(code).toBe(0);
    expect(err).toContain('is replaced');
    const report = JSON.parse(out) as { checks: CheckReport[]; bytesCompared: number };
    expect(report.checks.map((check) => check.name)).toEqual(CHECKS.map((check) => check.name));
    expect(report.checks.every((check) => check.ok)).toBe(true);
    expect(report.bytesCompared).toBeGreaterThan(10_000);
    expect(await withBoard(async () => {})).toEqual(IMAGE);
  });

  it('--contract without a port holds the core in this process against it, with a table for people', async () => {
    const { code, out, err } = await verify('--contract');
    expect(code).toBe(0);
    expect(err).not.toContain('is replaced');
    for (const { name } of CHECKS) expect(out).toContain(name);
    expect(out).toMatch(/wasm keeps the contract: \d+ bytes compared, none differs\n$/);
  });

  it('names the check and the place where a board differs', async () => {
    await withBoard((session) => flashModel(session, OTHER));
    const { code, err } = await verify('--port', server.address);
    expect(code).toBe(1);
    expect(err).toContain('error[check.parity]');
  });
});
