import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { type Esp32Options, esp32 } from '../../src/device/bootloader/esp32.js';
import { EsptoolTransport } from '../../src/device/bootloader/esp32-transport.js';
import { type Line, type ModemLines, openLine } from '../../src/device/bootloader/line.js';
import { systemClock } from '../../src/device/clock.js';
import { Esp32RomEmulator, type Esp32RomOptions } from './emulators/esp32-rom.js';
import { PTY_LACKS } from './emulators/pty.js';

const run = promisify(execFile);
const title = (text: string, missing: string | undefined): string =>
  missing === undefined ? text : `${text} (SKIPPED: ${missing})`;

/** Random enough not to be compressed, the same on every run; from the second half on it repeats, which is. */
function pattern(count: number, seed = 1): Uint8Array {
  let r = seed;
  return Uint8Array.from({ length: count }, (_, i) => {
    if (i > count / 2) return i & 7;
    r = (Math.imul(r, 1103515245) + 12345) >>> 0;
    return r >>> 24;
  });
}

const segment = (address: number, bytes: Uint8Array) => ({ address, bytes });

let rom: Esp32RomEmulator | undefined;
async function start(options: Esp32RomOptions = {}): Promise<Esp32RomEmulator> {
  rom = await Esp32RomEmulator.start(options);
  return rom;
}
afterEach(async () => {
  await rom?.close();
  rom = undefined;
});

const python = process.env.GOODNESS_PYTHON ?? 'python3';
const ESPTOOL_LACKS =
  PTY_LACKS ??
  (spawnSync(python, ['-c', 'import esptool']).status === 0 ? undefined : `${python} has no module esptool`);

describe.skipIf(ESPTOOL_LACKS)(title("the emulated ESP32 ROM, judged by Espressif's esptool", ESPTOOL_LACKS), () => {
  const esptool = async (path: string, before: readonly string[], command: readonly string[]): Promise<string> => {
    const common = ['--chip', 'esp32', '--port', path, '--before', 'no-reset', '--after', 'no-reset'];
    return (await run(python, ['-m', 'esptool', ...common, ...before, ...command])).stdout;
  };

  it.each([
    ['without its stub', ['--no-stub'], ['--compress']],
    ['without its stub, uncompressed', ['--no-stub'], ['--no-compress']],
    ['with its stub', [], ['--compress']],
  ])(
    'is written and verified by it %s',
    async (_, before, how) => {
      const { flash, path } = await start();
      const folder = mkdtempSync(join(tmpdir(), 'goodness-esp32-'));
      try {
        const image = pattern(20_001);
        const file = join(folder, 'in.bin');
        writeFileSync(file, image);
        const keep = ['--flash-mode', 'keep', '--flash-freq', 'keep', '--flash-size', 'keep'];
        const said = await esptool(path, before, ['write-flash', ...keep, ...how, '0x10000', file]);
        expect(said).toMatch(/Hash of data verified/);
        expect(flash.bytes.subarray(0x10000, 0x10000 + image.length)).toEqual(image);
        expect(await esptool(path, before, ['verify-flash', '0x10000', file])).toMatch(/Verification successful/i);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    60_000,
  );

  it('is found to hold what our flasher wrote', async () => {
    const { path } = await start();
    const image = pattern(9001, 3);
    await esp32()(path, { segments: [segment(0x10000, image)] }, {});
    const folder = mkdtempSync(join(tmpdir(), 'goodness-esp32-'));
    try {
      const file = join(folder, 'in.bin');
      writeFileSync(file, image);
      expect(await esptool(path, [], ['verify-flash', '0x10000', file])).toMatch(/Verification successful/i);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);
});

describe.skipIf(PTY_LACKS)(title('the ESP32 flasher', PTY_LACKS), () => {
  it.each([1, 4095, 4096, 50_003])('writes an image of %i bytes and verifies it', async (count) => {
    const rom = await start();
    const image = pattern(count, count);
    const phases: string[] = [];
    const report = await esp32({ chip: 'ESP32' })(
      rom.path,
      { segments: [segment(0x10000, image)] },
      { onProgress: (phase, done, total) => phases.push(done === total ? `${phase} done` : phase) },
    );
    expect(rom.flash.bytes.subarray(0x10000, 0x10000 + count)).toEqual(image);
    expect(report).toMatchObject({ bytesWritten: Math.ceil(count / 4) * 4, baud: 115200 });
    expect(report.bytesVerified).toBe(report.bytesWritten);
    expect(rom.stub).toBe(true);
    expect(phases.filter((p) => p.endsWith('done'))).toEqual(['connect done', 'write done', 'verify done']);
  });

  it('writes several segments and leaves the sectors between them alone', async () => {
    const rom = await start();
    const before = pattern(rom.flash.bytes.length, 5);
    rom.flash.bytes.set(before);
    const a = pattern(5000, 6);
    const b = pattern(4096, 7);
    await esp32()(rom.path, { segments: [segment(0x8000, a), segment(0x20000, b)] }, {});
    const expected = before.slice();
    expected.fill(0xff, 0x8000, 0x8000 + 8192);
    expected.set(a, 0x8000);
    expected.set(b, 0x20000);
    expect(rom.flash.erased).toEqual([8, 9, 32]);
    expect(Buffer.compare(rom.flash.bytes, expected)).toBe(0);
  });

  it('refuses another chip, and an image for another one, before it writes', async () => {
    const rom = await start({ magic: 0x000007c6 });
    const program = new Uint8Array(64);
    program[0] = 0xe9;
    program[12] = 9;
    const one = esp32({ chip: 'ESP32' })(rom.path, { segments: [segment(0x10000, pattern(10))] }, {});
    await expect(one).rejects.toMatchObject({ code: 'bootloader.chip', expected: 'ESP32', got: 'ESP32-S2' });
    const other = esp32()(rom.path, { segments: [segment(0x1000, program)] }, {});
    await expect(other).rejects.toMatchObject({ code: 'bootloader.chip', got: 'one for chip id 9' });
    expect(rom.operations.filter((op) => op !== 0x08 && op !== 0x0a && op !== 0x14)).toEqual([]);
  });

  it('refuses a chip that nobody knows', async () => {
    const rom = await start({ magic: 0x12345678 });
    const error = esp32()(rom.path, { segments: [segment(0, pattern(10))] }, {});
    await expect(error).rejects.toMatchObject({ code: 'bootloader.chip', got: expect.stringContaining('12345678') });
  });

  it('finds the loader behind noise that has ends of packets in it', async () => {
    const noise = Uint8Array.of(
      ...new TextEncoder().encode('ets Jul 29 2019 12:21:46\r\n'),
      0xc0,
      1,
      2,
      0xdb,
      7,
      0xc0,
      0xc0,
      9,
    );
    const rom = await start({ noise });
    const image = pattern(300);
    await esp32()(rom.path, { segments: [segment(0x10000, image)] }, {});
    expect(rom.flash.bytes.subarray(0x10000, 0x10000 + 300)).toEqual(image);
  });

  it('sends a block again that was refused once', async () => {
    const rom = await start({ refuseData: [0, 1] });
    const image = pattern(40_000, 2);
    await esp32()(rom.path, { segments: [segment(0x10000, image)] }, {});
    expect(rom.flash.bytes.subarray(0x10000, 0x10000 + 40_000)).toEqual(image);
  });

  it('gives up on a block that is always refused, with what the loader said', async () => {
    const rom = await start({ refuseData: [0, 1, 2, 3, 4] });
    const error = esp32()(rom.path, { segments: [segment(0x10000, pattern(100))] }, {});
    await expect(error).rejects.toMatchObject({
      code: 'bootloader.refused',
      got: expect.stringContaining('status 1,6'),
    });
  });

  it('says what it tried and what to press where nobody answers', async () => {
    const rom = await start({ dead: true });
    const error = esp32({ bauds: [460800, 115200] })(rom.path, { segments: [segment(0, pattern(40))] }, {});
    await expect(error).rejects.toMatchObject({
      code: 'bootloader.sync',
      expected: expect.stringContaining('460800 or 115200'),
      got: expect.stringContaining('no DTR and RTS'),
      fix: expect.stringMatching(/Hold BOOT.*EN/),
    });
  }, 30_000);

  it('finds the bit that the flash did not take', async () => {
    const rom = await start();
    const image = pattern(1000);
    image[600] = 0x5a;
    rom.flash.stuck = { offset: 0x10000 + 600, bit: 0 };
    const error = esp32()(rom.path, { segments: [segment(0x10000, image)] }, {});
    await expect(error).rejects.toMatchObject({
      code: 'bootloader.verify',
      message: expect.stringContaining('0x10000'),
      expected: expect.stringMatching(/^MD5 [0-9a-f]{32}$/),
    });
  });

  it('refuses what does not fit or begins within a sector, before anything is sent', async () => {
    const none = '/dev/no-such-port';
    const range = { code: 'bootloader.range' };
    await expect(esp32()(none, { segments: [segment(0x8001, pattern(4))] }, {})).rejects.toMatchObject(range);
    await expect(esp32()(none, { segments: [segment(0xfff000, pattern(4097))] }, {})).rejects.toMatchObject(range);
    await expect(esp32()(none, { segments: [] }, {})).rejects.toMatchObject(range);
  });

  it('refuses what is larger than the flash that is there, before it writes', async () => {
    const rom = await start({ flashId: 0x1440ef });
    const error = esp32()(rom.path, { segments: [segment(0x100000, pattern(4))] }, {});
    await expect(error).rejects.toMatchObject({ code: 'bootloader.range', expected: 'an end at 0x100000 at most' });
    expect(rom.flash.erased).toEqual([]);
  });

  it('resets into the loader by DTR and RTS, and at the end into the program', async () => {
    const rom = await start();
    const lines: ModemLines[] = [];
    const open: NonNullable<Esp32Options['open']> = async (path, settings) => {
      const line = await openLine(path, settings);
      const recorded: Line = {
        name: line.name,
        settings: line.settings,
        traffic: line.traffic,
        write: (bytes) => line.write(bytes),
        read: (count, milliseconds) => line.read(count, milliseconds),
        clear: () => line.clear(),
        modem: async (levels) => {
          lines.push(levels);
          return true;
        },
        close: () => line.close(),
      };
      return recorded;
    };
    await esp32({ open })(rom.path, { segments: [segment(0x10000, pattern(10))] }, {});
    expect(lines).toEqual([
      { dtr: false, rts: true },
      { dtr: true, rts: false },
      { dtr: false, rts: false },
      { dtr: false, rts: true },
      { dtr: false, rts: false },
    ]);
  });

  it('leaves no global behind and prints nothing', async () => {
    const rom = await start();
    const before = Object.getOwnPropertyNames(globalThis);
    const printed: string[] = [];
    const { log } = console;
    console.log = (...words: unknown[]) => void printed.push(words.join(' '));
    try {
      await esp32()(rom.path, { segments: [segment(0x10000, pattern(10))] }, {});
    } finally {
      console.log = log;
    }
    expect(Object.getOwnPropertyNames(globalThis).filter((name) => !before.includes(name))).toEqual([]);
    expect(printed).toEqual([]);
  });
});

describe('the transport that esptool-js is given', () => {
  it('has all that its loader and its resets use of one', () => {
    const lib = join(dirname(fileURLToPath(import.meta.url)), '../../node_modules/esptool-js/lib');
    const text = ['esploader.js', 'reset.js'].map((name) => readFileSync(join(lib, name), 'utf8')).join('\n');
    const used = new Set([...text.matchAll(/this\.transport\.(\w+)/g)].map((m) => m[1]!));
    expect(used.size).toBeGreaterThan(10);
    const transport = new EsptoolTransport(() => Promise.reject(new Error('no line')), systemClock);
    expect([...used].filter((name) => !(name in transport))).toEqual([]);
  });

  it('stops at its deadline while noise goes on coming', async () => {
    let now = 0;
    const line: Line = {
      name: 'noise',
      settings: { baud: 115200 },
      traffic: { up: 0, down: 0 },
      write: async () => {},
      read: async () => {
        now += 1;
        return Uint8Array.of(0x55);
      },
      clear: () => {},
      modem: async () => false,
      close: async () => {},
    };
    const clock = { now: () => now, after: systemClock.after };
    const transport = new EsptoolTransport(async () => line, clock);
    await transport.connect(115200);
    await expect(transport.read(50_000)).rejects.toMatchObject({ code: 'bootloader.timeout' });
    expect(now).toBe(50_000);
  });
});
