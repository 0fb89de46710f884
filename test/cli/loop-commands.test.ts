import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/run.js';
import { pullImage } from '../../src/device/pull.js';
import { openTransport } from '../../src/device/resolve.js';
import { Session } from '../../src/device/session.js';
import { SimulatedBoard } from '../../src/device/simulated-board.js';
import { serveTcp, type TcpBoard } from '../../src/device/tcp-server.js';
import { decodeImage } from '../../src/format/image.js';
import { MESSAGES } from '../../src/format/message.js';
import { metaOf } from '../../src/format/meta.js';
import { decodeCheckpoint } from '../../src/train/checkpoint-reader.js';
import { countingProxy } from './support/counting-proxy.js';

let folder = '';
let board: TcpBoard;
const at = (name: string): string => join(folder, name);

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

/** The single line of JSON that a command ends with. */
// biome-ignore lint/suspicious/noExplicitAny: each command has a result of its own
async function json(...args: string[]): Promise<any> {
  const { code, out, err } = await goodness(...args, '--json');
  expect(err).not.toContain('error[');
  expect(code).toBe(0);
  const lines = out.trim().split('\n');
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0]!);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'goodness-loop-'));
  board = await serveTcp(await SimulatedBoard.start(), 0);
  await json('generate', 'gestures', '--per-class', '60', '--out', at('gestures.csv'));
  await json('train', at('gestures.csv'), '--layers', '24-24', '--epochs', '15', '--out', at('model'));
}, 60_000);

afterAll(async () => {
  await board.close();
  rmSync(folder, { recursive: true });
});

describe('a model that was placed on a board with some layers frozen', () => {
  it('learns there and is synced, by the file as it was trained', async () => {
    const small = await serveTcp(await SimulatedBoard.start(), 0);
    const port = ['--port', small.address];
    await json('inspect', at('model/model.ffm'), '--board', 'microbit', '--learn', '0', '--out', at('placed.ffm'));
    const placed = decodeImage(new Uint8Array(readFileSync(at('placed.ffm'))));
    expect(placed.layers.map((layer) => layer.learns)).toEqual([true, false]);
    await json('flash', ...port, at('placed.ffm'));
    await json(
      'learn',
      ...port,
      '--data',
      at('gestures.csv'),
      '--shift',
      'drift50',
      '--samples',
      '100',
      '--statistics',
      '2',
    );
    const report = await json('sync', ...port, '--data', at('gestures.csv'), '--model', at('model/model.ffm'));
    expect(report).toBeDefined();
    const session = await Session.open(await openTransport(small.address));
    const after = decodeImage(await pullImage(session));
    expect(after.state.baseId).not.toBe(placed.state.baseId);
    expect(after.layers[1]!.weights).toEqual(placed.layers[1]!.weights);
    expect(after.layers[0]!.weights).not.toEqual(placed.layers[0]!.weights);
    await session.close();
    await small.close();
  }, 60_000);
});

describe('goodness train', () => {
  it('takes inputs, classes, names and scaling from a CSV into the image', () => {
    const model = decodeImage(new Uint8Array(readFileSync(at('model/model.ffm'))));
    const meta = metaOf(model);
    expect(model.rawInputs).toBe(42);
    expect(model.encoding).toBe('complement');
    expect(meta.classes).toEqual(['circle', 'idle', 'shake', 'swipe', 'tap', 'tilt']);
    expect(meta.features).toHaveLength(42);
    expect(meta.scaling!.step).toHaveLength(42);
    expect(existsSync(at('model/checkpoint.safetensors'))).toBe(true);
  });

  it('gives the same bytes for the same seed', async () => {
    await json('train', at('gestures.csv'), '--layers', '24-24', '--epochs', '15', '--out', at('again'));
    expect(readFileSync(at('again/model.ffm')).equals(readFileSync(at('model/model.ffm')))).toBe(true);
  });

  it('trains with the label in the input, and with quantization in the loop', async () => {
    const label = ['train', at('gestures.csv'), '--layers', '24', '--epochs', '3', '--objective', 'label'];
    expect((await json(...label, '--out', at('label'))).objective).toBe('label');
    const model = decodeImage(new Uint8Array(readFileSync(at('label/model.ffm'))));
    expect(model.objective).toBe('label');
    expect(model.layers.every((layer) => !layer.learns)).toBe(true);
    await json('train', at('gestures.csv'), '--layers', '24-24', '--epochs', '2', '--qat', '--out', at('qat'));
  });

  it.each([
    ['an unknown backend', ['--backend', 'gpu'], 'usage.value'],
    ['layers that are no multiples of the classes', ['--layers', '25-24'], 'network.shape'],
    ['layers that are no numbers', ['--layers', 'a-b'], 'usage.layers'],
    ['another number of inputs', ['--layers', '784-24-24'], 'usage.layers'],
    ['bits that it does not know', ['--bits', '5', '--epochs', '1'], 'quantize.bits'],
  ])('refuses %s', async (_, args, code) => {
    const said = await goodness('train', at('gestures.csv'), '--out', at('refused'), ...args);
    expect(said.err).toContain(`error[${code}]`);
    expect(said.code).toBe(2);
    expect(existsSync(at('refused/model.ffm'))).toBe(false);
  });

  it.each([
    ['an empty cell', 'a,b,label\n1,2,x\n3,,y\n', 'csv'],
    ['a cell that is no number', '1,2,x\n3,NaN,y\n4,5,x\n6,7,y\n', 'csv'],
    ['a single class', '1,2,x\n3,4,x\n', 'csv'],
    ['rows of different lengths', '1,2,x\n3,4,5,y\n', 'csv'],
  ])('refuses a CSV with %s', async (_, text, area) => {
    writeFileSync(at('bad.csv'), text);
    const said = await goodness('train', at('bad.csv'), '--out', at('bad'));
    expect(said.err).toMatch(new RegExp(`error\\[${area}\\.`));
    expect(said.code).toBe(2);
  });
});

describe('goodness quantize', () => {
  it('makes the image that train made', async () => {
    const args = ['quantize', at('model/checkpoint.safetensors'), '--data', at('gestures.csv'), '--out', at('q.ffm')];
    const { test } = await json(...args);
    const [a, b] = [at('q.ffm'), at('model/model.ffm')].map((f) => decodeImage(new Uint8Array(readFileSync(f))));
    expect(a!.layers.map((l) => [...l.weights])).toEqual(b!.layers.map((l) => [...l.weights]));
    expect(test.count).toBe(72);
  });

  it('sets thresholds for a rate of false rejects', async () => {
    const args = ['quantize', at('model/checkpoint.safetensors'), '--data', at('gestures.csv'), '--out', at('r.ffm')];
    const few = await json(...args, '--false-rejects', '1');
    const many = await json(...args, '--false-rejects', '40');
    few.thresholds.forEach((t: number, c: number) => {
      expect(t).toBeLessThanOrEqual(many.thresholds[c]);
    });
    expect(many.test.falseReject).toBeGreaterThan(few.test.falseReject);
  });

  it('refuses a file that is no checkpoint', async () => {
    const said = await goodness('quantize', at('gestures.csv'), '--data', at('gestures.csv'), '--out', at('x.ffm'));
    expect(said.code).toBe(2);
    expect(said.err).toMatch(/error\[(safetensors|checkpoint)\./);
  });
});

describe('goodness sync', () => {
  /** What a sync may cost beside the items that travel: greetings, checks that it is the same model, answers to the patch. */
  const OVERHEAD = 500;
  const port = (): string[] => ['--port', board.address];

  /** All that a user could miss on the board. */
  async function contents() {
    const session = await Session.open(await openTransport(board.address));
    const { framesDropped: _, ...status } = await session.request(MESSAGES.status, undefined);
    const image = Buffer.from(await pullImage(session)).toString('hex');
    await session.close();
    return { status, image };
  }

  it('answers what a device learned, keeps its count, and saves', async () => {
    await json(
      'generate',
      'gestures',
      '--drift',
      '0.7',
      '--per-class',
      '60',
      '--seed',
      '5',
      '--out',
      at('drifted.csv'),
    );
    await json('flash', at('model/model.ffm'), ...port());
    const before = await json('eval', ...port(), '--data', at('drifted.csv'));
    await json('learn', ...port(), '--data', at('drifted.csv'), '--samples', '150');
    const listed = await json('sync', ...port(), '--data', at('gestures.csv'), '--dry-run');
    expect(listed.telemetry.map((t: { item: string }) => t.item)).toEqual(['weights', 'means', 'counts', 'statistics']);
    const told = ['--statistics', at('told.bin')];
    const synced = await json('sync', ...port(), '--data', at('gestures.csv'), '--out', at('synced.ffm'), ...told);
    expect(synced).toMatchObject({ samples: 150, saved: true, steps: 3000 });
    expect(synced.proxy.family).toBe('moments');
    const after = await json('eval', ...port(), '--data', at('drifted.csv'));
    expect(after.error).toBeLessThan(before.error);
    expect(await json('monitor', ...port(), '--count', '1')).toMatchObject({ baseId: synced.baseId });
    expect(decodeImage(new Uint8Array(readFileSync(at('synced.ffm')))).state.baseId).toBe(synced.baseId);
  }, 120_000);

  it('tells what a proxy can be made of, as negative data for a training', async () => {
    const proxy = `negatives.kind=proxy,negatives.statistics=${at('told.bin')}`;
    const args = [at('gestures.csv'), '--layers', '24-24', '--epochs', '10', '--set', proxy, '--out', at('with-proxy')];
    expect((await json('train', ...args)).quantized.testError).toBeLessThan(40);
    const { config } = decodeCheckpoint(new Uint8Array(readFileSync(at('with-proxy/checkpoint.safetensors'))));
    expect(config.negatives).toEqual({ kind: 'proxy', statistics: at('told.bin') });
    writeFileSync(at('cut.bin'), readFileSync(at('told.bin')).subarray(0, 100));
    const cut = `negatives.kind=proxy,negatives.statistics=${at('cut.bin')}`;
    const said = await goodness('train', at('gestures.csv'), '--set', cut, '--out', at('with-proxy'));
    expect([said.code, said.err]).toEqual([2, expect.stringContaining('error[train.statistics]')]);
  }, 60_000);

  it('leaves on the device what the user switches off: its bytes never go over the line', async () => {
    const host = ['--data', at('gestures.csv'), '--model', at('model/model.ffm')];
    await json('flash', at('model/model.ffm'), ...port());
    await json('learn', ...port(), '--data', at('drifted.csv'), '--samples', '60');
    const listed = await json('sync', ...port(), ...host, '--dry-run');
    const size = Object.fromEntries(listed.telemetry.map((t: { item: string; bytes: number }) => [t.item, t.bytes]));

    const line = await countingProxy(board.address);
    const synced = await json('sync', '--port', line.address, ...host, '--without', 'weights,statistics');
    const { up } = line.bytes;
    await line.close();
    expect(synced).toMatchObject({ samples: 60, bytesUp: up });
    expect(up).toBeGreaterThan(size.means + size.counts);
    expect(up).toBeLessThan(size.means + size.counts + OVERHEAD);
    expect(Math.min(size.weights, size.statistics)).toBeGreaterThan(OVERHEAD);
  }, 120_000);

  it('needs the model from a file to leave something on the device, and asks the device nothing without', async () => {
    const line = await countingProxy(board.address);
    const args = ['--port', line.address, '--data', at('gestures.csv'), '--without', 'weights'];
    const said = await goodness('sync', ...args);
    await line.close();
    expect([said.code, line.bytes]).toEqual([2, { up: 0, down: 0 }]);
    expect(said.err).toContain('error[usage.model]');
  });

  it('refuses host data of another shape, and changes nothing', async () => {
    writeFileSync(
      at('small.csv'),
      Array.from({ length: 40 }, (_, i) => `${i},${i % 7},${i % 2 ? 'a' : 'b'}`).join('\n'),
    );
    await json('flash', at('model/model.ffm'), ...port());
    await json('learn', ...port(), '--data', at('gestures.csv'), '--samples', '20');
    const before = await contents();
    expect(before.status.samples).toBe(20);
    for (const model of [[], ['--model', at('model/model.ffm')]]) {
      const said = await goodness('sync', ...port(), '--data', at('small.csv'), ...model);
      expect(said.code).toBe(2);
      expect(said.err).toMatch(/error\[(csv|data|sync)\./);
      expect(await contents()).toEqual(before);
    }
  });

  it('refuses the model of another device, and changes nothing', async () => {
    const before = await contents();
    const args = ['--data', at('gestures.csv'), '--model', at('label/model.ffm')];
    const said = await goodness('sync', ...port(), ...args);
    expect(said.code).not.toBe(0);
    expect(said.err).toMatch(/error\[sync\./);
    expect(await contents()).toEqual(before);
  });

  it('says when the device has no model yet', async () => {
    const said = await goodness('sync', '--port', 'sim', '--data', at('gestures.csv'));
    expect(said.err).toContain('error[device.no_model]');
    expect(said.code).toBe(3);
  });

  it('says when no device is there', async () => {
    const said = await goodness('sync', '--port', 'tcp://127.0.0.1:1', '--data', at('gestures.csv'));
    expect(said.code).toBe(3);
  });
});

describe('goodness demo', () => {
  it('runs the loop on a CSV and ends with one line of JSON', async () => {
    const result = await json(
      ...['demo', '--data', at('gestures.csv'), '--layers', '24-24', '--epochs', '10'],
      ...['--stops', '20,60s', '--out', at('demo')],
    );
    expect(Object.keys(result)).toEqual([
      ...[
        'dataset',
        'layers',
        'seed',
        'train',
        'quantized',
        'device',
        'shift',
        'frozenError',
        'learn',
        'syncs',
        'parity',
      ],
    ]);
    expect(result.parity.mismatches).toBe(0);
    expect(result.syncs).toHaveLength(1);
    expect(readFileSync(at('demo/report.html'), 'utf8')).toContain('Error over samples');
    for (const file of ['checkpoint.safetensors', 'model.ffm', 'synced.ffm']) {
      expect(existsSync(at(`demo/${file}`))).toBe(true);
    }
  }, 120_000);

  it.each([
    [['--stops', '5,x'], 'usage.stops'],
    [['--stops', '50,20'], 'usage.stops'],
    [['--shift', 'rot30'], 'shift.geometry'],
    [['--shift', 'sideways'], 'shift.name'],
  ])('refuses %j', async (args, code) => {
    const said = await goodness('demo', '--data', at('gestures.csv'), '--epochs', '1', '--out', at('no'), ...args);
    expect(said.err).toContain(`error[${code}]`);
    expect(said.code).toBe(2);
  });
});
