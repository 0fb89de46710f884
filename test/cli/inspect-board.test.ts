import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage, encodeImage } from '../../src/format/image.js';
import { randomModel } from '../golden/random-model.js';
import { goodness, json } from './support/run.js';

let folder = '';
let small = '';
let big = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'goodness-inspect-'));
  small = join(folder, 'small.ffm');
  big = join(folder, 'big.ffm');
  writeFileSync(small, encodeImage(randomModel({ seed: 1, rawInputs: 784, classes: 10, hidden: [120, 60] })));
  writeFileSync(big, encodeImage(randomModel({ seed: 1, rawInputs: 784, classes: 10, hidden: [120, 120] })));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('goodness inspect --board', () => {
  it('shows where each layer goes, and each budget', async () => {
    const { code, out } = await goodness(['inspect', small, '--board', 'microbit']);
    expect(code).toBe(0);
    expect(out).toMatch(/^ +0 +784 +120 +flash +no +columns +94080$/m);
    expect(out).toMatch(/^ +1 +120 +60 +RAM +yes +columns +7200$/m);
    expect(out).toMatch(/^arena +\d+ of \d+ bytes: weights 7200/m);
    expect(out).toMatch(/^sample +789 of 800 bytes/m);
    expect(out).toContain('not verified on hardware');
  });

  it('gives the same as data', async () => {
    expect(json(await goodness(['inspect', small, '--board', 'microbit', '--json']))).toMatchObject({
      board: 'microbit',
      fits: true,
      layers: [
        { memory: 'flash', learns: false },
        { memory: 'ram', learns: true },
      ],
      ram: { weights: 7200 },
    });
  });

  it('shows a plan that does not fit with what would', async () => {
    const { code, out } = await goodness(['inspect', big, '--board', 'microbit']);
    expect(code).toBe(0);
    expect(out).toContain('does not fit');
    expect(out).toMatch(/^would fit +the same model with all layers frozen \(--learn none\)$/m);
    expect(out).toMatch(/^would fit +at most \d+ neurons a layer$/m);
  });

  it('writes the model as it goes there, and none that does not fit', async () => {
    const out = join(folder, 'placed.ffm');
    const refused = await goodness(['inspect', big, '--board', 'microbit', '--out', out]);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('error[plan.fit]')]);
    expect((await goodness(['inspect', big, '--board', 'microbit', '--learn', 'none', '--out', out])).code).toBe(0);
    expect(decodeImage(readFileSync(out)).layers.map((layer) => layer.learns)).toEqual([false, false]);
    expect((await goodness(['inspect', small, '--board', 'pico', '--learn', '1', '--out', out])).code).toBe(0);
    expect(decodeImage(readFileSync(out)).layers.map((layer) => layer.learns)).toEqual([false, true]);
  });

  it.each([
    [['--board', 'toaster'], 'board.unknown'],
    [['--board', 'esp32'], 'plan.board'],
    [['--board', 'pico', '--learn', 'some'], 'usage.value'],
    [['--board', 'pico', '--learn', '7'], 'plan.layer'],
    [['--learn', '1'], 'usage.option'],
  ])('refuses %j', async (args, code) => {
    const said = await goodness(['inspect', small, ...args]);
    expect(said.code).toBe(2);
    expect(said.err).toContain(`error[${code}]`);
  });
});
