import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { FirmwareImage } from '../../src/device/bootloader/firmware-image.js';
import { touch1200 } from '../../src/device/bootloader/touch.js';
import { fromUf2, RP2040_FAMILY, toUf2, uf2 } from '../../src/device/bootloader/uf2.js';
import { readDrive } from '../../src/device/bootloader/uf2-drive.js';
import { Rp2040Drive } from '../../src/device/emulated/rp2040-drive.js';
import { hasProgram } from '../support/programs.js';

const BASE = 0x10000000;
const folder = mkdtempSync(join(tmpdir(), 'goodness-uf2-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Bytes that are never 0xFF, so that they can't be mistaken for erased ones. */
function bytesOf(count: number, start = 0): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => (start + i * 7) % 251);
}

/** What a flash of 0xFF holds after an image. */
function flashed(image: FirmwareImage, size: number): Uint8Array {
  const flash = new Uint8Array(size).fill(0xff);
  for (const { address, bytes } of image.segments) flash.set(bytes, address - BASE);
  return flash;
}

/** Segments that don't touch each other, by gap and length. */
const IMAGES = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 6000 })), { minLength: 1, maxLength: 4 })
  .map((parts): FirmwareImage => {
    let at = BASE;
    return {
      segments: parts.map(([gap, length], i) => {
        const address = at + gap;
        at = address + length;
        return { address, bytes: bytesOf(length, i) };
      }),
    };
  });

describe('a UF2 file', () => {
  it('has the bytes that the format asks for', () => {
    const file = toUf2({ segments: [{ address: BASE + 4096, bytes: bytesOf(300) }] }, RP2040_FAMILY);
    expect(file.length).toBe(16 * 512);
    const word = (at: number) => new DataView(file.buffer).getUint32(at, true);
    expect([0, 4, 8, 12, 16, 20, 24, 28].map(word)).toEqual([
      0x0a324655, 0x9e5d5157, 0x2000, 0x10001000, 256, 0, 16, 0xe48bff56,
    ]);
    expect([512 + 12, 512 + 20, 512 + 508].map(word)).toEqual([0x10001100, 1, 0x0ab16f30]);
    expect(file.subarray(32, 32 + 256)).toEqual(bytesOf(300).subarray(0, 256));
    expect(file.subarray(512 + 32, 512 + 32 + 45)).toEqual(
      Uint8Array.of(...bytesOf(300).subarray(256), ...new Uint8Array(1).fill(0xff)),
    );
    expect(file.subarray(32 + 256, 508)).toEqual(new Uint8Array(220));
  });

  it('gives back the image that it was made of, in whole sectors', () => {
    fc.assert(
      fc.property(IMAGES, (image) => {
        const back = fromUf2(toUf2(image, RP2040_FAMILY), RP2040_FAMILY);
        expect(Buffer.compare(flashed(back, 65536), flashed(image, 65536))).toBe(0);
        for (const { address, bytes } of back.segments) expect([address % 4096, bytes.length % 4096]).toEqual([0, 0]);
      }),
    );
  });

  it('holds the sectors of 16 blocks in a row together, as the boot ROM erases', () => {
    fc.assert(
      fc.property(IMAGES, (image) => {
        const file = toUf2(image, RP2040_FAMILY);
        const view = new DataView(file.buffer);
        const sectors = Array.from({ length: file.length / 512 }, (_, i) => view.getUint32(i * 512 + 12, true) >>> 12);
        sectors.forEach((sector, i) => {
          expect(sector).toBe(sectors[i - (i % 16)]);
        });
      }),
    );
  });

  it('is read whatever the order of its blocks is', () => {
    const image = { segments: [{ address: BASE, bytes: bytesOf(8192) }] };
    const file = toUf2(image, RP2040_FAMILY);
    const blocks = Array.from({ length: file.length / 512 }, (_, i) => file.subarray(i * 512, (i + 1) * 512));
    const shuffled = Uint8Array.from(blocks.reverse().flatMap((block) => [...block]));
    expect(fromUf2(shuffled)).toEqual(image);
  });

  it.each([
    ['a magic at its start', 0, 'uf2.format'],
    ['the second magic', 4, 'uf2.format'],
    ['the magic at its end', 508, 'uf2.format'],
    ['the payload size', 18, 'uf2.format'],
    ['the number of the block', 20, 'uf2.format'],
    ['the count of blocks', 24, 'uf2.format'],
  ])('is refused when a bit of %s is wrong', (_, at, code) => {
    const file = toUf2({ segments: [{ address: BASE, bytes: bytesOf(4096) }] }, RP2040_FAMILY);
    file[3 * 512 + at]! ^= 2;
    expect(() => fromUf2(file)).toThrow(expect.objectContaining({ code }));
  });

  it('is refused when it is cut off, lacks a block, or is empty', () => {
    const file = toUf2({ segments: [{ address: BASE, bytes: bytesOf(4096) }] }, RP2040_FAMILY);
    for (const cut of [file.subarray(0, 1000), file.subarray(0, 512 * 15), new Uint8Array(0)])
      expect(() => fromUf2(cut)).toThrow(expect.objectContaining({ code: 'uf2.format' }));
  });

  it('for another processor is refused, and of a file for two the right half is taken', () => {
    const mine = { segments: [{ address: BASE, bytes: bytesOf(4096) }] };
    const other = toUf2({ segments: [{ address: BASE, bytes: bytesOf(4096, 99) }] }, 0xe48bff59);
    expect(() => fromUf2(other, RP2040_FAMILY)).toThrow(expect.objectContaining({ code: 'uf2.family' }));
    const both = Uint8Array.of(...other, ...toUf2(mine, RP2040_FAMILY));
    expect(fromUf2(both, RP2040_FAMILY)).toEqual(mine);
  });

  it('of an image without bytes is not made', () => {
    expect(() => toUf2({ segments: [] }, RP2040_FAMILY)).toThrow(expect.objectContaining({ code: 'bootloader.range' }));
  });
});

describe('flashing by UF2 drive (a folder that behaves like the boot ROM; not verified on hardware)', () => {
  const SIZE = 1 << 16;

  /** Shows the drive and takes what is copied there until it has all, for 10 s at most. */
  async function serveDrive(path: string, flash: Uint8Array): Promise<void> {
    const drive = new Rp2040Drive(path, flash);
    for (let i = 0; i < 1000 && !drive.poll(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
    drive.remove();
  }

  const options = { family: RP2040_FAMILY, label: 'RPI-RP2', driveMs: 500, leaveMs: 500 };

  it('copies the file, waits until the board has left, and leaves sectors alone that the image has nothing in', async () => {
    const path = join(folder, 'media', 'RPI-RP2');
    const flash = bytesOf(SIZE, 3);
    const before = flash.slice();
    const image = {
      segments: [
        { address: BASE, bytes: bytesOf(5000) },
        { address: BASE + 0x8000, bytes: bytesOf(100, 9) },
      ],
    };
    const served = serveDrive(path, flash);
    const progress: number[] = [];
    const flashImage = uf2({ ...options, places: async () => [join(folder, 'media'), path] });
    const report = await flashImage('', image, {
      onProgress: (phase, done) => phase === 'write' && progress.push(done),
    });
    await served;
    expect(report).toEqual({
      chip: 'Raspberry Pi RP2 (UF2 Bootloader v3.0)',
      bytesWritten: 3 * 4096,
      bytesVerified: 0,
      baud: 0,
    });
    expect(progress.at(-1)).toBe(3 * 16 * 512);
    const expected = flashed(image, SIZE);
    expect(flash.subarray(0, 0x2000)).toEqual(expected.subarray(0, 0x2000));
    expect(flash.subarray(0x2000, 0x8000)).toEqual(before.subarray(0x2000, 0x8000));
    expect(flash.subarray(0x8000, 0x9000)).toEqual(expected.subarray(0x8000, 0x9000));
    expect(flash.subarray(0x9000)).toEqual(before.subarray(0x9000));
  });

  it('waits for a drive that comes later', async () => {
    const path = join(folder, 'later', 'RPI-RP2');
    const flash = new Uint8Array(SIZE);
    const served = new Promise((resolve) => setTimeout(resolve, 300)).then(() => serveDrive(path, flash));
    const flashImage = uf2({ ...options, driveMs: 5000, places: async () => [path] });
    await flashImage('', { segments: [{ address: BASE, bytes: bytesOf(10) }] }, {});
    await served;
    expect(flash.subarray(0, 10)).toEqual(bytesOf(10));
  });

  it('passes over the drives of other boards, and names them when its own does not come', async () => {
    const other = join(folder, 'FEATHERBOOT');
    mkdirSync(other);
    const info = 'UF2 Bootloader v1.23.1 SFHR\r\nModel: Feather M0\r\nBoard-ID: SAMD21G18A-Feather-v0\r\n';
    writeFileSync(join(other, 'INFO_UF2.TXT'), info);
    expect(await readDrive(other)).toMatchObject({ board: 'SAMD21G18A-Feather-v0' });
    const flashImage = uf2({ ...options, places: async () => [other, join(folder, 'nowhere')] });
    const tried: string[] = [];
    const failed = flashImage(
      '/dev/none',
      { segments: [{ address: BASE, bytes: bytesOf(10) }] },
      {
        onTry: (text) => tried.push(text),
      },
    );
    await expect(failed).rejects.toMatchObject({ code: 'bootloader.sync', got: expect.stringContaining(other) });
    expect(tried.join('\n')).toContain('there is no port /dev/none');
    expect(existsSync(join(other, 'goodness.uf2'))).toBe(false);
  });

  it('refuses two drives, and an image that is not for the flash, before anything is written', async () => {
    const paths = ['a', 'b'].map((name) => join(folder, 'two', name));
    const drives = paths.map((path) => new Rp2040Drive(path, new Uint8Array(SIZE)));
    const image = { segments: [{ address: BASE, bytes: bytesOf(10) }] };
    await expect(uf2({ ...options, places: async () => paths })('', image, {})).rejects.toMatchObject({
      code: 'bootloader.refused',
    });
    for (const address of [0, BASE - 1, BASE + 0x1000000]) {
      const wrong = { segments: [{ address, bytes: bytesOf(10) }] };
      await expect(uf2({ ...options, places: async () => paths.slice(1) })('', wrong, {})).rejects.toMatchObject({
        code: 'bootloader.range',
      });
    }
    for (const path of paths) expect(existsSync(join(path, 'goodness.uf2'))).toBe(false);
    for (const drive of drives) drive.remove();
  });

  it('says so when the board takes the file and does not restart', async () => {
    const path = join(folder, 'stays');
    const drive = new Rp2040Drive(path, new Uint8Array(SIZE));
    const image = { segments: [{ address: BASE, bytes: bytesOf(10) }] };
    await expect(uf2({ ...options, places: async () => [path] })('', image, {})).rejects.toMatchObject({
      code: 'bootloader.timeout',
    });
    expect(readFileSync(join(path, 'goodness.uf2')).length).toBe(16 * 512);
    drive.remove();
  });
});

/** Opens a pty, prints its path, and then the speed that it was set to whenever it is closed again. */
const WATCH = `
import os, pty, termios, select, time
master, slave = pty.openpty()
print(os.ttyname(slave), flush=True)
os.close(slave)
poll = select.poll(); poll.register(master, 0)
was_open = False
for _ in range(2000):
    hung = any(e & select.POLLHUP for _, e in poll.poll(0))
    if not hung:
        was_open = True
        speed = termios.tcgetattr(master)[5]
    elif was_open:
        print(1200 if speed == termios.B1200 else speed, flush=True)
        break
    time.sleep(0.005)
`;

const python = hasProgram('python3');
describe.skipIf(!python)(`the 1200-baud touch${python ? '' : ' (SKIPPED: there is no python3 to watch a pty)'}`, () => {
  it('opens the port at 1200 baud and closes it again', async () => {
    const watcher = spawn('python3', ['-c', WATCH], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: watcher.stdout })[Symbol.asyncIterator]();
    const path = (await lines.next()).value as string;
    await touch1200(path);
    expect((await lines.next()).value).toBe('1200');
    watcher.kill();
  });
});
