import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BOARD_IDS } from '../../src/device/boards/board.js';
import { findProgram } from '../../src/device/programs.js';
import { goodness, json } from './support/run.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'goodness-boards-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const path = process.env.PATH ?? '';
const compiles = findProgram(path, 'cc') !== undefined && findProgram(path, 'make') !== undefined;

describe('goodness boards', () => {
  it('lists every board, and what was not verified', async () => {
    const { code, out } = await goodness(['boards']);
    expect(code).toBe(0);
    for (const id of BOARD_IDS) expect(out).toMatch(new RegExp(`^${id} `, 'm'));
    expect(out).toContain('not verified on hardware');
  });

  it('gives the same as data', async () => {
    const { boards } = json(await goodness(['boards', '--json'])) as { boards: { id: string; budget?: object }[] };
    expect(boards.map((board) => board.id)).toEqual([...BOARD_IDS]);
    expect(boards.find((board) => board.id === 'microbit')).toMatchObject({
      bootloader: { protocol: 'smp' },
      budget: { payload: 800 },
    });
  });
});

describe('goodness ports', () => {
  it('gives what each port may be, as data', async () => {
    const { ports } = json(await goodness(['ports', '--json'])) as { ports: { path: string; boards: string[] }[] };
    for (const port of ports) expect(Array.isArray(port.boards), port.path).toBe(true);
  });
});

describe('goodness firmware', () => {
  it('lists what is there and what can be built', async () => {
    const { firmware } = json(await goodness(['firmware', 'list', '--json'])) as { firmware: { board: string }[] };
    expect(firmware.map((f) => f.board)).toContain('linux');
    expect(firmware.map((f) => f.board)).not.toContain('esp32');
  });

  it.skipIf(!compiles)('builds the Linux port (needs cc and make)', { timeout: 120_000 }, async () => {
    const said = await goodness(['firmware', 'build', 'linux', '--out', folder, '--json']);
    expect([said.code, said.err]).toEqual([0, 'building linux\n']);
    const { built } = json(said) as { built: { board: string; path: string }[] };
    expect(built).toEqual([{ board: 'linux', path: join(folder, 'linux') }]);
    expect(existsSync(built[0]!.path)).toBe(true);
    expect(readFileSync(built[0]!.path).subarray(1, 4).toString()).toBe('ELF');
  });

  it('names the compiler that is missing, and its package', async () => {
    const said = await goodness(['firmware', 'build', 'uno'], { environment: { PATH: '/nowhere' } });
    expect(said.code).toBe(2);
    expect(said.err).toContain('error[firmware.compiler]: building for Arduino Uno needs make and avr-gcc');
    expect(said.err).toContain('sudo apt install make gcc-avr binutils-avr avr-libc');
  });

  it('leaves out what can not be built when all is asked for, and says so', async () => {
    const said = await goodness(['firmware', 'build', 'all', '--json'], { environment: { PATH: '/nowhere' } });
    expect(said.code).toBe(0);
    const { built, skipped } = json(said) as { built: unknown[]; skipped: { board: string; missing: string[] }[] };
    expect(built).toEqual([]);
    expect(skipped).toContainEqual({ board: 'pico', missing: ['make', 'arm-none-eabi-gcc'] });
    expect(said.err).toContain('pico is left out');
  });

  it.each([
    [['firmware', 'burn'], 'usage.value'],
    [['firmware', 'build'], 'usage.argument'],
    [['firmware', 'build', 'toaster'], 'board.unknown'],
    [['firmware', 'build', 'esp32'], 'firmware.none'],
  ])('refuses %j', async (args, code) => {
    const said = await goodness(args);
    expect(said.code).toBe(2);
    expect(said.err).toContain(`error[${code}]`);
  });
});
