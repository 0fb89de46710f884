import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/run.js';
import { SimulatedBoard } from '../../src/device/simulated-board.js';
import { serveTcp, type TcpBoard } from '../../src/device/tcp-server.js';

let folder = '';
const boards: TcpBoard[] = [];
const at = (name: string): string => join(folder, name);
const pipeline = (...numbers: number[]): string[] => ['--pipeline', numbers.map((n) => boards[n]!.address).join(',')];

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function goodness(...args: string[]): Promise<Said> {
  const said = { out: '', err: '' };
  let time = 0;
  const code = await run(args, {
    stdout: { write: (text: string) => (said.out += text) },
    stderr: { write: (text: string) => (said.err += text) },
    environment: {},
    platform: 'linux',
    now: () => time++,
    interrupted: () => new Promise(() => {}),
  });
  return { code, ...said };
}

// biome-ignore lint/suspicious/noExplicitAny: each command has a result of its own
async function json(...args: string[]): Promise<any> {
  const { code, out, err } = await goodness(...args, '--json');
  expect(err).not.toContain('error[');
  expect(code).toBe(0);
  return JSON.parse(out.trim().split('\n').at(-1)!);
}

const data = (): string[] => ['--data', at('gestures.csv'), '--shift', 'drift50'];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'goodness-pipeline-'));
  for (let n = 0; n < 4; n++) boards.push(await serveTcp(await SimulatedBoard.start(), 0));
  await json('generate', 'gestures', '--per-class', '60', '--out', at('gestures.csv'));
  await json('train', at('gestures.csv'), '--layers', '24-24-24', '--epochs', '15', '--out', at('model'));
}, 60_000);

afterAll(async () => {
  for (const board of boards) await board.close();
  rmSync(folder, { recursive: true });
});

describe('a pipeline of boards from the command line', () => {
  const model = (): string => at('model/model.ffm');

  it('is flashed, verified, learns, is synced and evaluated as one board is', { timeout: 120_000 }, async () => {
    const flashed = await json('flash', ...pipeline(0, 1), model(), '--cut', '1');
    expect(flashed.cuts).toEqual([1]);
    expect(flashed.boards).toMatchObject([
      { layersBelow: 0, verified: true },
      { layersBelow: 1, verified: true },
    ]);
    await json('flash', '--port', boards[2]!.address, model());
    const verified = await json('verify', model(), ...pipeline(0, 1), '--samples', '10', '--learn', '40');
    expect(verified).toMatchObject({ mismatches: 0, inferred: 10, learned: 40, target: 'wasm and wasm' });

    const learned = async (...where: string[]): Promise<unknown> => {
      const { error, updates, samples, samplesInAll } = await json('learn', ...where, ...data(), '--save');
      return { error, updates, samples, samplesInAll };
    };
    const single = ['--port', boards[2]!.address];
    expect(await learned(...pipeline(0, 1))).toEqual(await learned(...single));
    const evaluated = async (...where: string[]): Promise<unknown> => {
      const { seconds: _, port: __, target: ___, ...rest } = await json('eval', ...where, ...data());
      return rest;
    };
    expect(await evaluated(...pipeline(0, 1))).toEqual(await evaluated(...single));
    const synced = async (...where: string[]): Promise<unknown> => {
      const report = await json('sync', ...where, '--data', at('gestures.csv'), '--model', model());
      const { samples, steps, proxyError, deviceError, saved } = report;
      return { samples, steps, proxyError, deviceError, saved };
    };
    expect(await synced(...pipeline(0, 1))).toEqual(await synced(...single));
    expect(await evaluated(...pipeline(0, 1))).toEqual(await evaluated(...single));
  });

  it('is cut where it is planned, over as many boards as are named', async () => {
    const { cuts } = await json('flash', ...pipeline(0, 1, 3), model());
    expect(cuts).toEqual([1, 2]);
    expect((await goodness('flash', ...pipeline(0, 1), model(), '--cut', '3')).err).toContain('error[stages.cut]');
    expect((await goodness('flash', ...pipeline(0, 1), model(), '--cut', 'x')).err).toContain('error[usage.value]');
    expect((await goodness('flash', ...pipeline(0, 1, 2, 3), model())).err).toContain('error[stages.cut]');
  });

  it('is refused in a wrong order, with one port, twice the same, and beside --port', async () => {
    await json('flash', ...pipeline(0, 1), model());
    const says = async (...args: string[]): Promise<string> => (await goodness('eval', ...args, ...data())).err;
    expect(await says(...pipeline(1, 0))).toContain('error[stages.order]');
    expect(await says(...pipeline(0))).toContain('error[usage.pipeline]');
    expect(await says(...pipeline(0, 0))).toContain('error[usage.pipeline]');
    expect(await says(...pipeline(0, 1), '--port', 'sim')).toContain('error[usage.pipeline]');
    const flash = await goodness('flash', ...pipeline(0, 1), model(), '--board', 'pico');
    expect(flash.err).toContain('error[usage.option]');
    expect((await goodness('flash', '--cut', '1', model())).err).toContain('--cut needs --pipeline');
    expect((await goodness('verify', model(), ...pipeline(0, 1), '--contract')).err).toContain('error[usage.option]');
  });

  it('says that the boards are apart when one has lost what it learned', async () => {
    await json('flash', ...pipeline(0, 1), model());
    await json('learn', ...pipeline(0, 1), ...data(), '--samples', '20');
    await json('flash', ...pipeline(0, 3), model());
    const { err } = await goodness('learn', ...pipeline(0, 1), ...data());
    expect(err).toContain('error[stages.apart]');
  });
});
