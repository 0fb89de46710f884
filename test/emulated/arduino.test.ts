import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { boardOf } from '../../src/device/boards/boards.js';
import { greet } from '../../src/device/boards/greet.js';
import { place, plan } from '../../src/device/boards/planner.js';
import { avrBootloader, type SimavrBoard, startSimavr } from '../../src/device/emulated/simavr.js';
import { save } from '../../src/device/push.js';
import { openTransport } from '../../src/device/resolve.js';
import type { Session } from '../../src/device/session.js';
import { encodeImage } from '../../src/format/image.js';
import { OBJECT_KIND } from '../../src/format/message.js';
import type { Model } from '../../src/format/model.js';
import { decodeSlot, encodeSlot } from '../../src/format/slot.js';
import { goodness } from '../cli/support/run.js';
import { randomModel } from '../golden/random-model.js';
import {
  type ArduinoBoard,
  assembleLibrary,
  compileSketch,
  lackingForSketches,
  type Sketch,
} from './support/arduino.js';
import { differences, modelOn } from './support/session.js';

const MINUTE = 60_000;
const lacks = lackingForSketches();
const needs = lacks.length === 0 ? '' : ` (SKIPPED: there is no ${lacks.join(', no ')})`;
const simavr = existsSync('/usr/include/simavr/sim_avr.h') ? [] : ['libsimavr-dev'];
const lacksBoard = [...lacks, ...simavr];
const needsBoard = lacksBoard.length === 0 ? '' : ` (SKIPPED: there is no ${lacksBoard.join(', no ')})`;
if (lacksBoard.length > 0) console.warn(`the Arduino library${needsBoard}`);

const MODELS: Readonly<Record<ArduinoBoard, Model>> = {
  uno: randomModel({ seed: 81, rawInputs: 16, classes: 4, hidden: [20, 20] }),
  mega: randomModel({ seed: 82, rawInputs: 32, classes: 4, hidden: [32, 24] }),
};
const BOOTLOADER = { uno: 'optiboot', mega: 'stk500v2' } as const;
const MCU = { uno: 'atmega328p', mega: 'atmega2560' } as const;
/** Program flash below the bootloader, and RAM. */
const ROOM = { uno: { flash: 32_256, ram: 2048 }, mega: { flash: 253_952, ram: 8192 } } as const;
/** What is left to the stack of a sketch: the core's deepest chain of calls takes 250 to 300 bytes on AVR. */
const STACK = 350;

const folder = mkdtempSync(join(tmpdir(), 'goodness-arduino-'));
const library = join(folder, 'Goodness');
const sketches = new Map<string, Promise<Sketch>>();
beforeAll(() => assembleLibrary(library), MINUTE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The model as `goodness export` places it for the board. */
async function placed(board: ArduinoBoard): Promise<Model> {
  return place(MODELS[board], await plan(MODELS[board], boardOf(board)));
}

/** An example of the library, compiled once, with model.h made by the command line. */
function sketch(board: ArduinoBoard, example: string): Promise<Sketch> {
  const made = async (): Promise<Sketch> => {
    const out = join(folder, board, example);
    mkdirSync(out, { recursive: true });
    const model = join(out, 'model.ffm');
    writeFileSync(model, encodeImage(MODELS[board]));
    const said = await goodness(['export', model, '--header', join(out, 'model.h'), '--board', board]);
    expect([said.code, said.err]).toEqual([0, '']);
    return compileSketch(board, join(library, `examples/${example}/${example}.ino`), library, out, [out]);
  };
  const key = `${board}/${example}`;
  if (!sketches.has(key)) sketches.set(key, made());
  return sketches.get(key)!;
}

describe('the Arduino and PlatformIO library', () => {
  const file = (path: string): string => readFileSync(join(library, path), 'utf8');
  const manifest = (): Record<string, string> =>
    Object.fromEntries(
      file('library.properties')
        .trim()
        .split('\n')
        .map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]),
    );

  it('has what the Arduino IDE asks of a library: its properties, sources, examples and licence', () => {
    const properties = manifest();
    for (const key of ['name', 'version', 'author', 'maintainer', 'sentence', 'paragraph', 'category', 'url']) {
      expect(properties[key], key).toMatch(/\S/);
    }
    expect(properties.architectures).toBe('*');
    for (const header of properties.includes!.split(',')) expect(existsSync(join(library, 'src', header))).toBe(true);
    expect(existsSync(join(library, 'LICENSE'))).toBe(true);
    const examples = readdirSync(join(library, 'examples'));
    expect(examples.sort()).toEqual(['LearnSensor', 'ServeSerial']);
    for (const name of examples) expect(existsSync(join(library, 'examples', name, `${name}.ino`))).toBe(true);
  });

  it('has what PlatformIO asks of one, and both name the version of the package', () => {
    const json = JSON.parse(file('library.json')) as Record<string, unknown>;
    const properties = manifest();
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
    expect(json).toMatchObject({ name: properties.name, version, frameworks: 'arduino', license: 'Apache-2.0' });
    expect(properties.version).toBe(version);
    for (const header of [json.headers].flat() as string[]) expect(existsSync(join(library, 'src', header))).toBe(true);
  });

  it('holds every header that its files include, under names that differ in more than capitals', () => {
    const names = readdirSync(join(library, 'src'));
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
    const wanted = names.flatMap((name) =>
      [...file(`src/${name}`).matchAll(/#include "([^"]+)"/g)].map(([, header]) => header!),
    );
    expect(wanted.length).toBeGreaterThan(20);
    // Goodness.h names model.h in a comment only.
    expect(wanted.filter((header) => !names.includes(header) && header !== 'model.h')).toEqual([]);
  });

  it('guards each header by a name of its own', () => {
    const guards = readdirSync(join(library, 'src'))
      .filter((name) => name.endsWith('.h'))
      .map((name) => /#ifndef (\w+)\n#define \1\n/.exec(file(`src/${name}`))?.[1]);
    expect(guards).not.toContain(undefined);
    expect(new Set(guards).size).toBe(guards.length);
  });
});

describe.skipIf(lacks.length > 0)(`sketches for the AVR core of Arduino${needs}`, () => {
  it.each([
    ['uno', 'ServeSerial'],
    ['uno', 'LearnSensor'],
    ['mega', 'ServeSerial'],
    ['mega', 'LearnSensor'],
  ] as const)(
    'on %s, %s compiles without a warning and leaves room for the stack',
    async (board, example) => {
      const { warnings, flash, ram } = await sketch(board, example);
      expect(warnings).toEqual([]);
      expect(flash).toBeLessThan(ROOM[board].flash);
      expect(ram).toBeLessThan(ROOM[board].ram - STACK);
    },
    3 * MINUTE,
  );
});

describe.skipIf(lacksBoard.length > 0)(`ServeSerial in simavr, behind the real bootloader${needsBoard}`, () => {
  let board: SimavrBoard | undefined;
  let session: Session | undefined;
  afterEach(async () => {
    await session?.close();
    await board?.close();
    board = session = undefined;
  });

  it.each(['uno', 'mega'] as const)(
    'on %s computes and learns as the reference does, and keeps what it saved, but for no other sketch',
    async (id) => {
      const { hex } = await sketch(id, 'ServeSerial');
      const model = await placed(id);
      const eeprom = join(folder, `${id}.eeprom`);
      const bootloader = await avrBootloader(BOOTLOADER[id]);
      const powerOn = (): Promise<SimavrBoard> => startSimavr({ mcu: MCU[id], bootloader, flash: [hex], eeprom });
      const open = (): Promise<Session> =>
        greet(() => openTransport(board!.address), { openMs: 20_000, quietMs: boardOf(id).quietMs ?? 0 });
      board = await powerOn();
      session = await open();
      const arena = Number(/MODEL_ARENA (\d+)/.exec(readFileSync(join(hex, '../model.h'), 'utf8'))![1]);
      expect(session.hello).toMatchObject({
        target: 'arduino',
        modelLoaded: true,
        imageWithFirmware: true,
        arenaUsed: arena,
      });
      expect(await differences(session, model, 83, 20)).toBe(0);
      const learned = await modelOn(session, model);
      expect(learned.state.samples).toBe(model.state.samples + 20);
      await save(session);
      await session.close();
      await board.reset();
      session = await open();
      expect(encodeImage(await modelOn(session, model))).toEqual(encodeImage(learned));

      // The same record, made for an image with another CRC: that of a sketch which was there before.
      await session.close();
      await board.close();
      const saved = new Uint8Array(readFileSync(eeprom));
      const record = decodeSlot(saved);
      record[0]! ^= 1;
      saved.set(encodeSlot(record, 1, OBJECT_KIND.record));
      writeFileSync(eeprom, saved);
      board = await powerOn();
      session = await open();
      expect(encodeImage(await modelOn(session, model))).toEqual(encodeImage(model));
    },
    3 * MINUTE,
  );
});
