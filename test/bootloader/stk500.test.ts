import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { MEGA } from '../../src/device/boards/mega.js';
import { UNO } from '../../src/device/boards/uno.js';
import type { Bootloader } from '../../src/device/bootloader/bootloader.js';
import type { FirmwareImage } from '../../src/device/bootloader/firmware-image.js';
import { formatHex } from '../../src/device/bootloader/hex.js';
import { openLine } from '../../src/device/bootloader/line.js';
import { bootloaderFor } from '../../src/device/bootloader/protocols.js';
import { stk500v1 } from '../../src/device/bootloader/stk500v1.js';
import { avrBootloader, type SimavrBoard, startSimavr } from '../../src/device/emulated/simavr.js';
import { hasProgram } from '../support/programs.js';

const lacks = [
  ...['make', 'cc', 'avr-gcc'].filter((name) => !hasProgram(name)),
  ...(existsSync('/usr/include/simavr/sim_avr.h') ? [] : ['libsimavr-dev']),
  ...(existsSync('/usr/share/arduino/hardware/arduino/avr') ? [] : ['arduino-core-avr']),
];
const needs = lacks.length === 0 ? '' : ` (skipped: there is no ${lacks.join(', no ')})`;
const hasAvrdude = hasProgram('avrdude', '-?');

function bytesOf(length: number, seed: number): Uint8Array {
  const random = new Random(seed);
  return Uint8Array.from({ length }, () => random.integer(256));
}

const imageOf = (...segments: [number, Uint8Array][]): FirmwareImage => ({
  segments: segments.map(([address, bytes]) => ({ address, bytes })),
});

const BOARDS = [
  {
    title: 'an Uno with Optiboot',
    mcu: 'atmega328p',
    bootloader: 'optiboot',
    board: UNO,
    avrdude: ['-p', 'm328p', '-c', 'arduino', '-b115200'],
    // Short ones, whose last byte is easily lost; those about a page; one with a gap.
    images: [
      imageOf([0, bytesOf(1, 1)]),
      imageOf([0, bytesOf(127, 2)]),
      imageOf([0, bytesOf(128, 3)]),
      imageOf([0, bytesOf(129, 4)]),
      imageOf([0, bytesOf(5001, 5)], [0x4801, bytesOf(333, 6)]),
    ],
  },
  {
    title: 'an old Uno with ATmegaBOOT',
    mcu: 'atmega328p',
    bootloader: 'atmegaboot',
    board: UNO,
    avrdude: ['-p', 'm328p', '-c', 'arduino', '-b57600'],
    images: [imageOf([0, bytesOf(129, 7)], [0x1000, bytesOf(77, 8)])],
  },
  {
    title: 'a Mega',
    mcu: 'atmega2560',
    bootloader: 'stk500v2',
    board: MEGA,
    avrdude: ['-p', 'm2560', '-c', 'wiring', '-b115200'],
    images: [
      imageOf([0, bytesOf(1, 9)]),
      imageOf([0, bytesOf(3001, 10)], [0x8000, bytesOf(1500, 11)]),
      // Flash above 64 KB and above 64 K words wants long addresses.
      imageOf([0xff80, bytesOf(400, 12)], [0x1ff81, bytesOf(300, 13)]),
    ],
  },
] as const;

describe.skipIf(lacks.length > 0).each(BOARDS)(`$title${needs}`, ({ mcu, bootloader, board, avrdude, images }) => {
  let simulated: SimavrBoard;
  let flash: Bootloader;
  let folder = '';

  const start = async (): Promise<void> => {
    simulated = await startSimavr({ mcu, bootloader: await avrBootloader(bootloader) });
  };
  const dump = async (from: number, count: number): Promise<Uint8Array> =>
    new Uint8Array(Buffer.from(await simulated.control(`dump flash ${from} ${count}`), 'hex'));

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'goodness-stk500-'));
    await start();
    flash = await bootloaderFor(board);
  }, 60_000);
  afterEach(async () => {
    await simulated.close();
    rmSync(folder, { recursive: true });
  });

  it('takes images of all lengths, and holds just their bytes afterwards', async () => {
    for (const image of images) {
      const total = image.segments.reduce((sum, { bytes }) => sum + bytes.length, 0);
      const seen: string[] = [];
      const report = await flash(simulated.address, image, {
        onProgress: (phase, done, all) => done === all && seen.push(phase),
      });
      expect(report).toMatchObject({ bytesWritten: total, bytesVerified: total });
      expect(new Set(seen)).toEqual(new Set(['connect', 'write', 'verify']));
      for (const { address, bytes } of image.segments) expect(await dump(address, bytes.length)).toEqual(bytes);
    }
  }, 120_000);

  it('keeps what lies beside an image', async () => {
    const [before, after] = [bytesOf(1024, 21), bytesOf(100, 22)];
    await flash(simulated.address, imageOf([0, before]), { verify: false });
    const report = await flash(simulated.address, imageOf([300, after]), {});
    expect(report.bytesVerified).toBe(100);
    const whole = before.slice();
    whole.set(after, 300);
    expect(await dump(0, 1024)).toEqual(whole);
  }, 60_000);

  it.skipIf(!hasAvrdude)(
    'is read by avrdude as it was written, and the other way round (needs avrdude)',
    async () => {
      const image = imageOf([0, bytesOf(777, 31)]);
      const run = (...args: string[]): void => {
        execFileSync('avrdude', ['-q', '-q', ...avrdude, '-D', `-P${simulated.address}`, ...args], {
          stdio: 'pipe',
          timeout: 60_000,
        });
      };
      await flash(simulated.address, image, {});
      const file = join(folder, 'witness.hex');
      writeFileSync(file, formatHex(image));
      run('-U', `flash:v:${file}:i`);
      const other = bytesOf(1000, 32);
      writeFileSync(join(folder, 'other.bin'), other);
      run('-U', `flash:w:${join(folder, 'other.bin')}:r`);
      expect(await dump(0, 1000)).toEqual(other);
      expect(readFileSync(file, 'utf8')).toMatch(/^:/);
    },
    120_000,
  );

  it('is left alone by an image for another chip, or one that reaches into the bootloader', async () => {
    const { flashBytes, bootBytes } = board.bootloader as { flashBytes: number; bootBytes: number };
    await expect(
      flash(simulated.address, imageOf([flashBytes - bootBytes - 1, bytesOf(2, 41)]), {}),
    ).rejects.toMatchObject({ code: 'bootloader.range' });
    const wrong = await bootloaderFor({
      ...board,
      bootloader: { ...board.bootloader, signature: [0x1e, 0x11, 0x22] } as typeof board.bootloader,
    });
    await expect(wrong(simulated.address, imageOf([0, bytesOf(10, 42)]), {})).rejects.toMatchObject({
      code: 'bootloader.chip',
    });
    expect(await dump(0, 256)).toEqual(new Uint8Array(256).fill(0xff));
  }, 60_000);

  it('is flashed by a second try after a first one that died half way', async () => {
    const image = imageOf([0, bytesOf(2000, 51)]);
    await expect(
      flash(simulated.address, image, {
        onProgress: (phase, done) => {
          if (phase === 'write' && done > 600) throw new Error('the cable fell out');
        },
      }),
    ).rejects.toThrow('the cable fell out');
    await flash(simulated.address, image, {});
    expect(await dump(0, 2000)).toEqual(image.segments[0]!.bytes);
  }, 60_000);
});

describe.skipIf(lacks.length > 0)(`a chip without a bootloader${needs}`, () => {
  it('is told from one that has it, with the speeds that were tried', async () => {
    const bare = await startSimavr({ mcu: 'atmega328p' });
    const tried: string[] = [];
    const facts = { signature: [0x1e, 0x95, 0x0f], pageBytes: 128, flashBytes: 32768, bootBytes: 2048 };
    await expect(
      stk500v1({ ...facts, bauds: [115200, 57600] })(bare.address, imageOf([0, bytesOf(4, 61)]), {
        onTry: (text) => tried.push(text),
      }),
    ).rejects.toMatchObject({ code: 'bootloader.sync', expected: 'an answer at 115200 or 57600 bits/s' });
    expect(tried.slice(0, 2)).toEqual(['115200 bits/s', '57600 bits/s']);
    await bare.close();
  }, 60_000);

  it('has a line whose reads end in time, and which says when it is gone', async () => {
    const bare = await startSimavr({ mcu: 'atmega328p' });
    const line = await openLine(bare.address, { baud: 115200 });
    await expect(line.read(1, 50)).rejects.toMatchObject({ code: 'bootloader.timeout' });
    expect(await line.modem({ dtr: false })).toBe(false);
    await expect(openLine(bare.address, { baud: 115200 })).rejects.toMatchObject({ code: 'port.busy' });
    await bare.close();
    await expect(line.read(1, 2000)).rejects.toMatchObject({ code: 'port.gone' });
    await line.close();
  }, 60_000);
});
