import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeValues } from '../../src/data/scaling.js';
import { formatHeader } from '../../src/format/c-header.js';
import { decodeImage, encodeImage } from '../../src/format/image.js';
import { OBJECT_KIND } from '../../src/format/message.js';
import { formatMeta, type Meta } from '../../src/format/meta.js';
import type { Model } from '../../src/format/model.js';
import { decodeSlot, encodeSlot } from '../../src/format/slot.js';
import { randomModel } from '../golden/random-model.js';
import { hasProgram } from '../support/programs.js';
import { goodness, json } from './support/run.js';

let folder = '';
let file = '';
let header = '';
const MODEL = randomModel({ seed: 91, rawInputs: 16, classes: 4, hidden: [20, 20] });
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'goodness-export-'));
  file = join(folder, 'model.ffm');
  header = join(folder, 'model.h');
  writeFileSync(file, encodeImage(MODEL));
});
afterAll(() => rmSync(folder, { recursive: true }));

const slotOf = (model: Model): Uint8Array => encodeSlot(encodeImage(model), 1, OBJECT_KIND.image);
const withMeta = (meta: Partial<Meta>): Model => ({
  ...MODEL,
  metaText: formatMeta({ classes: ['a', 'b', 'c', 'd'], ...meta }),
});
const text = (meta: Partial<Meta>): string => {
  const model = withMeta(meta);
  return formatHeader(model, slotOf(model), { arenaBytes: 700 });
};
/** The bytes of the array MODEL. */
const bytesIn = (source: string): Uint8Array =>
  Uint8Array.from(
    /MODEL\[\d+\] MODEL_PLACE = \{([^}]*)\}/
      .exec(source)![1]!
      .split(',')
      .filter((c) => c.trim()),
    Number,
  );

describe('goodness export', () => {
  it('writes the model as a committed slot in an array, with what a sketch needs to know', async () => {
    const said = await goodness(['export', file, '--header', header]);
    expect([said.code, said.err]).toEqual([0, '']);
    expect(said.out).toMatch(/16-20-20, layers 0 and 1 learn; \d+ bytes of flash, \d+ bytes of RAM/);
    const source = readFileSync(header, 'utf8');
    expect(decodeSlot(bytesIn(source))).toEqual(encodeImage(MODEL));
    expect(source).toContain('#define MODEL_INPUTS 16\n#define MODEL_CLASSES 4\n#define MODEL_ARENA ');
  });

  it('places the model for a board, and says what it takes there', async () => {
    const { code, out, err } = await goodness(['export', file, '--header', header, '--board', 'uno', '--json']);
    expect([code, err]).toEqual([0, '']);
    expect(json({ code, out, err })).toMatchObject({ header, board: 'uno', inputs: 16, classes: 4, learns: [0] });
    const source = readFileSync(header, 'utf8');
    expect(source).toMatch(/^\/\* .*placed for Arduino Uno/);
    expect(decodeImage(decodeSlot(bytesIn(source))).layers.map((layer) => layer.learns)).toEqual([true, false]);
    const learned = json(
      await goodness(['export', file, '--header', header, '--board', 'uno', '--learn', 'none', '--json']),
    );
    expect(learned).toMatchObject({ learns: [] });
  });

  it('refuses a model that does not fit the board, with what would, and leaves no file', async () => {
    const big = join(folder, 'big.ffm');
    const nowhere = join(folder, 'nowhere.h');
    writeFileSync(big, encodeImage(randomModel({ seed: 1, rawInputs: 784, classes: 10, hidden: [40, 40] })));
    const said = await goodness(['export', big, '--header', nowhere, '--board', 'uno']);
    expect([said.code, said.out]).toEqual([2, '']);
    expect(said.err).toContain('error[plan.fit]');
    expect(() => readFileSync(nowhere)).toThrow(/ENOENT/);
  });

  it.each([
    [['nothing.ffm', '--header', 'h.h'], 'file.read'],
    [['FILE', '--header', 'HEADER', '--learn', '0'], 'usage.option'],
    [['FILE', '--header', 'HEADER', '--board', 'toaster'], 'board.unknown'],
    [['FILE', '--header', '/dev/null/model.h'], 'file.write'],
    [['FILE', '--header', 'HEADER', '--bord', 'uno'], 'usage.option'],
    [['HEADER', '--header', 'HEADER'], 'image.'],
  ])('refuses %j', async (args, code) => {
    writeFileSync(header, 'no image');
    const words = args.map((word) => ({ FILE: file, HEADER: header })[word] ?? word);
    const said = await goodness(['export', ...words]);
    expect([said.code, said.out]).toEqual([2, '']);
    expect(said.err).toContain(`error[${code}`);
  });

  it('asks for the place of the header', async () => {
    const said = await goodness(['export', file]);
    expect([said.code, said.out]).toEqual([2, '']);
    expect(said.err).toContain('header');
  });
});

describe('a model as a C header', () => {
  it('names the classes in a comment that they can not end', () => {
    const source = text({ classes: ['still', 'a */ int x; /*', 'two\nlines', 'größer'] });
    expect(source).toContain('\n *  0  still\n *  1  a * / int x; / *\n *  2  two lines\n *  3  größer\n */');
  });

  it('rounds the RAM up to whole words', () => {
    const of = (arenaBytes: number): string => formatHeader(MODEL, slotOf(MODEL), { arenaBytes });
    expect(of(700)).toContain('MODEL_ARENA 700\n');
    expect(of(701)).toContain('MODEL_ARENA 704\n');
  });

  it('refuses what is no committed slot, and a scaling that no float holds', () => {
    const slot = slotOf(MODEL);
    const refused =
      (bytes: Uint8Array): (() => string) =>
      () =>
        formatHeader(MODEL, bytes, { arenaBytes: 700 });
    const wrong = slot.slice();
    wrong[28]! ^= 1;
    expect(refused(wrong)).toThrow(expect.objectContaining({ code: 'slot.empty' }));
    expect(refused(slot.subarray(0, 100))).toThrow(expect.objectContaining({ code: 'slot.empty' }));
    expect(refused(encodeSlot(slot, 1, OBJECT_KIND.patch))).toThrow(expect.objectContaining({ code: 'slot.empty' }));
    for (const step of [1e300, 1e-300]) {
      expect(() => text({ scaling: { offset: [0], step: [step] } })).toThrow(
        expect.objectContaining({ code: 'export.scaling' }),
      );
    }
  });

  it('stops compilers for AVR where the model is larger than their largest array', () => {
    const large = randomModel({ seed: 1, rawInputs: 784, classes: 10, hidden: [60, 40] });
    expect(formatHeader(large, slotOf(large), { arenaBytes: 4 })).toContain('#error "this model takes ');
    expect(text({})).not.toContain('#error');
  });

  const compilers = [
    ['C99', 'cc', 'c', ['-std=c99']],
    ['C11 without GNU extensions', 'cc', 'c', ['-std=c11', '-DPLAIN']],
    ['C++11', 'c++', 'cpp', ['-std=c++11']],
    ['C++11 without GNU extensions', 'c++', 'cpp', ['-std=c++11', '-DPLAIN']],
  ] as const;
  for (const [language, compiler, extension, flags] of compilers) {
    const lacks = hasProgram(compiler) ? '' : ` (SKIPPED: there is no ${compiler})`;
    it.skipIf(lacks !== '')(`compiled as ${language}, gives the slot and the bytes that the host gives${lacks}`, () => {
      const offset = Float32Array.from({ length: 16 }, (_, i) => i * 1.7 - 9);
      const step = Float32Array.from({ length: 16 }, (_, i) => 0.01 * (i + 1) ** 2);
      const scalings = [
        undefined,
        { offset: [0], step: [4] },
        { offset: [-1.5], step: [Math.fround(0.0123)] },
        { offset: [...offset], step: [...step] },
      ];
      for (const scaling of scalings) {
        const model = withMeta(scaling === undefined ? {} : { scaling });
        const used = scaling ?? { offset: [0], step: [1] };
        const at = (list: readonly number[], i: number): number => list[list.length === 1 ? 0 : i]!;
        // Middles of bytes, where nothing hangs on the last digit; the ends, and far beyond; and exact halves where floats have them.
        const parts = [-1e9, -1, 0, 0.25, 17.75, 128.25, 254.25, 255, 300, 1e9];
        if (scaling === undefined || scaling.step[0] === 4) parts.push(0.5, 1.5, 100.5, 254.5);
        const rows = parts.map((part) =>
          Float32Array.from({ length: 16 }, (_, i) => at(used.offset, i) + part * at(used.step, i)),
        );
        const values = rows.flatMap((row) => [...row]);
        writeFileSync(join(folder, 'model.h'), formatHeader(model, slotOf(model), { arenaBytes: 700 }));
        const source = join(folder, `main.${extension}`);
        writeFileSync(
          source,
          `#include <stdint.h>
          #include <stdio.h>
          #ifdef PLAIN
          #undef __GNUC__
          #endif
          #include "model.h"
          static const float VALUES[] = {${values.map((v) => `${v.toExponential(9)}f`).join()}};
          int main(void) {
              unsigned i;
              printf("%u %d %d", (unsigned)((uintptr_t)MODEL & 3), MODEL_INPUTS, MODEL_CLASSES);
              for (i = 0; i < ${values.length}; i++) printf(" %u", (unsigned)modelByte((uint16_t)(i % 16), VALUES[i]));
              printf("\\n");
              for (i = 0; i < sizeof MODEL; i++) printf("%02x", MODEL[i]);
              return 0;
          }`,
        );
        const program = join(folder, 'main');
        const strict = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Werror'];
        execFileSync(compiler, [...flags, ...strict, '-o', program, source], { stdio: 'pipe', timeout: 60_000 });
        const [numbers, hex] = execFileSync(program, { encoding: 'utf8', timeout: 10_000 }).split('\n') as [
          string,
          string,
        ];
        expect(new Uint8Array(Buffer.from(hex, 'hex'))).toEqual(slotOf(model));
        const expected = encodeValues(Float64Array.from(values), 16, {
          offset: Float32Array.from(used.offset),
          step: Float32Array.from(used.step),
        });
        expect(numbers.split(' ').map(Number)).toEqual([0, 16, 4, ...expected]);
      }
    });
  }
});
