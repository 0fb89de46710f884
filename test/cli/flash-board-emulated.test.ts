import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BoardId } from '../../src/device/boards/board.js';
import { boardOf } from '../../src/device/boards/boards.js';
import { readFirmware } from '../../src/device/boards/composition.js';
import { buildFirmware, firmwareFor, missingTools, PACKAGE_ROOT } from '../../src/device/boards/firmware.js';
import { flashBoard } from '../../src/device/boards/flash-board.js';
import { uf2 } from '../../src/device/bootloader/uf2.js';
import { startAvrBoard } from '../../src/device/emulated/avr-boards.js';
import type { EmulatedBoard } from '../../src/device/emulated/emulated-board.js';
import { startMicrobit } from '../../src/device/emulated/microbit.js';
import { startPico } from '../../src/device/emulated/rp2040.js';
import { startBoard } from '../../src/device/emulated/start.js';
import { findProgram } from '../../src/device/programs.js';
import { encodeImage } from '../../src/format/image.js';
import { randomModel } from '../golden/random-model.js';
import { goodness, json } from './support/run.js';

const path = process.env.PATH ?? '';
const folder = mkdtempSync(join(tmpdir(), 'goodness-flash-board-'));
const model = join(folder, 'model.ffm');
// The lower layer is too large for the RAM of a micro:bit.
const MODEL = randomModel({ seed: 1, rawInputs: 200, classes: 10, hidden: [100, 40] });

let running: EmulatedBoard | undefined;
beforeAll(() => writeFileSync(model, encodeImage(MODEL)));
afterEach(async () => {
  await running?.close();
  running = undefined;
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Whether a board can be built and emulated here, and else what is missing, for the title. */
function needs(id: BoardId, emulator?: string): { skip: boolean; note: string } {
  const missing = [
    ...missingTools(boardOf(id).build!, path),
    ...(emulator === undefined || findProgram(path, emulator) !== undefined ? [] : [emulator]),
  ];
  return {
    skip: missing.length > 0,
    note: missing.length === 0 ? '' : ` (SKIPPED: there is no ${missing.join(', ')})`,
  };
}

const microbit = needs('microbit', 'qemu-system-arm');
describe.skipIf(microbit.skip)(`a micro:bit in QEMU${microbit.note}`, () => {
  it('gets firmware by its bootloader and a model over the link', { timeout: 120_000 }, async () => {
    await buildFirmware(boardOf('microbit'), { path });
    const board = await startMicrobit({ boot: join(PACKAGE_ROOT, 'build/boot/microbit/boot.bin') });
    running = board;
    const said = await goodness(['flash', '--board', 'microbit', '--port', board.address, '--model', model, '--json']);
    expect(said.err).not.toContain('error');
    expect(json(said)).toMatchObject({
      plan: { layers: [{ memory: 'flash' }, { memory: 'ram', learns: true }] },
      written: { bytesVerified: expect.any(Number) },
      sent: { verified: true },
      hello: { target: 'microbit', modelLoaded: true },
    });
    const verified = await goodness(['monitor', '--port', board.address, '--count', '1', '--json']);
    expect(json(verified)).toMatchObject({ restarted: false, baseId: MODEL.state.baseId });

    // A board that runs our firmware is brought into its bootloader by it, and keeps its model.
    const again = json(await goodness(['flash', '--board', 'microbit', '--port', board.address, '--json']));
    expect(again).toMatchObject({ hello: { modelLoaded: true, baseId: MODEL.state.baseId } });
    expect(again.plan).toBeUndefined();
  });
});

const pico = needs('pico');
describe.skipIf(pico.skip)(`an emulated Pico${pico.note}`, () => {
  it('gets firmware and model in one by its drive, and runs both', { timeout: 120_000 }, async () => {
    const board = boardOf('pico');
    await buildFirmware(board, { path });
    const drive = join(folder, 'media', 'RPI-RP2');
    running = await startPico({ drive });
    const file = firmwareFor(board).path;
    const { bootloader } = board;
    if (bootloader?.protocol !== 'uf2') throw new Error('a Pico is flashed by UF2');
    const report = await flashBoard(board, '', {
      firmware: await readFirmware(board, readFileSync(file), file),
      model: MODEL,
      link: running.address,
      bootloader: uf2({ ...bootloader, places: async () => [drive] }),
    });
    expect(report).toMatchObject({ hello: { target: 'pico', modelLoaded: true, baseId: MODEL.state.baseId } });
    expect(report.sent).toBeUndefined();
  });
});

/** What the emulator of AVR boards and their bootloaders are made of. */
const AVR = [
  '/usr/include/simavr/sim_avr.h',
  '/usr/share/arduino/hardware/arduino/avr/bootloaders/optiboot/optiboot.c',
].filter((file) => !existsSync(file));
for (const id of ['uno', 'mega'] as const) {
  const built = needs(id);
  const note = AVR.length === 0 ? built.note : ` (SKIPPED: there is no ${AVR.join(', ')})`;
  describe.skipIf(built.skip || AVR.length > 0)(`an emulated ${id}${note}`, () => {
    it('gets firmware and model in one by its real bootloader, then another model alone', {
      timeout: 240_000,
    }, async () => {
      const board = boardOf(id);
      await buildFirmware(board, { path });
      const emulated = await startAvrBoard({ ...board, id }, {});
      running = emulated;
      const file = join(folder, `${id}.ffm`);
      for (const [seed, firmware] of [
        [1, []],
        [2, ['--firmware', 'none']],
      ] as const) {
        const small = randomModel({ seed, rawInputs: 14, classes: 4, hidden: [16, 16] });
        writeFileSync(file, encodeImage(small));
        const args = ['flash', '--board', id, '--port', emulated.address, '--model', file, ...firmware, '--json'];
        const said = await goodness(args);
        expect(said.err).not.toContain('error');
        const report = json(said) as { written: { bytesWritten: number; bytesVerified: number } };
        expect(report).toMatchObject({ hello: { target: id, modelLoaded: true, baseId: small.state.baseId } });
        expect(report.written.bytesVerified).toBe(report.written.bytesWritten);
        expect(report.written.bytesWritten > 10_000).toBe(seed === 1);
      }
    });
  });
}

const mps2 = needs('mps2-an386', 'qemu-system-arm');
describe.skipIf(mps2.skip)(`a board that restarts while it is watched${mps2.note}`, () => {
  it('is noticed by the monitor', { timeout: 120_000 }, async () => {
    const board = boardOf('mps2-an386');
    await buildFirmware(board, { path });
    const emulated = await startBoard(board, { model: encodeImage(MODEL) });
    running = emulated;
    let lines = 0;
    const said = { out: '', err: '' };
    const { run } = await import('../../src/cli/run.js');
    const code = await run(['monitor', '--port', emulated.address, '--count', '6', '--interval', '0.2', '--json'], {
      stdout: {
        write: (text: string) => {
          said.out += text;
          // Some of the lines that follow are asked for after the reset.
          if (++lines === 1) void emulated.reset();
        },
      },
      stderr: { write: (text: string) => (said.err += text) },
      environment: {},
      platform: process.platform,
      now: () => 0,
      interrupted: () => new Promise(() => {}),
    });
    expect(code).toBe(0);
    const all = said.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { restarted: boolean });
    expect(all.filter((line) => line.restarted)).toHaveLength(1);
    expect(said.err).toContain('the device restarted');
  });
});
