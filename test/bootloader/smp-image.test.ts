import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GoodnessError } from '../../src/base/errors.js';
import { formatVersion, isMcubootImage, readImage, wrapImage } from '../../src/device/bootloader/mcuboot-image.js';
import { firmwareFile, MICROBIT_SLOT } from '../../src/device/bootloader/smp-firmware.js';

const VERSION = { major: 1, minor: 2, revision: 345, build: 67890 };
const OPTIONS = { version: VERSION, headerSize: 256, slotBytes: 12284 };
const code = (count: number) => Uint8Array.from({ length: count }, (_, i) => (i * 7) & 255);

/** A Python that can take MCUboot images apart by itself. */
const python = [process.env.GOODNESS_PYTHON, 'python3'].find(
  (program) => program !== undefined && spawnSync(program, ['-c', 'import smpclient.mcuboot']).status === 0,
);

describe('an MCUboot image', () => {
  it('says what it was made of', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 3000 }),
        fc.integer({ min: 8, max: 300 }),
        fc.record({ major: fc.nat(255), minor: fc.nat(255), revision: fc.nat(65535), build: fc.nat() }),
        (bytes, quarter, version) => {
          const image = wrapImage(bytes, { version, headerSize: 4 * quarter, slotBytes: 12284 });
          const read = readImage(image);
          expect(read).toMatchObject({ version, headerSize: 4 * quarter, flags: 0, bytes: image.length });
          expect(read.code).toEqual(bytes);
          const hashed = image.subarray(0, 4 * quarter + bytes.length);
          expect(Buffer.from(read.hash).toString('hex')).toBe(createHash('sha256').update(hashed).digest('hex'));
        },
      ),
    );
    expect(formatVersion(VERSION)).toBe('1.2.345.67890');
    expect(formatVersion({ major: 0, minor: 1, revision: 0 })).toBe('0.1.0');
  });

  it('is refused with any bit flipped', () => {
    const image = wrapImage(code(200), OPTIONS);
    for (let at = 0; at < image.length; at++) {
      const broken = image.slice();
      broken[at]! ^= 1 << (at % 8);
      expect(() => readImage(broken), `byte ${at}`).toThrow(GoodnessError);
    }
  });

  it('is refused at any other length that is shorter, and ignores what stands behind it', () => {
    const image = wrapImage(code(50), { ...OPTIONS, headerSize: 32 });
    for (let n = 0; n < image.length; n++) expect(() => readImage(image.subarray(0, n)), `${n}`).toThrow(GoodnessError);
    expect(readImage(Uint8Array.from([...image, 1, 2, 3])).bytes).toBe(image.length);
  });

  it(`is read by an independent program${python === undefined ? ' (SKIPPED: no Python with smpclient)' : ''}`, (context) => {
    if (python === undefined) return context.skip();
    const folder = mkdtempSync(join(tmpdir(), 'goodness-image-'));
    try {
      const file = join(folder, 'image.bin');
      writeFileSync(file, wrapImage(code(1000), OPTIONS));
      const script =
        'import sys; from smpclient.mcuboot import ImageInfo, IMAGE_TLV; i = ImageInfo.load_file(sys.argv[1]); ' +
        'print(i.header.ver, i.header.hdr_size, i.header.img_size, i.get_tlv(IMAGE_TLV.SHA256).value.hex())';
      const said = spawnSync(python, ['-c', script, file], { encoding: 'utf8' });
      const { hash } = readImage(wrapImage(code(1000), OPTIONS));
      expect(said.stdout.trim()).toBe(`1.2.345-build67890 256 1000 ${Buffer.from(hash).toString('hex')}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is not made of what does not fit the slot or its header', () => {
    expect(wrapImage(code(12284 - 256 - 40), OPTIONS)).toHaveLength(12284);
    expect(() => wrapImage(code(12284 - 256 - 39), OPTIONS)).toThrow(/does not fit the slot.*11988.*11989/s);
    expect(() => wrapImage(code(0), OPTIONS)).toThrow(/does not fit/);
    expect(() => wrapImage(code(9), { ...OPTIONS, headerSize: 31 })).toThrow(/header of this size/);
    expect(() => wrapImage(code(9), { ...OPTIONS, version: { ...VERSION, minor: 256 } })).toThrow(/minor number/);
  });
});

describe('a firmware for the bootloader', () => {
  const at = (address: number, bytes: Uint8Array) => ({ address, bytes });

  it('gets a header if it comes as the linker made it, gaps filled', () => {
    const file = firmwareFile({ segments: [at(0x2100, code(100)), at(0x2180, code(10))] });
    expect(readImage(file).code).toEqual(Uint8Array.from([...code(100), ...new Uint8Array(28).fill(255), ...code(10)]));
    expect(readImage(file).version).toMatchObject({ major: 0, minor: 1, revision: 0 });
  });

  it('is sent as it is if it has one already, wherever its file says it lies', () => {
    const image = wrapImage(code(100), OPTIONS);
    expect(firmwareFile({ segments: [at(0, image)] })).toEqual(image);
    expect(firmwareFile({ segments: [at(0x2000, Uint8Array.from([...image, 255, 255]))] })).toEqual(image);
    const parts = [at(0x2000, image.subarray(0, 300)), at(0x2000 + 300, image.subarray(300))];
    expect(firmwareFile({ segments: parts })).toEqual(image);
    expect(isMcubootImage(image)).toBe(true);
  });

  it('is refused if it is linked for another place, is too large, or comes with other parts of the flash', () => {
    const refused = { code: 'bootloader.range' };
    const make = (...segments: { address: number; bytes: Uint8Array }[]) => {
      try {
        firmwareFile({ segments });
      } catch (error) {
        return error;
      }
      return undefined;
    };
    expect(make()).toMatchObject(refused);
    expect(make(at(0, code(100)))).toMatchObject(refused);
    expect(make(at(0x2000, code(100)))).toMatchObject(refused);
    expect(make(at(0x2100, code(100)), at(0x8000, code(100)))).toMatchObject(refused);
    expect(make(at(0, code(100)), at(0x2100, code(100)))).toMatchObject(refused);
    expect(make(at(0, wrapImage(code(20000), { ...OPTIONS, slotBytes: 30000 })))).toMatchObject(refused);
    expect(MICROBIT_SLOT.slotBytes).toBe(12284);
  });
});
