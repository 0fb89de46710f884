import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { boardOf } from '../../src/device/boards/boards.js';
import { greet } from '../../src/device/boards/greet.js';
import { place, plan } from '../../src/device/boards/planner.js';
import { startAvrBoard } from '../../src/device/emulated/avr-boards.js';
import type { SimavrBoard } from '../../src/device/emulated/simavr.js';
import { verifyLearning, verifyModel } from '../../src/device/parity.js';
import { save } from '../../src/device/push.js';
import { openTransport } from '../../src/device/resolve.js';
import type { Session } from '../../src/device/session.js';
import { encodeImage } from '../../src/format/image.js';
import { MESSAGES } from '../../src/format/message.js';
import type { Model } from '../../src/format/model.js';
import { Reference } from '../../src/reference/reference.js';
import { randomModel } from '../golden/random-model.js';
import { hasProgram } from '../support/programs.js';
import { buildFirmware } from './support/firmware.js';
import { modelOn, samplesOf } from './support/session.js';

const lacks = [
  ...['make', 'cc', 'avr-gcc'].filter((name) => !hasProgram(name)),
  ...(existsSync('/usr/include/simavr/sim_avr.h') ? [] : ['libsimavr-dev']),
  ...(existsSync('/usr/share/arduino/hardware/arduino/avr') ? [] : ['arduino-core-avr']),
];
const needs = lacks.length === 0 ? '' : ` (SKIPPED: there is no ${lacks.join(', no ')})`;
if (lacks.length > 0) console.warn(`the firmware of Arduino boards in simavr${needs}`);

const MINUTE = 60_000;
type Id = 'uno' | 'mega';
const MODELS: Readonly<Record<Id, Model>> = {
  uno: randomModel({ seed: 71, rawInputs: 16, classes: 4, hidden: [20, 20] }),
  mega: randomModel({ seed: 72, rawInputs: 32, classes: 4, hidden: [32, 20] }),
};
/** Bytes of a slot of an Uno; the second lies behind the first. */
const SLOT = 512;
/** Where in a slot the commit mark ends. */
const MARK_END = 32;

describe.skipIf(lacks.length > 0)(`the firmware of Arduino boards in simavr${needs}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'goodness-avr-test-'));
  let board: SimavrBoard | undefined;
  let session: Session | undefined;
  const off = async (): Promise<void> => {
    await session?.close();
    await board?.close();
    board = session = undefined;
  };
  afterEach(off);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const placed = async (id: Id): Promise<Model> => place(MODELS[id], await plan(MODELS[id], boardOf(id)));
  /** A board with firmware and model, as its bootloader has written them, and its port opened: which resets it into the bootloader. */
  const powerOn = async (id: Id, eeprom?: string): Promise<Session> => {
    const firmware = buildFirmware(id);
    const model = encodeImage(await placed(id));
    const kept = eeprom === undefined ? {} : { eeprom };
    board = await startAvrBoard({ ...boardOf(id), id }, { firmware, model, ...kept });
    return open(id);
  };
  const open = async (id: Id): Promise<Session> => {
    const { quietMs = 0 } = boardOf(id);
    session = await greet(() => openTransport(board!.address), { openMs: 20_000, quietMs });
    return session;
  };
  /** What the reference holds after it learned all samples of each seed. */
  const learned = async (id: Id, ...seeds: number[]): Promise<Uint8Array> => {
    const reference = new Reference(await placed(id));
    for (const seed of seeds) {
      for (const { input, label } of samplesOf(MODELS[id], seed, 5)) reference.learn(input, label);
    }
    return encodeImage(reference.toModel());
  };
  const learn = async (id: Id, seed: number): Promise<void> => {
    let index = 0;
    await session!.request(MESSAGES.stream, { index });
    for (const { input, label } of samplesOf(MODELS[id], seed, 5)) {
      await session!.request(MESSAGES.learn, { index: index++, label, input });
    }
  };
  const image = async (id: Id): Promise<Uint8Array> => encodeImage(await modelOn(session!, MODELS[id]));

  it.each(['uno', 'mega'] as const)(
    '%s computes and learns as the reference does, and finds what it saved after a reset',
    async (id) => {
      const { hello } = await powerOn(id);
      const model = await placed(id);
      expect(model.layers.map((layer) => layer.learns)).toEqual(id === 'uno' ? [true, false] : [true, true]);
      expect(hello).toMatchObject({ target: id, modelLoaded: true, baseId: model.state.baseId, persistent: true });
      expect(await verifyModel(model, session!, samplesOf(model, 5, 20))).toMatchObject({ mismatches: 0 });
      await session!.request(MESSAGES.reload, undefined);
      const report = await verifyLearning(model, session!, samplesOf(model, 6, 200));
      expect(report).toMatchObject({ mismatches: 0, samples: 200 });
      const before = await image(id);
      expect(before).not.toEqual(encodeImage(model));
      expect(await save(session!)).toBe(1);
      await session!.close();
      await board!.reset();
      await open(id);
      expect(await image(id)).toEqual(before);
    },
    2 * MINUTE,
  );

  /** What a save has done so far to its slot: bytes that it changes in the end, and those of them that it has changed. */
  interface Progress {
    readonly slot: Uint8Array;
    readonly written: number;
    readonly total: number;
  }
  const part = (of: number) => (p: Progress) => p.written >= of * p.total;
  const allBut = (count: number) => (p: Progress) => p.written >= p.total - count;
  /** The mark is cleared first, and from behind, so that there is a time in which the rest of the header still stands. */
  const erasing = ({ slot }: Progress): boolean => slot[MARK_END - 1] === 0xff;

  describe('whose power is cut while it saves', () => {
    const id = 'uno';
    const done: Uint8Array[] = [];
    /** EEPROM after 1, 2, 3 saves, each of five samples more. */
    const kept = (saves: number): string => join(folder, `${saves}.eeprom`);
    const prepare = async (saves: number): Promise<void> => {
      if (done.length > 0) return;
      const eeprom = join(folder, 'prepared.eeprom');
      await powerOn(id, eeprom);
      for (let n = 1; n <= saves; n++) {
        await learn(id, n);
        await save(session!);
        await sleep(50);
        copyFileSync(eeprom, kept(n));
        done[n] = new Uint8Array(readFileSync(kept(n)));
      }
      await off();
    };

    it.each([
      ['an empty slot, at its first byte', 1, part(0.001)],
      ['an empty slot, after a quarter', 1, part(0.25)],
      ['an empty slot, after three quarters', 1, part(0.75)],
      ['an empty slot, within the header', 1, allBut(20)],
      ['an empty slot, within the commit mark', 1, allBut(2)],
      ['a used slot, while its header is cleared', 2, erasing],
      ['a used slot, after a tenth', 2, part(0.1)],
      ['a used slot, in the middle', 2, part(0.5)],
      ['a used slot, before the header', 2, allBut(30)],
      ['a used slot, before the last byte of the commit mark', 2, allBut(1)],
    ] as const)(
      'an Uno finds the old model or the new one: %s',
      async (_, saves, at) => {
        await prepare(3);
        const eeprom = join(folder, 'cut.eeprom');
        copyFileSync(kept(saves), eeprom);
        const from = (saves % 2) * SLOT;
        const [before, after] = [done[saves]!, done[saves + 1]!].map((all) => all.subarray(from, from + SLOT));
        const changes = [...before!.keys()].filter((i) => before![i] !== after![i]);
        const progress = (): Progress => {
          const slot = new Uint8Array(readFileSync(eeprom)).subarray(from, from + SLOT);
          return { slot, written: changes.filter((i) => slot[i] === after![i]).length, total: changes.length };
        };
        const seeds = Array.from({ length: saves + 1 }, (_, n) => n + 1);
        const [older, newer] = [await learned(id, ...seeds.slice(0, -1)), await learned(id, ...seeds)];

        await powerOn(id, eeprom);
        expect(await image(id)).toEqual(older);
        await learn(id, saves + 1);
        const saved = save(session!).catch(() => {});
        for (let i = 0; i < 10_000 && !at(progress()); i++) await sleep(1);
        await board!.close();
        await saved;
        await off();
        const { slot, written, total } = progress();
        // Otherwise nothing was cut.
        expect(changes.length).toBeGreaterThan(40);
        expect(Buffer.compare(slot, before!)).not.toBe(0);

        await powerOn(id, eeprom);
        const found = await image(id);
        expect([older, newer].map((model) => Buffer.compare(found, model))).toContain(0);
        if (written < total) expect(found).toEqual(older);
      },
      MINUTE,
    );
  });
});
