import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Board } from '../../src/device/boards/board.js';
import { BOARDS, boardOf } from '../../src/device/boards/boards.js';
import { place, plan } from '../../src/device/boards/planner.js';
import { WasmCore } from '../../src/device/wasm/core.js';
import { decodeImage, encodeImage } from '../../src/format/image.js';
import { formatMeta } from '../../src/format/meta.js';
import type { Model } from '../../src/format/model.js';
import { SLOT_HEADER } from '../../src/format/slot.js';
import { stateLength } from '../../src/format/state.js';
import { randomModel } from '../golden/random-model.js';

const DIGITS = Array.from({ length: 10 }, (_, c) => String(c));

function digits(hidden: readonly number[], learns?: readonly boolean[]): Model {
  const model = randomModel({
    seed: 1,
    rawInputs: 784,
    classes: 10,
    hidden,
    ...(learns === undefined ? {} : { learns }),
  });
  return {
    ...model,
    metaText: formatMeta({ classes: DIGITS, dataset: 'mnist', geometry: { width: 28, height: 28 } }),
  };
}

const learning = (model: Model): number[] => model.layers.flatMap((layer, l) => (layer.learns ? [l] : []));

/** Whatever the board's kernels want. */
const inColumns = (model: Model): Model => ({
  ...model,
  layers: model.layers.map((layer) => ({ ...layer, layout: 0 })),
});

const layouts = (model: Model): number[] => model.layers.map((layer) => layer.layout);

describe('the plan', () => {
  it.each([
    ['mps2-an386', [1, 2]],
    ['stm32f405', [1, 2]],
    ['pico', [3, 3]],
    ['mps3-an547', [0, 0]],
    ['linux', [0, 0]],
    ['uno', [0, 0]],
  ])('lays weights out as the kernels of %s want them', async (id, wanted) => {
    const small = randomModel({ seed: 4, rawInputs: 8, classes: 2, hidden: [8, 8] });
    expect(layouts(place(small, await plan(small, boardOf(id))))).toEqual(wanted);
    // 10 neurons are pairs, but no words of four; 4 and 9 are no block of a kernel.
    for (const [neurons, dsp] of [
      [10, 1],
      [4, 0],
      [9, 0],
    ] as const) {
      const odd = randomModel({ seed: 4, rawInputs: 8, classes: 1, hidden: [neurons] });
      expect(layouts(place(odd, await plan(odd, boardOf(id))))).toEqual([wanted[0] === 1 ? dsp : 0]);
    }
    const nibbles = randomModel({ seed: 4, rawInputs: 8, classes: 2, hidden: [8], bits: 4 });
    expect(layouts(place(nibbles, await plan(nibbles, boardOf(id))))).toEqual([0]);
    // A stage above others begins with a hidden layer.
    const upper = randomModel({ seed: 4, rawInputs: 8, classes: 2, hidden: [8], layersBelow: 1 });
    expect(layouts(place(upper, await plan(upper, boardOf(id))))).toEqual([wanted[1]]);
  });

  it('takes columns where RAM is too small for lists of inputs, rather than letting fewer layers learn', async () => {
    const model = digits([120, 60]);
    const pico = boardOf('pico');
    const roomy = await plan(model, pico);
    const budget = (arenaBytes: number): Board => ({ ...pico, budget: { ...pico.budget!, arenaBytes } });
    const without = roomy.ram.need - 8 * 256; // of the lower layer's inputs
    for (const [arenaBytes, wanted] of [
      [roomy.ram.need, [3, 3]],
      [roomy.ram.need - 4, [0, 3]],
      [without + 8 * 120, [0, 3]],
      [without + 8 * 120 - 4, [0, 0]],
      [without, [0, 0]],
    ] as const) {
      const planned = await plan(model, budget(arenaBytes));
      expect(planned.fits).toBe(true);
      const placed = place(model, planned);
      expect([arenaBytes, layouts(placed), learning(placed)]).toEqual([arenaBytes, [...wanted], [0, 1]]);
    }
  });

  it('lets everything learn where there is room', async () => {
    const model = digits([120, 120]);
    for (const id of ['mps2-an386', 'mps3-an547', 'stm32f405', 'pico', 'pi-arm64', 'pi-armhf', 'linux', 'wasm']) {
      const planned = await plan(model, boardOf(id));
      expect(planned, id).toMatchObject({ fits: true, reasons: [] });
      expect(
        planned.layers.map((layer) => layer.memory),
        id,
      ).toEqual(['ram', 'ram']);
      expect(Buffer.compare(encodeImage(inColumns(place(model, planned))), encodeImage(model)), id).toBe(0);
    }
  });

  it('keeps a large lower layer in flash and lets a small upper one learn on a micro:bit', async () => {
    const model = digits([120, 60]);
    const planned = await plan(model, boardOf('microbit'));
    expect(planned.fits).toBe(true);
    expect(planned.layers).toMatchObject([
      { memory: 'flash', learns: false, bytes: 94_080 },
      { memory: 'ram', learns: true, bytes: 7200 },
    ]);
    expect(planned.reasons).toEqual([expect.stringContaining('layer 0 stays frozen')]);
    const placed = place(model, planned);
    expect(learning(placed)).toEqual([1]);
    expect(placed.state.means.map((means) => means.length)).toEqual([0, 120]);
    expect(learning(decodeImage(encodeImage(placed)))).toEqual([1]);
  });

  it('counts the RAM that the core takes, byte for byte', async () => {
    const model = digits([120, 60]);
    const planned = await plan(model, boardOf('microbit'));
    const image = encodeImage(place(model, planned));
    const core = await WasmCore.create({ arenaBytes: planned.ram.need, slotBytes: 4096 });
    core.load(image);
    expect(core.arenaUsed).toBe(planned.ram.need);
    const less = await WasmCore.create({ arenaBytes: planned.ram.need - 4, slotBytes: 4096 });
    expect(() => less.load(image)).toThrow(expect.objectContaining({ code: 'device.arena' }));
  });

  it('refuses what fits no way, with its numbers and what would fit', async () => {
    const model = digits([120, 120]);
    const planned = await plan(model, boardOf('microbit'));
    expect(planned.fits).toBe(false);
    expect(planned.reasons.join()).toMatch(/RAM for weights \(14400\).*: \d+ of \d+ bytes/);
    expect(planned.nearest[0]).toContain('frozen');
    expect(planned.nearest[1]).toMatch(/at most \d+ neurons a layer/);
    expect(() => place(model, planned)).toThrow(expect.objectContaining({ code: 'plan.fit' }));
  });

  it.each(['microbit', 'uno', 'mega'])('proposes only what fits %s', async (id) => {
    const board = boardOf(id);
    const { nearest } = await plan(digits([120, 120]), board);
    const text = nearest.at(-1)!;
    const pool = Number(/--pool (\d+)/.exec(text)?.[1] ?? 1);
    const width = Number(/at most (\d+) neurons/.exec(text)?.[1] ?? 120);
    const side = 28 / pool;
    const model = (neurons: number): Model =>
      randomModel({ seed: 2, rawInputs: side * side, classes: 10, hidden: [neurons, neurons] });
    const small = { ...model(width), metaText: formatMeta({ classes: DIGITS, dataset: 'mnist' }) };
    expect((await plan(small, board)).fits, text).toBe(true);
    expect((await plan({ ...model(width + 10), metaText: small.metaText }, board)).fits, text).toBe(false);
  });

  it('takes most learned weights first, and of as many those of the lower layer', async () => {
    const board = boardOf('mega');
    const even = randomModel({ seed: 3, rawInputs: 32, classes: 4, hidden: [32, 32, 32] });
    expect(learning(place(even, await plan(even, board)))).toEqual([0]);
    const upper = randomModel({ seed: 3, rawInputs: 16, classes: 4, hidden: [24, 40] });
    expect(learning(place(upper, await plan(upper, board)))).toEqual([0, 1]);
    const bigger = randomModel({ seed: 3, rawInputs: 16, classes: 4, hidden: [32, 48] });
    expect(learning(place(bigger, await plan(bigger, board)))).toEqual([1]);
  });

  it('freezes all layers only when it is told to', async () => {
    const model = digits([120, 120]);
    const planned = await plan(model, boardOf('microbit'), { learn: [] });
    expect(planned).toMatchObject({ fits: true, ram: { weights: 0, learning: 0 }, reasons: [] });
    expect(learning(place(model, planned))).toEqual([]);
  });

  it('lets the layers learn that the user names, or refuses', async () => {
    const model = digits([120, 60]);
    const pico = await plan(model, boardOf('pico'), { learn: [1] });
    expect(learning(place(model, pico))).toEqual([1]);
    expect(await plan(model, boardOf('microbit'), { learn: [0] })).toMatchObject({ fits: false });
    const frozen = digits([120, 60], [false, true]);
    await expect(plan(frozen, boardOf('pico'), { learn: [0] })).rejects.toMatchObject({ code: 'plan.layer' });
    await expect(plan(frozen, boardOf('pico'), { learn: [2] })).rejects.toMatchObject({ code: 'plan.layer' });
  });

  it('never wakes a layer that the model has frozen', async () => {
    const model = digits([120, 60], [false, true]);
    expect(learning(place(model, await plan(model, boardOf('linux'))))).toEqual([1]);
  });

  it('plans a label-in-input model, which never learns', async () => {
    const model = randomModel({ seed: 4, rawInputs: 20, classes: 4, hidden: [16], objective: 'label' });
    expect(await plan(model, boardOf('microbit'))).toMatchObject({
      fits: true,
      layers: [{ learns: false }],
      reasons: [],
    });
  });

  it('fits a learned record into half the EEPROM, header and state included', async () => {
    const model = randomModel({ seed: 5, rawInputs: 14, classes: 4, hidden: [16, 16] });
    const planned = await plan(model, boardOf('uno'));
    expect(planned.fits).toBe(true);
    const placed = place(model, planned);
    const weights = placed.layers.reduce((sum, layer) => sum + (layer.learns ? layer.weights.length : 0), 0);
    expect(planned.record).toEqual({ need: SLOT_HEADER + 4 + stateLength(placed) + weights, have: 512 });
    const wide = randomModel({ seed: 5, rawInputs: 16, classes: 4, hidden: [24, 24] });
    const refused = await plan(wide, boardOf('uno'));
    expect(refused.fits).toBe(false);
    expect(refused.reasons.join()).toContain('of 512 bytes');
    expect(refused.nearest[0]).toContain('frozen');
  });

  it('counts the state that far flash has copied to RAM although nothing learns', async () => {
    const model = randomModel({ seed: 5, rawInputs: 16, classes: 4, hidden: [24, 24] });
    const planned = await plan(model, boardOf('uno'), { learn: [] });
    expect(planned.ram.learning).toBe(stateLength(place(model, planned)));
  });

  it('refuses samples longer than a frame, and more layers than the firmware holds', async () => {
    const long = randomModel({ seed: 6, rawInputs: 100, classes: 2, hidden: [4] });
    const refused = await plan(long, boardOf('uno'));
    expect(refused).toMatchObject({ fits: false, sample: { need: 105, have: 64 } });
    expect(refused.nearest.at(-1)).toContain('at most 59 inputs');
    const deep = randomModel({ seed: 6, rawInputs: 8, classes: 2, hidden: [4, 4, 4, 4, 4] });
    expect((await plan(deep, boardOf('uno'))).reasons).toContain('layers: 5 of 2 that the firmware holds');
  });

  it('refuses a board without firmware', async () => {
    await expect(plan(digits([10]), boardOf('esp32'))).rejects.toMatchObject({ code: 'plan.board' });
  });

  it('never plans beyond a budget, and what it places is a valid image that computes', async () => {
    const boards = BOARDS.filter((board): board is Board & { budget: object } => board.budget !== undefined);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...boards),
        fc.integer({ min: 1, max: 900 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 5 }),
        fc.infiniteStream(fc.boolean()),
        async (board, rawInputs, groups, classes, flags) => {
          const hidden = groups.map((g) => g * classes);
          const learns = hidden.map(() => flags.next().value as boolean);
          const model = randomModel({ seed: rawInputs, rawInputs, classes, hidden, learns });
          const planned = await plan(model, board);
          if (!planned.fits) {
            expect(planned.reasons.length).toBeGreaterThan(0);
            return;
          }
          for (const room of [planned.ram, planned.image, planned.record, planned.sample]) {
            if (room !== undefined) expect(room.need).toBeLessThanOrEqual(room.have);
          }
          const placed = place(model, planned);
          if (learns.includes(true)) expect(learning(placed).length).toBeGreaterThan(0);
          for (const l of learning(placed)) expect(learns[l]).toBe(true);
          const image = encodeImage(placed);
          expect(decodeImage(image).state.means.map((m) => m.length)).toEqual(
            placed.layers.map((layer) => (layer.learns ? layer.inputs : 0)),
          );
          const core = await WasmCore.create({ arenaBytes: planned.ram.have, slotBytes: 4096 });
          core.load(image);
          core.infer(new Uint8Array(rawInputs).fill(9));
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);
});
