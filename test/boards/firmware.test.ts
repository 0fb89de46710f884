import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { boardOf } from '../../src/device/boards/boards.js';
import { readFirmware } from '../../src/device/boards/composition.js';
import { buildFirmware, findFirmware, firmwareFor, missingTools } from '../../src/device/boards/firmware.js';

const folder = mkdtempSync(join(tmpdir(), 'goodness-firmware-'));
afterAll(() => rmSync(folder, { recursive: true }));

const path = process.env.PATH ?? '';
const missing = missingTools(boardOf('microbit').build!, path);
const note = missing.length === 0 ? '' : ` (SKIPPED: there is no ${missing.join(', ')})`;

describe('the firmware of a board', () => {
  it('is what was made last: that of the package, or one that was built since', () => {
    const root = join(folder, 'root');
    mkdirSync(join(root, 'dist/firmware'), { recursive: true });
    mkdirSync(join(root, 'build/boards/uno'), { recursive: true });
    const [packaged, made] = [join(root, 'dist/firmware/uno.hex'), join(root, 'build/boards/uno/firmware.hex')];
    expect(findFirmware(boardOf('uno'), root)).toBeUndefined();
    writeFileSync(made, '');
    expect(findFirmware(boardOf('uno'), root)).toEqual({ path: made, origin: 'build' });
    writeFileSync(packaged, '');
    utimesSync(made, 1000, 1000);
    expect(findFirmware(boardOf('uno'), root)).toEqual({ path: packaged, origin: 'package' });
    utimesSync(packaged, 999, 999);
    expect(findFirmware(boardOf('uno'), root)).toEqual({ path: made, origin: 'build' });
  });

  it('that is not there is asked for with the command that builds it', () => {
    expect(() => firmwareFor(boardOf('mega'), join(folder, 'nothing'))).toThrow(
      expect.objectContaining({
        code: 'firmware.absent',
        fix: expect.stringContaining('goodness firmware build mega'),
      }),
    );
    expect(() => firmwareFor(boardOf('esp32'))).toThrow(expect.objectContaining({ code: 'firmware.none' }));
  });

  it.skipIf(missing.length > 0)(
    `comes with what a new micro:bit is given by drag and drop${note}`,
    { timeout: 120_000 },
    async () => {
      const board = boardOf('microbit');
      const out = join(folder, 'out');
      expect(await buildFirmware(board, { path, out })).toBe(join(out, 'microbit.hex'));
      const first = await readFirmware(board, readFileSync(join(out, 'microbit-first.hex')), 'first');
      // Vector tables: stack pointers of both programs point into RAM, and code follows where the bootloader jumps to.
      const at = (address: number): number => {
        const segment = first.segments.find((s) => s.address <= address && address < s.address + s.bytes.length)!;
        return new DataView(segment.bytes.buffer, segment.bytes.byteOffset).getUint32(address - segment.address, true);
      };
      for (const vectors of [0, 0x2100]) {
        expect(at(vectors) >>> 16).toBe(0x2000);
        expect(at(vectors + 4)).toBeGreaterThan(vectors);
      }
      expect(at(0x2000)).toBe(0x96f3b83d);
    },
  );

  it.skipIf(missing.length > 0)(`as a binary goes where it was linked for${note}`, { timeout: 120_000 }, async () => {
    const board = boardOf('microbit');
    const hex = await buildFirmware(board, { path });
    const bin = hex.replace(/\.hex$/, '.bin');
    const [fromHex, fromBin] = [
      await readFirmware(board, readFileSync(hex), hex),
      await readFirmware(board, readFileSync(bin), bin),
    ];
    expect(fromBin.segments[0]!.address).toBe(0x2100);
    expect(fromBin.segments[0]!.address).toBe(fromHex.segments[0]!.address);
  });
});
