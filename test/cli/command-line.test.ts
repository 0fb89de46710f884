import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { run } from '../../src/cli/run.js';
import { SimulatedBoard } from '../../src/device/simulated-board.js';
import { serveTcp, type TcpBoard } from '../../src/device/tcp-server.js';
import { encodeImage } from '../../src/format/image.js';
import { formatMeta } from '../../src/format/meta.js';
import { randomModel } from '../golden/random-model.js';

let folder = '';
let modelFile = '';
let otherFile = '';
let dataFile = '';
let server: TcpBoard;
let port = '';

const META = { classes: ['calm', 'shaken'], scaling: { offset: [0], step: [1] }, dataset: 'vibrations' };
const MODEL = {
  ...randomModel({ seed: 3, rawInputs: 6, classes: 2, hidden: [8, 6], encoding: 'complement' }),
  metaText: formatMeta(META),
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'goodness-cli-'));
  modelFile = join(folder, 'model.ffm');
  otherFile = join(folder, 'other.ffm');
  dataFile = join(folder, 'data.csv');
  writeFileSync(modelFile, encodeImage(MODEL));
  const layers = MODEL.layers.map((layer, l) =>
    l === 0 ? { ...layer, weights: layer.weights.map((w) => -w) } : layer,
  );
  writeFileSync(otherFile, encodeImage({ ...MODEL, layers }));
  const rows = Array.from({ length: 60 }, (_, i) => [i, 2 * i, 7, 255 - i, (i * 37) % 256, 9, META.classes[i % 2]]);
  writeFileSync(dataFile, rows.map((row) => row.join(',')).join('\n'));
  server = await serveTcp(await SimulatedBoard.start(), 0);
  port = server.address;
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, on pipes, or on terminals. */
async function goodness(
  args: readonly string[],
  options: { tty?: boolean; environment?: Record<string, string>; interrupt?: Promise<void> } = {},
): Promise<Said> {
  const said = { out: '', err: '' };
  let time = 0;
  const sink = (name: 'out' | 'err') => ({
    isTTY: options.tty ?? false,
    write: (text: string) => {
      said[name] += text;
    },
  });
  const code = await run(args, {
    stdout: sink('out'),
    stderr: sink('err'),
    environment: { PATH: process.env.PATH, ...options.environment },
    platform: process.platform,
    now: () => (time += 10),
    interrupted: () => options.interrupt ?? new Promise(() => {}),
  });
  return { code, ...said };
}

/** The one line of JSON on stdout. */
function json(said: Said): Record<string, unknown> {
  expect(said.out.endsWith('\n')).toBe(true);
  expect(said.out.trimEnd()).not.toContain('\n');
  return JSON.parse(said.out) as Record<string, unknown>;
}

describe('the command line', () => {
  it.each([['--help'], ['-h'], ['help']])('shows all commands on %s', async (flag) => {
    const { code, out, err } = await goodness([flag]);
    expect(code).toBe(0);
    expect(err).toBe('');
    for (const { name, summary } of COMMANDS) expect(out).toContain(`${name.padEnd(8)}  ${summary}`);
    expect(out).toContain('Exit codes');
  });

  it.each(COMMANDS.map((command) => [command.name]))(
    'explains %s, on stdout and without colours on a pipe',
    async (name) => {
      for (const args of [
        [name, '--help'],
        ['help', name],
      ]) {
        const { code, out, err } = await goodness(args);
        expect([code, err]).toEqual([0, '']);
        expect(out).toContain(`goodness ${name}`);
        expect(out).toContain('--json');
        expect(out).not.toContain('\u001b');
      }
    },
  );

  it('shows its version', async () => {
    expect((await goodness(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    ['no command', [], undefined],
    ['an unknown command', ['flahs'], 'usage.command'],
    ['an unknown option', ['ports', '--al'], 'usage.option'],
    ['a missing argument', ['inspect'], 'usage.argument'],
    ['a missing option', ['flash', 'model.ffm'], 'usage.argument'],
    ['an option without its value', ['flash', 'model.ffm', '--port', '--quiet'], 'usage.value'],
    ['too many words', ['inspect', 'a.ffm', 'b.ffm'], 'usage.argument'],
    ['a word for a number', ['verify', '{model}', '--samples', 'many'], 'usage.number'],
    ['a number out of range', ['simulate', '--tcp', '70000'], 'usage.number'],
    ['both ways to serve', ['simulate', '--tcp', '0', '--pty'], 'usage.value'],
    ['an unknown word', ['eval', '--port', 'sim', '--data', 'mnist', '--split', 'half'], 'usage.value'],
    [
      'an unknown shift',
      ['eval', '--port', 'sim', '--model', '{model}', '--data', '{data}', '--shift', 'spin9'],
      'shift.name',
    ],
    ['a file that is not there', ['inspect', '/no/such.ffm'], 'file.read'],
    ['a file that is no model', ['inspect', '{data}'], 'image.magic'],
    ['an unknown data set', ['eval', '--port', 'sim', '--model', '{model}', '--data', '/no/such'], 'data.missing'],
  ])('ends with 2 on %s', async (_, args, code) => {
    const filled = args.map((arg) => arg.replace('{model}', modelFile).replace('{data}', dataFile));
    const said = await goodness(filled);
    expect(said.code).toBe(2);
    if (code === undefined) return;
    expect(said.err).toContain(`error[${code}]: `);
    expect(said.out).toBe('');
    const machine = await goodness([...filled, '--json']);
    expect(machine.code).toBe(2);
    expect(json(machine)).toMatchObject({ error: { code, message: expect.any(String) } });
  });

  it.each([
    ['an absent port', ['monitor', '--port', '/dev/ttyNoSuch7'], 'port.absent'],
    ['a device without a model', ['learn', '--port', 'sim', '--data', 'mnist'], 'device.no_model'],
    ['a flash file that can not be written', ['flash', '{model}', '--port', 'sim:/nonexistent/x'], 'store.file'],
    ['the same to serve', ['simulate', '--store', '/nonexistent/x'], 'store.file'],
    ['a flash file of another board', ['eval', '--port', 'sim:{data}', '--data', 'mnist'], 'store.size'],
  ])('ends with 3 on %s', async (_, args, code) => {
    const said = await goodness(args.map((arg) => arg.replace('{data}', dataFile).replace('{model}', modelFile)));
    expect(said.err).toContain(`error[${code}]: `);
    expect(said.err).not.toContain('%');
    expect(said.code).toBe(3);
  });

  it('colours a terminal and no pipe, and NO_COLOR wins', async () => {
    const colour = '\u001b[3';
    expect((await goodness(['flahs'], { tty: true })).err).toContain(colour);
    expect((await goodness(['flahs'])).err).not.toContain(colour);
    expect((await goodness(['flahs'], { tty: true, environment: { NO_COLOR: '1' } })).err).not.toContain(colour);
    expect((await goodness(['--help'], { tty: true, environment: { NO_COLOR: 'yes' } })).out).not.toContain('\u001b');
  });
});

describe('goodness inspect', () => {
  it('gives layers, thresholds and the RAM split', async () => {
    const inspected = json(await goodness(['inspect', modelFile, '--json']));
    expect(inspected).toMatchObject({
      rawInputs: 6,
      encoding: 'complement',
      objective: 'partitioned',
      layers: [
        { inputs: 12, outputs: 8, weights: 96, learns: true, theta: MODEL.state.layers[0]!.theta },
        { inputs: 8, outputs: 6, weights: 48 },
      ],
      classes: [{ name: 'calm', threshold: MODEL.state.thresholds[0] }, { name: 'shaken' }],
      ram: {
        weights: 144,
        inference: expect.any(Number),
        learning: expect.any(Number),
        statistics: expect.any(Number),
      },
      meta: { dataset: 'vibrations' },
    });
  });

  it('says the same in words', async () => {
    const { code, out } = await goodness(['inspect', modelFile]);
    expect(code).toBe(0);
    expect(out).toContain('12-8-6 for vibrations');
    expect(out).toContain('weights 144');
    expect(out).toContain('shaken');
  });
});

describe('the commands for a device', () => {
  it('flash, verify, evaluate, teach and watch it', async () => {
    const flashed = json(await goodness(['flash', modelFile, '--port', port, '--json']));
    expect(flashed).toMatchObject({ verified: true, resumedAt: 0, baseId: MODEL.state.baseId });

    const verified = await goodness([
      'verify',
      modelFile,
      '--port',
      port,
      '--samples',
      '30',
      '--learn',
      '20',
      '--json',
    ]);
    expect(json(verified)).toMatchObject({ mismatches: 0, inferred: 30, learned: 20 });
    expect(verified.code).toBe(0);

    const evaluated = json(await goodness(['eval', '--port', port, '--data', dataFile, '--json']));
    expect(evaluated).toMatchObject({ count: 12, classes: META.classes });
    expect((evaluated.confusion as number[][]).flat().reduce((a, b) => a + b)).toBe(12);

    const learned = json(
      await goodness([
        'learn',
        '--port',
        port,
        '--data',
        dataFile,
        '--samples',
        '30',
        '--statistics',
        '2',
        '--save',
        '--json',
      ]),
    );
    expect(learned).toMatchObject({ samples: 30, unanswered: 0, samplesInAll: MODEL.state.samples + 30 });
    expect(learned.slot).toBeGreaterThan(1);

    const watched = await goodness(['monitor', '--port', port, '--count', '2', '--interval', '0.01', '--json']);
    const lines = watched.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatchObject({ samples: MODEL.state.samples + 30, framesDropped: expect.any(Number) });
  });

  it('verify ends with 1 where the device holds other weights, and names the place', async () => {
    await goodness(['flash', otherFile, '--port', port, '--quiet']);
    const said = await goodness(['verify', modelFile, '--port', port]);
    expect(said.code).toBe(1);
    expect(said.err).toContain('error[check.parity]');
    expect(said.err).toMatch(/weights of layer 0, neuron \d+/);
    expect(said.err).toMatch(/first activity: sample \d+, layer 0, neuron \d+/);
  });

  it('verify needs no port: the core in this process stands in', async () => {
    const said = await goodness(['verify', modelFile, '--learn', '50', '--data', dataFile]);
    expect([said.code, said.out]).toEqual([
      0,
      'wasm agrees with the reference: 100 samples inferred, 50 learned, no mismatch\n',
    ]);
  });

  it('work on a board whose flash is a file', async () => {
    const store = join(folder, 'flash.bin');
    expect((await goodness(['flash', modelFile, '--port', `sim:${store}`])).code).toBe(0);
    expect((await goodness(['eval', '--port', `sim:${store}`, '--data', dataFile])).out).toMatch(/^samples +12\nerror/);
  });

  it('draw a bar on a terminal, print quarters elsewhere, and keep quiet on demand', async () => {
    const args = ['flash', modelFile, '--port', port];
    expect((await goodness(args, { tty: true })).err).toContain('█');
    expect((await goodness(args)).err).toMatch(/send +100%\n/);
    expect((await goodness([...args, '--quiet'])).err).toBe('');
  });

  it('monitor in words until the user ends it', async () => {
    let interrupt = (): void => {};
    const ended = new Promise<void>((resolve) => {
      interrupt = resolve;
    });
    const watching = goodness(['monitor', '--port', port, '--interval', '3600'], { interrupt: ended });
    setTimeout(interrupt, 50);
    const said = await watching;
    expect(said.code).toBe(0);
    expect(said.out).toMatch(/^base [0-9a-f]{8} {2}learned \d+ {2}errors \d+ {2}updates \d+ {2}last (calm|shaken)/);
  });
});

describe('goodness simulate', () => {
  it('serves a board over TCP until the user ends it', async () => {
    let interrupt = (): void => {};
    const ended = new Promise<void>((resolve) => {
      interrupt = resolve;
    });
    let address = '';
    const found = new Promise<void>((resolve) => {
      const sink = {
        write: (text: string) => {
          address += text;
          resolve();
        },
      };
      void run(['simulate', '--json'], {
        stdout: sink,
        stderr: { write: () => {} },
        environment: {},
        platform: process.platform,
        now: () => 0,
        interrupted: () => ended,
      }).then(() => {
        address = 'ended';
      });
    });
    await found;
    const { port: served } = JSON.parse(address) as { port: string };
    expect((await goodness(['flash', modelFile, '--port', served])).code).toBe(0);
    interrupt();
    await expect.poll(() => address).toBe('ended');
    expect((await goodness(['flash', modelFile, '--port', served])).code).toBe(3);
  });

  it('refuses a TCP port that is taken', async () => {
    const said = await goodness(['simulate', '--tcp', port.split(':').at(-1)!]);
    expect(said.code).toBe(3);
    expect(said.err).toContain('error[port.busy]');
  });

  it('refuses a pseudo terminal where there is no Linux', async () => {
    const err: string[] = [];
    const code = await run(['simulate', '--pty'], {
      stdout: { write: () => {} },
      stderr: { write: (text: string) => err.push(text) },
      environment: {},
      platform: 'win32',
      now: () => 0,
      interrupted: () => new Promise(() => {}),
    });
    expect(code).toBe(3);
    expect(err.join('')).toContain('--tcp');
  });
});

describe('the installed program', () => {
  const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

  it('runs as a process of its own, and ends with the right codes', () => {
    expect(existsSync(program), 'dist/cli/main.js: run `npm run build` first').toBe(true);
    const help = spawnSync(process.execPath, [program, '--help'], { encoding: 'utf8' });
    expect([help.status, help.stderr]).toEqual([0, '']);
    const wrong = spawnSync(process.execPath, [program, 'inspect', dataFile, '--json'], { encoding: 'utf8' });
    expect(wrong.status).toBe(2);
    expect(JSON.parse(wrong.stdout)).toMatchObject({ error: { code: 'image.magic' } });
    const right = spawnSync(process.execPath, [program, 'flash', modelFile, '--port', 'sim', '--json'], {
      encoding: 'utf8',
    });
    expect(right.status).toBe(0);
    expect(JSON.parse(right.stdout)).toMatchObject({ imageBytes: encodeImage(MODEL).length });
  });

  it('lets a simulated board go when it is told to end', async () => {
    const child = spawn(process.execPath, [program, 'simulate'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const address = await new Promise<string>((resolve) => {
      child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
    });
    expect(address).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    child.kill('SIGTERM');
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
  });
});
