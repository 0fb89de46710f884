import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Line, LineSettings, ModemLines } from '../../src/device/bootloader/line.js';
import { openLine } from '../../src/device/bootloader/line.js';
import { stm32 } from '../../src/device/bootloader/stm32.js';
import { pagedChip, STM32_CHIPS, STM32F405, sectorsOf } from '../../src/device/bootloader/stm32-chips.js';
import { blocksOf, touchedSectors, uncovered } from '../../src/device/bootloader/stm32-plan.js';
import { STM32_WIRINGS } from '../../src/device/bootloader/stm32-reset.js';
import { PTY_LACKS } from './emulators/pty.js';
import { F405_SECTORS, Stm32RomEmulator, type Stm32RomOptions } from './emulators/stm32-rom.js';

const START = 0x08000000;
const run = promisify(execFile);
const lacks = (program: string): string | undefined =>
  PTY_LACKS ?? (spawnSync(program, ['-h']).error === undefined ? undefined : `there is no ${program}`);
const title = (text: string, missing: string | undefined): string =>
  missing === undefined ? text : `${text} (SKIPPED: ${missing})`;

/** Bytes that differ from their neighbours and from 0xFF now and then, the same on every run. */
function pattern(count: number, seed = 1): Uint8Array {
  let r = seed;
  return Uint8Array.from({ length: count }, () => {
    r = (Math.imul(r, 1103515245) + 12345) >>> 0;
    return r >>> 24;
  });
}

const segment = (address: number, bytes: Uint8Array) => ({ address, bytes });

let rom: Stm32RomEmulator | undefined;
async function start(options: Stm32RomOptions = {}): Promise<Stm32RomEmulator> {
  rom = await Stm32RomEmulator.start(options);
  return rom;
}
afterEach(async () => {
  await rom?.close();
  rom = undefined;
});

const STM32FLASH_LACKS = lacks('stm32flash');

describe.skipIf(STM32FLASH_LACKS)(title('the emulated STM32 ROM, judged by stm32flash', STM32FLASH_LACKS), () => {
  // Parity is left out, since stm32flash checks that its settings took, and Linux takes parity out of a pty's.
  const flags = ['-m', '8n1', '-b', '115200'];

  it('is written, verified and read back by it', async () => {
    const { flash, path } = await start();
    const folder = mkdtempSync(join(tmpdir(), 'goodness-stm32-'));
    try {
      const image = pattern(20_001);
      writeFileSync(join(folder, 'in.bin'), image);
      await run('stm32flash', [...flags, '-w', join(folder, 'in.bin'), '-v', path]);
      expect(flash.bytes.subarray(0, image.length)).toEqual(image);
      await run('stm32flash', [...flags, '-c', '-r', join(folder, 'out.bin'), '-S', '0x08000000:20004', path]);
      expect(new Uint8Array(readFileSync(join(folder, 'out.bin')).subarray(0, image.length))).toEqual(image);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);

  it('reads as our flasher wrote it', async () => {
    const { path } = await start();
    const image = pattern(5001, 7);
    // stm32flash resumes with -c, so that the chip must not have been started.
    await stm32({ open: withoutGo })(path, { segments: [segment(START, image)] }, {}).catch(() => undefined);
    const folder = mkdtempSync(join(tmpdir(), 'goodness-stm32-'));
    try {
      await run('stm32flash', [...flags, '-c', '-r', join(folder, 'out.bin'), '-S', '0x08000000:5004', path]);
      expect(new Uint8Array(readFileSync(join(folder, 'out.bin')).subarray(0, image.length))).toEqual(image);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);
});

/** A line on which GO never leaves this machine. */
async function withoutGo(path: string, settings: LineSettings): Promise<Line> {
  return over(await openLine(path, settings), {
    write: async (line, bytes) => {
      if (bytes[0] === 0x21 && bytes[1] === 0xde) throw new Error('no GO');
      await line.write(bytes);
    },
  });
}

/** A line with another way to write or to set modem lines. */
function over(
  line: Line,
  other: {
    write?: (line: Line, bytes: Uint8Array) => Promise<void>;
    modem?: (lines: ModemLines) => Promise<boolean>;
  },
): Line {
  return {
    name: line.name,
    settings: line.settings,
    traffic: line.traffic,
    write: (bytes) => other.write?.(line, bytes) ?? line.write(bytes),
    read: (count, milliseconds) => line.read(count, milliseconds),
    clear: () => line.clear(),
    modem: (lines) => other.modem?.(lines) ?? line.modem(lines),
    close: () => line.close(),
  };
}

describe.skipIf(PTY_LACKS)(title('the STM32 flasher', PTY_LACKS), () => {
  it.each([1, 3, 4, 255, 256, 257, 12_289])('writes an image of %i bytes, verifies it and starts it', async (count) => {
    const rom = await start();
    const image = pattern(count, count);
    const phases: string[] = [];
    const report = await stm32()(
      rom.path,
      { segments: [segment(START, image)] },
      { onProgress: (phase, done, total) => phases.push(done === total ? `${phase} done` : phase) },
    );
    expect(rom.flash.bytes.subarray(0, count)).toEqual(image);
    expect(rom.flash.bytes.subarray(count, 16_384).every((b) => b === 0xff)).toBe(true);
    expect(rom.flash.erased).toEqual([0]);
    expect(rom.started).toBe(START);
    expect(report.chip).toBe('STM32F405/407/415/417 (0x413), ROM bootloader 3.1');
    expect(report.bytesWritten).toBe(report.bytesVerified);
    expect(report.bytesWritten).toBeGreaterThanOrEqual(count);
    expect(report.baud).toBe(115200);
    expect(rom.baud).toBe(115200);
    expect(phases.filter((p) => p.endsWith('done'))).toEqual([
      'connect done',
      'erase done',
      'write done',
      'verify done',
    ]);
  });

  it('leaves sectors alone that the image does not touch, and what lies beside it in those that it does', async () => {
    const rom = await start();
    const before = pattern(rom.flash.bytes.length, 3);
    rom.flash.bytes.set(before);
    const a = pattern(1001, 4);
    const b = pattern(777, 5);
    const image = { segments: [segment(START + 0x105, a), segment(START + 0x8003, b)] };
    await stm32()(rom.path, image, {});
    const expected = before.slice();
    expected.set(a, 0x105);
    expected.set(b, 0x8003);
    expect(rom.flash.erased).toEqual([0, 2]);
    expect(Buffer.compare(rom.flash.bytes, expected)).toBe(0);
  }, 60_000);

  it('erases page by page with the older command on chips that have only that', async () => {
    const rom = await start({ id: 0x410, sectors: Array(128).fill(1024), oldErase: true });
    const image = pattern(2500, 2);
    await stm32({ chips: [0x410] })(rom.path, { segments: [segment(START + 1024, image)] }, {});
    expect(rom.flash.erased).toEqual([1, 2, 3]);
    expect(rom.flash.bytes.subarray(1024, 3524)).toEqual(image);
    expect(rom.commands).not.toContain(0x44);
  });

  it('takes a chip that is not in the table with its page size', async () => {
    const rom = await start({ id: 0x777, sectors: Array(32).fill(2048) });
    const image = pattern(100);
    const report = await stm32({ chips: [pagedChip(0x777, 'a new one', 2048, 65_536)] })(
      rom.path,
      { segments: [segment(START, image)] },
      {},
    );
    expect(report.chip).toContain('a new one (0x777)');
    expect(rom.flash.bytes.subarray(0, 100)).toEqual(image);
  });

  it('refuses another chip before it erases or writes', async () => {
    const rom = await start({ id: 0x431 });
    const error = stm32({ chips: [0x413] })(rom.path, { segments: [segment(START, pattern(64))] }, {});
    await expect(error).rejects.toMatchObject({ code: 'bootloader.chip', got: '0x431 (STM32F411)' });
    expect(rom.flash.erased).toEqual([]);
    expect(rom.commands.filter((c) => c === 0x31 || c === 0x44)).toEqual([]);
  });

  it('finds the ROM behind noise that has answers in it', async () => {
    const noise = new TextEncoder().encode('temp \x1f says hello 0x42\n'.repeat(20));
    const rom = await start({ noise });
    const image = pattern(300);
    await stm32()(rom.path, { segments: [segment(START, image)] }, {});
    expect(rom.flash.bytes.subarray(0, 300)).toEqual(image);
  });

  it('goes on with a ROM that has its speed already, from a flasher that broke off', async () => {
    const rom = await start();
    const image = { segments: [segment(START, pattern(300))] };
    await expect(stm32({ open: withoutGo })(rom.path, image, {})).rejects.toThrow('no GO');
    await stm32()(rom.path, image, {});
    expect(rom.started).toBe(START);
  });

  it('goes on after a NACK in the middle, and after a lost byte', async () => {
    const rom = await start({ refuseWrites: [1, 4], loseFrom: [2] });
    const image = pattern(2000, 9);
    const tried: string[] = [];
    await stm32()(rom.path, { segments: [segment(START, image)] }, { onTry: (text) => tried.push(text) });
    expect(rom.flash.bytes.subarray(0, 2000)).toEqual(image);
    expect(tried.filter((t) => t.startsWith('again'))).toHaveLength(3);
  }, 30_000);

  it('notices, even if it need not verify, that a block went in shifted since the lost byte looked like the recovery', async () => {
    const rom = await start({ loseFrom: [0] });
    const image = pattern(256, 11);
    image[0] = 0xa5;
    const error = stm32()(rom.path, { segments: [segment(START, image)] }, { verify: false });
    await expect(error).rejects.toMatchObject({ code: 'bootloader.verify' });
    expect(rom.flash.bytes.subarray(0, 255)).toEqual(image.subarray(1));
    expect(rom.started).toBeUndefined();
  }, 20_000);

  it('waits while the ROM says that it is busy', async () => {
    const rom = await start({ busy: true });
    await stm32()(rom.path, { segments: [segment(START, pattern(40))] }, {});
    expect(rom.started).toBe(START);
  });

  it('says what it tried and what to press where nobody answers', async () => {
    const rom = await start({ dead: true });
    const error = stm32()(rom.path, { segments: [segment(START, pattern(40))] }, {});
    await expect(error).rejects.toMatchObject({
      code: 'bootloader.sync',
      got: 'no answer at 115200, no answer at 57600',
      fix: expect.stringMatching(/BOOT0.*press reset/),
    });
  }, 20_000);

  it('finds the bit that the flash did not take, and starts nothing', async () => {
    const rom = await start();
    const image = pattern(1000);
    image[600] = 0x5a;
    rom.flash.stuck = { offset: 600, bit: 0 };
    const error = stm32()(rom.path, { segments: [segment(START, image)] }, {});
    await expect(error).rejects.toMatchObject({
      code: 'bootloader.verify',
      message: expect.stringContaining('0x8000258'),
      expected: '0x5a',
      got: '0x5b',
    });
    expect(rom.started).toBeUndefined();
  });

  it('names read protection where commands are refused', async () => {
    const rom = await start({ protected: true });
    rom.flash.bytes.fill(0x42);
    const error = stm32()(rom.path, { segments: [segment(START, pattern(40))] }, {});
    await expect(error).rejects.toMatchObject({
      code: 'bootloader.refused',
      fix: expect.stringContaining('protected'),
    });
    expect(rom.flash.bytes.every((b) => b === 0x42)).toBe(true);
  }, 20_000);

  it('refuses an image that does not fit before it opens the port', async () => {
    const none = '/dev/no-such-port';
    const late = { segments: [segment(START + 1024 * 1024 - 10, pattern(11))] };
    await expect(stm32({ chips: [0x413] })(none, late, {})).rejects.toMatchObject({ code: 'bootloader.range' });
    await expect(stm32()(none, { segments: [] }, {})).rejects.toMatchObject({ code: 'bootloader.range' });
    const ram = { segments: [segment(0x20000000, pattern(16))] };
    await expect(stm32()(none, ram, {})).rejects.toMatchObject({ code: 'bootloader.range' });
  });

  it('asks for even parity, and drives reset and BOOT0 as they are wired', async () => {
    const rom = await start();
    const settings: LineSettings[] = [];
    const lines: ModemLines[] = [];
    const open = async (path: string, wanted: LineSettings): Promise<Line> => {
      settings.push(wanted);
      return over(await openLine(path, wanted), {
        modem: async (levels) => {
          lines.push(levels);
          return true;
        },
      });
    };
    await stm32({ open, reset: STM32_WIRINGS.direct })(rom.path, { segments: [segment(START, pattern(40))] }, {});
    expect(settings).toEqual([{ baud: 115200, parity: 'even' }]);
    expect(lines).toEqual([
      { dtr: true, rts: false },
      { dtr: false, rts: false },
      { dtr: true, rts: true },
      { dtr: false, rts: true },
    ]);
    // The reset starts the program, as after power-up.
    expect(rom.started).toBeUndefined();
  });
});

describe('the plan of an STM32 image', () => {
  it('covers each sector of every chip without gaps', () => {
    for (const chip of STM32_CHIPS) {
      let at = chip.start;
      for (const sector of sectorsOf(chip)) {
        expect(sector.address, chip.name).toBe(at);
        at += sector.bytes;
      }
    }
    expect(sectorsOf(STM32F405).map((s) => s.bytes)).toEqual(F405_SECTORS);
  });

  it('leads from any flash to that flash with the image in it', () => {
    const chip = pagedChip(1, 'small', 1024, 4096);
    const images = fc
      .array(fc.record({ gap: fc.integer({ min: 1, max: 900 }), count: fc.integer({ min: 1, max: 700 }) }), {
        minLength: 1,
        maxLength: 5,
      })
      .map((parts) => {
        let at = START;
        const segments = [];
        for (const { gap, count } of parts) {
          at += gap;
          if (at + count > START + 4096) break;
          segments.push(segment(at, pattern(count, at)));
          at += count;
        }
        return { segments };
      })
      .filter((image) => image.segments.length > 0);
    fc.assert(
      fc.property(images, fc.integer({ min: 1, max: 1e6 }), (image, seed) => {
        const flash = pattern(4096, seed);
        const expected = flash.slice();
        for (const s of image.segments) expected.set(s.bytes, s.address - START);
        const sectors = touchedSectors(image, chip);
        const kept = uncovered(image, sectors).map(({ address, count }) => {
          expect(address % 4).toBe(0);
          expect(count % 4).toBe(0);
          return segment(address, flash.slice(address - START, address - START + count));
        });
        for (const s of sectors) flash.fill(0xff, s.address - START, s.address - START + s.bytes);
        for (const block of blocksOf(image, kept)) {
          expect(block.address % 8).toBe(0);
          expect(block.bytes.length % 8).toBe(0);
          expect(block.bytes.length).toBeLessThanOrEqual(256);
          expect(block.address >> 8).toBe((block.address + block.bytes.length - 1) >> 8);
          for (const [i, byte] of block.bytes.entries()) flash[block.address - START + i]! &= byte;
        }
        expect(Buffer.compare(flash, expected)).toBe(0);
      }),
    );
  });
});
