import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FirmwareImage } from '../../src/device/bootloader/firmware-image.js';
import { formatHex, mergeImages, parseFirmware, parseHex } from '../../src/device/bootloader/hex.js';
import { hasProgram } from '../support/programs.js';

/** The examples of Intel's specification: 16 bytes at 0x0100 and the same at 0x0110. */
const INTEL = `:10010000214601360121470136007EFE09D2190140
:100110002146017E17C20001FF5F16002148011928
:00000001FF
`;
const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'latin1'));

/** Segments that don't touch, each with a gap of at least a byte before it; some cross 64 KB. */
const images = fc
  .array(
    fc.record({ gap: fc.integer({ min: 1, max: 70_000 }), bytes: fc.uint8Array({ minLength: 1, maxLength: 200 }) }),
    {
      minLength: 1,
      maxLength: 6,
    },
  )
  .map((pieces): FirmwareImage => {
    let at = 0;
    const segments = pieces.map(({ gap, bytes }) => {
      const address = at + gap;
      at = address + bytes.length;
      return { address, bytes };
    });
    return { segments };
  });

describe('Intel HEX', () => {
  it('is read as its specification says', () => {
    const { segments } = parseHex(INTEL);
    expect(segments).toHaveLength(1);
    expect(segments[0]!.address).toBe(0x100);
    expect(Buffer.from(segments[0]!.bytes).toString('hex').toUpperCase()).toBe(
      '214601360121470136007EFE09D219012146017E17C20001FF5F160021480119',
    );
    expect(parseHex(INTEL.replaceAll('\n', '\r\n'))).toEqual({ segments });
  });

  it('says the same when it was written and read again, wherever the bytes are', () => {
    fc.assert(
      fc.property(images, (image) => {
        expect(parseHex(formatHex(image))).toEqual(image);
      }),
    );
  });

  it.skipIf(!hasProgram('objcopy'))(
    `is what objcopy makes of it${hasProgram('objcopy') ? '' : ' (SKIPPED: there is no objcopy)'}`,
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'goodness-hex-'));
      try {
        const [hex, bin, back] = ['a.hex', 'a.bin', 'b.hex'].map((name) => join(folder, name)) as [
          string,
          string,
          string,
        ];
        const bytes = Uint8Array.from({ length: 100_001 }, (_, i) => (i * i + (i >> 8)) & 255);
        writeFileSync(hex, formatHex({ segments: [{ address: 0, bytes }] }));
        execFileSync('objcopy', ['-I', 'ihex', '-O', 'binary', hex, bin]);
        expect(Buffer.compare(readFileSync(bin), bytes)).toBe(0);
        execFileSync('objcopy', ['-I', 'binary', '-O', 'ihex', '--change-addresses=0x1f001', bin, back]);
        const { segments } = parseHex(readFileSync(back, 'latin1'));
        expect(segments.map(({ address }) => address)).toEqual([0x1f001]);
        expect(Buffer.compare(segments[0]!.bytes, bytes)).toBe(0);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );

  it.each([
    ['a wrong checksum', INTEL.replace('0140\n', '0141\n')],
    ['a record that is too short', INTEL.replace('190140\n', '0140\n')],
    ['letters that are no digits', INTEL.replace('2146', '21G6')],
    ['two records for one address', INTEL.replace(/^(:.*\n)/, '$1$1')],
    ['no end', INTEL.replace(':00000001FF\n', '')],
    ['other text', 'Not Found\n'],
  ])('is refused with %s', (_, broken) => {
    expect(() => parseHex(broken, 'x.hex')).toThrow(expect.objectContaining({ code: 'firmware.hex' }));
    expect(() => parseHex(broken, 'x.hex')).toThrow(/x\.hex/);
  });

  it('is refused without a byte in it', () => {
    expect(() => parseHex(':00000001FF\n')).toThrow(expect.objectContaining({ code: 'firmware.empty' }));
  });
});

describe('a firmware file', () => {
  it('is Intel HEX by its name or by what is in it, else bytes from the base on', () => {
    const wanted = parseHex(INTEL);
    expect(parseFirmware(text(INTEL), 'a.hex', 7)).toEqual(wanted);
    expect(parseFirmware(text(INTEL), 'a.bin', 7)).toEqual(wanted);
    const bytes = Uint8Array.of(0x3a, 0x31, 0x30, 0, 1);
    expect(parseFirmware(bytes, 'a.bin', 0x4000)).toEqual({ segments: [{ address: 0x4000, bytes }] });
    expect(() => parseFirmware(bytes, 'a.hex', 0)).toThrow(expect.objectContaining({ code: 'firmware.hex' }));
    expect(() => parseFirmware(new Uint8Array(), 'a.bin', 0)).toThrow(
      expect.objectContaining({ code: 'firmware.empty' }),
    );
  });

  it('is refused where it is larger than the flash of any microcontroller', () => {
    const bytes = new Uint8Array((64 << 20) + 1);
    expect(() => parseFirmware(bytes, 'a.bin', 0)).toThrow(expect.objectContaining({ code: 'firmware.size' }));
  });
});

describe('several images', () => {
  const image = (address: number, ...bytes: number[]): FirmwareImage => ({
    segments: [{ address, bytes: Uint8Array.from(bytes) }],
  });

  it('become one, in order, and joined where they touch', () => {
    expect(mergeImages(image(8, 3), image(0, 1, 2), image(2, 9, 9))).toEqual({
      segments: [
        { address: 0, bytes: Uint8Array.of(1, 2, 9, 9) },
        { address: 8, bytes: Uint8Array.of(3) },
      ],
    });
    expect(mergeImages()).toEqual({ segments: [] });
  });

  it('are refused if two of them want one address', () => {
    const overlap = expect.objectContaining({ code: 'firmware.overlap', got: '0x3, which is below 0x4' });
    expect(() => mergeImages(image(0, 1, 2, 3, 4), image(3, 5))).toThrow(overlap);
    expect(() => mergeImages(image(3, 5), image(0, 1, 2, 3, 4))).toThrow(overlap);
  });
});
