import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MEGA } from '../../src/device/boards/mega.js';
import { UNO } from '../../src/device/boards/uno.js';
import type { Stk500Facts, Stk500Means } from '../../src/device/bootloader/stk500-pages.js';
import { stk500v1 } from '../../src/device/bootloader/stk500v1.js';
import { stk500v2 } from '../../src/device/bootloader/stk500v2.js';
import { avrBootloader, type SimavrBoard, startSimavr } from '../../src/device/emulated/simavr.js';
import { hasProgram } from '../support/programs.js';
import { bytesOf, changedLine, dumpFlash, imageOf, lacks, needs } from './support/avr.js';

const hasAvrdude = hasProgram('avrdude', '-?');
/** SBI DDRB,0; SBI PORTB,0; RJMP .-2: the same on both chips, and on a pin that no bootloader uses. */
const PIN_B0_HIGH = Uint8Array.of(0x20, 0x9a, 0x28, 0x9a, 0xff, 0xcf);

const BOARDS = [
  {
    title: 'an Uno with Optiboot',
    mcu: 'atmega328p',
    bootloader: 'optiboot',
    make: (means: Stk500Means) => stk500v1(UNO.bootloader as Stk500Facts, means),
    chip: 'ATmega328P (Optiboot 4.4)',
    pageBytes: 128,
    // PROG_PAGE and 128 bytes; where its data begin, and no checksum behind them.
    isPage: (bytes: Uint8Array) => bytes[0] === 0x64,
    dataAt: 4,
    checksum: false,
    avrdude: ['-p', 'm328p', '-c', 'arduino', '-b115200'],
  },
  {
    title: 'an old Uno with ATmegaBOOT',
    mcu: 'atmega328p',
    bootloader: 'atmegaboot',
    make: (means: Stk500Means) => stk500v1(UNO.bootloader as Stk500Facts, means),
    chip: 'ATmega328P (STK500 1.16)',
    pageBytes: 128,
    isPage: (bytes: Uint8Array) => bytes[0] === 0x64,
    dataAt: 4,
    checksum: false,
    avrdude: ['-p', 'm328p', '-c', 'arduino', '-b57600'],
  },
  {
    title: 'a Mega',
    mcu: 'atmega2560',
    bootloader: 'stk500v2',
    make: (means: Stk500Means) => stk500v2(MEGA.bootloader as Stk500Facts, means),
    chip: 'ATmega2560 (AVRISP_2)',
    pageBytes: 256,
    // PROGRAM_FLASH_ISP in a message, whose checksum is made good: as if the flash had not taken a byte.
    isPage: (bytes: Uint8Array) => bytes[5] === 0x13,
    dataAt: 15,
    checksum: true,
    avrdude: ['-p', 'm2560', '-c', 'wiring', '-b115200'],
  },
] as const;

describe.skipIf(lacks.length > 0).each(BOARDS)(`$title${needs}`, (one) => {
  let board: SimavrBoard;
  let folder = '';

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'goodness-stk500-'));
    board = await startSimavr({ mcu: one.mcu, bootloader: await avrBootloader(one.bootloader) });
  }, 60_000);
  afterEach(async () => {
    await board.close();
    rmSync(folder, { recursive: true });
  });

  /** Spoils byte 5 of the pages, counted as they are written, that `spoil` says. */
  const spoiling = (spoil: (nth: number) => boolean): Stk500Means & { written(): number } => {
    let nth = 0;
    const open = changedLine((bytes) => {
      if (!one.isPage(bytes) || !spoil(nth++)) return bytes;
      const changed = bytes.slice();
      changed[one.dataAt + 5]! ^= 0x40;
      if (one.checksum) changed[changed.length - 1]! ^= 0x40;
      return changed;
    });
    return { open, written: () => nth };
  };

  it('runs the program by itself when it has been flashed, and says which chip it is', async () => {
    const report = await one.make({})(board.address, imageOf([0, PIN_B0_HIGH]), {});
    expect(report).toMatchObject({ chip: one.chip, bytesWritten: 6, bytesVerified: 6 });
    await vi.waitFor(
      async () => {
        const [port, direction] = (await board.control('pins B')).split(' ').map(Number);
        expect([port! & 1, direction! & 1]).toEqual([1, 1]);
      },
      { timeout: 15_000, interval: 100 },
    );
  }, 60_000);

  it('gets a page again that came out wrong, and keeps what lies beside the image all the same', async () => {
    const before = bytesOf(4 * one.pageBytes, 71);
    await one.make({})(board.address, imageOf([0, before]), {});
    const from = one.pageBytes + 3;
    const after = bytesOf(one.pageBytes, 72);
    const means = spoiling((nth) => nth === 1);
    const tried: string[] = [];
    const done: number[] = [];
    const report = await one.make(means)(board.address, imageOf([from, after]), {
      onTry: (text) => tried.push(text),
      onProgress: (phase, bytes) => phase === 'verify' && done.push(bytes),
    });
    expect(report).toMatchObject({ bytesWritten: after.length, bytesVerified: after.length });
    expect(tried.filter((text) => text.includes('writing again'))).toHaveLength(1);
    expect(done.at(-1)).toBe(after.length);
    const whole = before.slice();
    whole.set(after, from);
    expect(await dumpFlash(board, 0, whole.length)).toEqual(whole);
    // Two pages and the bad one; where pages can't be written by themselves, all three of them twice.
    expect(means.written()).toBe(one.checksum ? 6 : 3);
  }, 60_000);

  it('is given up with the first address that differs after three times', async () => {
    const bytes = bytesOf(2 * one.pageBytes, 73);
    const means = spoiling(() => true);
    await expect(one.make(means)(board.address, imageOf([0, bytes]), {})).rejects.toMatchObject({
      code: 'bootloader.verify',
      expected: `0x${bytes[5]!.toString(16)} at 0x5`,
    });
    expect(means.written()).toBe(6);
  }, 60_000);

  it('without verification is not read, so that wrong bytes stay', async () => {
    const bytes = bytesOf(one.pageBytes, 74);
    const report = await one.make(spoiling(() => true))(board.address, imageOf([0, bytes]), { verify: false });
    expect(report).toMatchObject({ bytesWritten: bytes.length, bytesVerified: 0 });
    expect((await dumpFlash(board, 5, 1))[0]).toBe(bytes[5]! ^ 0x40);
  }, 60_000);

  it.skipIf(!hasAvrdude)(
    `is read by us as avrdude wrote it${hasAvrdude ? '' : ' (SKIPPED: there is no avrdude)'}`,
    async () => {
      const theirs = bytesOf(3 * one.pageBytes, 75);
      const file = join(folder, 'theirs.bin');
      writeFileSync(file, theirs);
      execFileSync('avrdude', ['-q', '-q', ...one.avrdude, '-D', `-P${board.address}`, '-U', `flash:w:${file}:r`], {
        stdio: 'pipe',
        timeout: 30_000,
      });
      // A byte in each page: all others are read from the board before, and must come out as they were.
      const at = [7, one.pageBytes, 3 * one.pageBytes - 1];
      await one.make({})(board.address, imageOf(...at.map((a): [number, Uint8Array] => [a, Uint8Array.of(0xa5)])), {});
      for (const a of at) theirs[a] = 0xa5;
      expect(await dumpFlash(board, 0, theirs.length)).toEqual(theirs);
    },
    60_000,
  );
});
