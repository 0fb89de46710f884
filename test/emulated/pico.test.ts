import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PICO } from '../../src/device/boards/pico.js';
import { RP2040_FAMILY, uf2 } from '../../src/device/bootloader/uf2.js';
import { readDrive } from '../../src/device/bootloader/uf2-drive.js';
import { type EmulatedPico, type PicoOptions, startPico } from '../../src/device/emulated/rp2040.js';
import { readPicoFirmware } from '../../src/device/emulated/rp2040-firmware.js';
import { FlashBus } from '../../src/device/emulated/rp2040-flash-bus.js';
import { FlashChip } from '../../src/device/emulated/rp2040-flash-chip.js';
import { verifyLearning, verifyModel } from '../../src/device/parity.js';
import { save } from '../../src/device/push.js';
import { openTransport } from '../../src/device/resolve.js';
import { Session } from '../../src/device/session.js';
import { flashModel, readRegion } from '../../src/device/transfer.js';
import { decodeImage, encodeImage } from '../../src/format/image.js';
import { MESSAGES, REGION } from '../../src/format/message.js';
import { randomInputs, randomModel } from '../golden/random-model.js';
import { hasProgram } from '../support/programs.js';
import { buildFirmware } from './support/firmware.js';

function hasPackage(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

const lacking = [
  ...['make', 'arm-none-eabi-gcc'].filter((program) => !hasProgram(program)),
  ...(hasPackage('rp2040js') ? [] : ['npm package rp2040js']),
];
const skipped = lacking.length ? ` (SKIPPED: there is no ${lacking.join(', ')})` : '';

const SMALL = { seed: 11, rawInputs: 64, classes: 4, hidden: [24, 20] } as const;
const LARGE = { seed: 12, rawInputs: 784, classes: 10, hidden: [120, 120] } as const;

/** An image with its CRC field cleared. */
function withoutCrc(image: Uint8Array): Uint8Array {
  return image.slice().fill(0, 12, 16);
}

describe.skipIf(lacking.length > 0)(`the Pico's firmware in rp2040js${skipped}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'goodness-pico-test-'));
  let firmware: string;
  let board: EmulatedPico | undefined;

  beforeAll(() => {
    firmware = buildFirmware('pico');
  }, 120_000);
  afterEach(async () => {
    await board?.close();
    board = undefined;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function start(options: PicoOptions = { firmware }): Promise<EmulatedPico> {
    board = await startPico(options);
    return board;
  }

  /** A conversation with the board, closed in any case. */
  async function withSession<T>(action: (session: Session) => Promise<T>): Promise<T> {
    const session = await Session.open(await openTransport(board!.address));
    try {
      return await action(session);
    } finally {
      await session.close();
    }
  }

  const samplesOf = (model: { rawInputs: number; classes: number }, count: number) =>
    randomInputs(5, count, model.rawInputs).map((input, n) => ({ input, label: n % model.classes }));

  it('says of itself what the data of the board say', async () => {
    await start();
    const { hello } = await withSession(async (session) => session);
    expect(hello.target).toBe('pico');
    expect(hello.arenaBytes).toBe(PICO.budget!.arenaBytes);
    expect(hello.maxRequest).toBe(PICO.budget!.payload);
    expect(hello.slotBytes).toBe(128 * 1024 - 32);
    expect(hello).toMatchObject({ learns: true, persistent: true, canRestart: true, modelLoaded: false, window: 4 });
  });

  it('computes and learns what the reference does, and finds what it saved after a reset and after a power cut', async () => {
    const flash = join(folder, 'learning.flash');
    await start({ firmware, flash });
    const model = randomModel(SMALL);
    const learned = await withSession(async (session) => {
      await flashModel(session, encodeImage(model));
      const samples = samplesOf(model, 40);
      expect(await verifyModel(model, session, samples)).toEqual({ samples: 40, mismatches: 0 });
      expect(await verifyLearning(model, session, samples)).toEqual({ samples: 40, mismatches: 0 });
      await save(session);
      return readRegion(session, REGION.image, 0, encodeImage(model).length);
    });
    expect(learned).not.toEqual(encodeImage(model));
    await board!.reset();
    const image = (session: Session) => readRegion(session, REGION.image, 0, learned.length);
    expect(await withSession(image)).toEqual(learned);
    await board!.close();
    await start({ flash });
    expect(await withSession(image)).toEqual(learned);
  }, 60_000);

  it('whose second boot stage does not fit its checksum is not started: the boot ROM shows its drive', async () => {
    const drive = join(folder, 'checksum', 'RPI-RP2');
    const { segments } = await readPicoFirmware(firmware);
    segments[0]!.bytes[8]! ^= 1;
    await start({ firmware: { segments }, drive });
    await expect.poll(() => readDrive(drive), { timeout: 10_000 }).toMatchObject({ board: 'RPI-RP2' });
    await board!.close();
    expect(existsSync(drive)).toBe(false);
  });

  it('ends with what went wrong when a program does what the processor would not survive', async () => {
    const { segments } = await readPicoFirmware(firmware);
    const { bytes } = segments[0]!;
    // The entry, which the second boot stage jumps to, lies where no memory is.
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(0x104, 0x30000001, true);
    await start({ firmware: { segments } });
    expect(await board!.ended).toMatch(/went wrong.*30000000/);
  });

  it('restarts when it is asked to, with another boot number', async () => {
    await start();
    const before = await withSession(async (session) => {
      const status = await session.request(MESSAGES.status, undefined);
      await session.request(MESSAGES.reset, { mode: 0 });
      return status.boot;
    });
    const after = await withSession((session) => session.request(MESSAGES.status, undefined));
    expect(before).not.toBe(0);
    expect(after.boot).not.toBe(0);
    expect(after.boot).not.toBe(before);
  });

  it('is flashed by UF2 over the drive that it shows when it is asked for its bootloader, and keeps its model', async () => {
    const drives = join(folder, 'media');
    await start({ firmware, drive: join(drives, 'RPI-RP2') });
    const model = randomModel(SMALL);
    await withSession((session) => flashModel(session, encodeImage(model)));
    await withSession((session) => session.request(MESSAGES.reset, { mode: 1 }));
    const flash = uf2({
      family: RP2040_FAMILY,
      label: 'RPI-RP2',
      places: async () => [join(drives, 'RPI-RP2')],
      driveMs: 10_000,
    });
    const image = await readPicoFirmware(firmware);
    const report = await flash('', image, {});
    expect(report.chip).toBe('Raspberry Pi RP2 (UF2 Bootloader v3.0)');
    expect(existsSync(join(drives, 'RPI-RP2'))).toBe(false);
    await withSession(async (session) => {
      expect(session.hello).toMatchObject({ target: 'pico', modelLoaded: true });
      expect(await verifyModel(model, session, samplesOf(model, 3))).toEqual({ samples: 3, mismatches: 0 });
    });
  }, 60_000);

  it('with an empty flash shows the drive, and starts the firmware that is copied there', async () => {
    const drive = join(folder, 'empty', 'RPI-RP2');
    await start({ drive });
    const image = await readPicoFirmware(firmware);
    await uf2({ family: RP2040_FAMILY, label: 'RPI-RP2', places: async () => [drive] })('', image, {});
    expect((await withSession(async (session) => session.hello)).target).toBe('pico');
  }, 60_000);

  it('holds the old model or the new one after a power cut in any flash operation of a save', async () => {
    const model = randomModel({ seed: 13, rawInputs: 32, classes: 4, hidden: [16, 12] });
    const bytes = encodeImage(model).length;
    const origin = join(folder, 'origin.flash');
    await start({ firmware, flash: origin });
    await withSession((session) => flashModel(session, encodeImage(model)));
    await board!.close();
    /** Learns and saves on a copy of that flash; the images before and after. */
    const learnAndSave = async (options: PicoOptions) => {
      await start(options);
      const session = await Session.open(await openTransport(board!.address));
      try {
        const old = await readRegion(session, REGION.image, 0, bytes);
        const report = await verifyLearning(model, session, samplesOf(model, 5));
        expect(report.mismatches).toBe(0);
        const learned = await readRegion(session, REGION.image, 0, bytes);
        const saved = await save(session).then(
          () => true,
          () => false,
        );
        return { old, learned, saved };
      } finally {
        await session.close();
      }
    };
    let cuts = 0;
    const kept = { old: 0, learned: 0 };
    for (let operation = 1; ; operation++) {
      const flash = join(folder, 'cut.flash');
      rmSync(flash, { force: true });
      copyFileSync(origin, flash);
      const { old, learned, saved } = await learnAndSave({ flash, cutAtOperation: operation });
      if (saved) break;
      expect(await board!.ended).toContain(`flash operation ${operation}`);
      cuts++;
      await start({ flash });
      const found = await withSession((session) => readRegion(session, REGION.image, 0, bytes));
      await board!.close();
      // A saved image has its own CRC, and what is read before is that of the flash: decoding checks the one, the rest is compared.
      decodeImage(found);
      const same = (image: Uint8Array) => Buffer.compare(withoutCrc(found), withoutCrc(image)) === 0;
      const which = same(old) ? 'old' : 'learned';
      expect(same(which === 'old' ? old : learned), `after cut ${operation}`).toBe(true);
      kept[which]++;
    }
    expect(cuts).toBeGreaterThan(5);
    // The last cut comes when the commit mark is written.
    expect(kept).toEqual({ old: cuts - 1, learned: 1 });
  }, 300_000);

  it('learns a whole 784-120-120 in both layers, in RAM, and saves it', async () => {
    await start();
    const model = randomModel(LARGE);
    const samples = samplesOf(model, 4);
    await withSession(async (session) => {
      await flashModel(session, encodeImage(model));
      expect(await verifyModel(model, session, samples)).toEqual({ samples: 4, mismatches: 0 });
      expect(await verifyLearning(model, session, samples)).toEqual({ samples: 4, mismatches: 0 });
      await save(session);
      const { arenaBytes, arenaUsed } = await session.refresh();
      expect(arenaUsed).toBeGreaterThan(784 * 120);
      expect(arenaUsed).toBeLessThan(arenaBytes);
    });
  }, 120_000);

  it('has a second boot stage with the checksum that the boot ROM looks at, and the vector table behind it', async () => {
    const { segments } = await readPicoFirmware(firmware);
    const bytes = segments[0]!.bytes;
    expect(segments[0]!.address).toBe(0x10000000);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    let crc = 0xffffffff;
    for (const byte of bytes.subarray(0, 252)) {
      crc ^= byte << 24;
      for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
    }
    expect(view.getUint32(252, true)).toBe(crc >>> 0);
    expect(view.getUint32(256, true)).toBe(0x20042000);
    expect(view.getUint32(260, true) & 1).toBe(1);
  });
});

describe('the emulated flash chip', () => {
  const WRITE_ENABLE = [0x06];
  let now = 0;
  let memory: Uint8Array;
  let chip: FlashChip;

  beforeEach(() => {
    now = 0;
    memory = new Uint8Array(1 << 16).fill(0xff);
    chip = new FlashChip(memory, { now: () => now });
  });

  function send(...bytes: number[]): number[] {
    chip.select();
    const back = bytes.map((byte) => chip.exchange(byte));
    chip.deselect();
    return back;
  }
  const status = () => send(0x05, 0)[1];
  /** Far longer than anything takes, and a look at what has become of it. */
  const wait = () => {
    now += 1e9;
    status();
  };

  it('programs and erases only after write enable, each time anew', () => {
    send(0x02, 0, 0, 0, 0x12);
    wait();
    expect(memory[0]).toBe(0xff);
    send(...WRITE_ENABLE);
    expect(status()).toBe(2);
    send(0x02, 0, 0, 0, 0x12);
    expect(status()).toBe(3);
    wait();
    expect(status()).toBe(0);
    expect(memory[0]).toBe(0x12);
    send(0x20, 0, 0, 0);
    wait();
    expect(memory[0]).toBe(0x12);
  });

  it('programs by clearing bits, within one page, and ends it at its start', () => {
    send(...WRITE_ENABLE);
    send(0x02, 0, 1, 0xfe, 0x0f, 0x0f, 0x0f);
    wait();
    send(...WRITE_ENABLE);
    send(0x02, 0, 1, 0xfe, 0xf3);
    wait();
    expect([memory[0x1fe], memory[0x1ff], memory[0x100], memory[0x200]]).toEqual([0x03, 0x0f, 0x0f, 0xff]);
  });

  it('takes nothing but a look at its status while it is busy', () => {
    send(...WRITE_ENABLE);
    send(0x20, 0, 0, 0);
    expect(send(0x03, 0, 0, 0, 0).at(-1)).toBe(0xff);
    send(...WRITE_ENABLE);
    send(0x02, 0, 0x10, 0, 0);
    wait();
    expect(memory[0x1000]).toBe(0xff);
    expect(status()).toBe(0);
  });

  it('erases a sector of 4096 bytes, and is half done until its time is over', () => {
    memory.fill(0);
    send(...WRITE_ENABLE);
    send(0x20, 0, 0x12, 0x34);
    expect([memory[0xfff], memory[0x1000], memory[0x17ff], memory[0x1800]]).toEqual([0, 0xff, 0xff, 0]);
    wait();
    expect(status()).toBe(0);
    expect([memory[0xfff], memory[0x1000], memory[0x1fff], memory[0x2000]]).toEqual([0, 0xff, 0xff, 0]);
  });

  it('reads, and says who it is', () => {
    memory.set([1, 2, 3], 0x234);
    expect(send(0x03, 0, 2, 0x34, 0, 0, 0).slice(4)).toEqual([1, 2, 3]);
    expect(send(0x9f, 0, 0, 0).slice(1)).toEqual([0xef, 0x40, 0x15]);
  });

  it('is seen by the processor only in the mode for it, and anew only after the cache was flushed', () => {
    const view = memory.slice();
    let visible = false;
    const bus = new FlashBus({
      chip,
      view,
      show: (now) => {
        visible = now;
      },
      pass: (nanos) => {
        now += nanos;
      },
    });
    const setUp = (mode: number) => {
      bus.ssi.writeUint32(0x08, 0);
      bus.ssi.writeUint32(0x00, mode);
      bus.ssi.writeUint32(0xf4, 0x03000218);
      bus.ssi.writeUint32(0x10, 1);
      bus.ssi.writeUint32(0x08, 1);
    };
    setUp(0x001f0300);
    expect(visible).toBe(true);
    setUp(0x00070000);
    expect(visible).toBe(false);
    memory[5] = 1;
    bus.changed(0, 128);
    setUp(0x001f0300);
    expect([visible, view[5]]).toEqual([true, 0xff]);
    bus.cache.writeUint32(0x04, 1);
    expect(view[5]).toBe(1);
  });
});
