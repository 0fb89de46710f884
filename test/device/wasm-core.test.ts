import { describe, expect, it } from 'vitest';
import { WasmCore } from '../../src/device/wasm/core.js';
import { SHAPE_BYTES, shapeOf } from '../../src/device/wasm/shape.js';
import { decodeClassStatistics } from '../../src/format/class-statistics.js';
import { encodeImage } from '../../src/format/image.js';
import { REGION } from '../../src/format/message.js';
import { diffPatch, encodePatch } from '../../src/format/patch.js';
import { STATUS } from '../../src/format/status.js';
import { Reference } from '../../src/reference/reference.js';
import { randomModel } from '../golden/random-model.js';
import { IMAGE, MODEL, randomData } from './support/rig.js';

const DATA = randomData(MODEL, 5, 300);
const x = DATA.inputs.subarray(0, MODEL.rawInputs);

describe('the core in this process', () => {
  it('has no model at first, and says so', async () => {
    const core = await WasmCore.create();
    expect(core.boot()).toBe(STATUS.NO_MODEL);
    expect(() => core.infer(x)).toThrow(expect.objectContaining({ code: 'device.no_model' }));
    expect(() => core.ram()).toThrow(expect.objectContaining({ code: 'device.no_model' }));
  });

  it('knows the shape of the model it loaded', async () => {
    const core = await WasmCore.withModel(IMAGE);
    expect(core.shape).toEqual({ imageBytes: IMAGE.length, rawInputs: 24, classes: 4, neurons: [20, 12] });
    expect(shapeOf(IMAGE.subarray(0, SHAPE_BYTES))).toEqual(core.shape);
  });

  it('infers and traces as the reference does', async () => {
    const core = await WasmCore.withModel(IMAGE);
    const reference = new Reference(MODEL);
    for (let i = 0; i < 50; i++) {
      const input = DATA.inputs.subarray(i * 24, (i + 1) * 24);
      const expected = reference.infer(input, DATA.labels[i]);
      expect(core.infer(input, DATA.labels[i]!)).toEqual({
        class: expected.class,
        flags: expected.flags,
        score: expected.score,
        labelScore: expected.labelScore,
      });
      expect(core.scores()).toEqual(expected.scores);
      for (const layer of [0, 1]) expect(core.trace(input, layer)).toEqual(reference.trace(input, layer));
    }
  });

  it('learns as the reference does, one by one and many at once', async () => {
    const [one, many] = [await WasmCore.withModel(IMAGE), await WasmCore.withModel(IMAGE)];
    const reference = new Reference(MODEL);
    const outcomes = many.learnMany(DATA.inputs, DATA.labels);
    for (let i = 0; i < DATA.count; i++) {
      const input = DATA.inputs.subarray(i * 24, (i + 1) * 24);
      const { class: cls, flags, score, labelScore } = reference.learn(input, DATA.labels[i]!);
      expect(one.learn(input, DATA.labels[i]!)).toEqual({ class: cls, flags, score, labelScore });
      expect([outcomes.classes[i], outcomes.flags[i], outcomes.scores[i], outcomes.labelScores[i]]).toEqual([
        cls,
        flags,
        score,
        labelScore,
      ]);
    }
    expect(one.image().subarray(16)).toEqual(reference.image().subarray(16));
    expect(many.image()).toEqual(one.image());
  });

  it('infers many samples as it infers each, in batches of any size, with labels and without', async () => {
    const core = await WasmCore.withModel(IMAGE);
    const data = randomData(MODEL, 9, 1100);
    const labelled = core.inferMany(data.inputs, data.labels);
    const bare = core.inferMany(data.inputs);
    for (const i of [0, 511, 512, 1099]) {
      const input = data.inputs.subarray(i * 24, (i + 1) * 24);
      expect(labelled.labelScores[i]).toBe(core.infer(input, data.labels[i]!).labelScore);
      expect(bare.classes[i]).toBe(core.infer(input).class);
    }
    expect(bare.classes).toEqual(labelled.classes);
    expect(bare.labelScores.every((score) => score === 0)).toBe(true);
  });

  it('keeps class statistics as the reference does', async () => {
    const core = await WasmCore.withModel(IMAGE);
    const reference = new Reference(MODEL);
    core.statistics(2);
    reference.statistics(2);
    core.learnMany(DATA.inputs, DATA.labels);
    for (let i = 0; i < DATA.count; i++) reference.learn(DATA.inputs.subarray(i * 24, (i + 1) * 24), DATA.labels[i]!);
    const bytes = core.read(REGION.statistics, 0, 100_000);
    expect(bytes.length).toBe(core.ram().statistics);
    const seen = decodeClassStatistics(bytes).classes.map((summary) => summary.count);
    expect(seen.reduce((a, b) => a + b)).toBe(DATA.count);
  });

  it('takes a patch for its base and refuses one for another, untouched', async () => {
    const core = await WasmCore.withModel(IMAGE);
    const after = { ...MODEL, state: { ...MODEL.state, baseId: 77, tau: 999 } };
    const patch = encodePatch(diffPatch(MODEL, after, 5).patch);
    expect(() => core.applyPatch(patch, 6)).toThrow(expect.objectContaining({ code: 'device.ticket' }));
    expect(core.image()).toEqual(IMAGE);
    core.applyPatch(patch, 5);
    expect(core.image().subarray(16)).toEqual(encodeImage(after).subarray(16));
    expect(() => core.applyPatch(patch, 5)).toThrow(
      expect.objectContaining({ code: 'device.base', expected: '0x0000004d' }),
    );
  });

  it('splits its RAM by what it is for, and takes no more than that', async () => {
    const core = await WasmCore.withModel(IMAGE);
    const { weights, inference, learning } = core.ram();
    expect(weights).toBe(24 * 20 + 20 * 12);
    expect(learning).toBeGreaterThanOrEqual(48 + 2 * 12 + 8 * 4 + 2 * (24 + 20));
    expect(core.arenaUsed).toBe(weights + inference + learning);
  });

  it('refuses a model that does not fit its RAM, with both numbers', async () => {
    const roomy = await WasmCore.withModel(IMAGE);
    const tight = await WasmCore.create({ arenaBytes: roomy.arenaUsed - 4 });
    expect(() => tight.load(IMAGE)).toThrow(
      expect.objectContaining({
        code: 'device.arena',
        expected: `${roomy.arenaUsed} bytes`,
        got: `${roomy.arenaUsed - 4} bytes`,
      }),
    );
    const exact = await WasmCore.create({ arenaBytes: roomy.arenaUsed });
    exact.load(IMAGE);
    expect(exact.infer(x)).toEqual(roomy.infer(x));
  });

  it.each([
    ['a changed byte', 'device.crc', (image: Uint8Array) => image.map((byte, i) => (i === 300 ? byte ^ 1 : byte))],
    ['a cut', 'device.truncated', (image: Uint8Array) => image.slice(0, -4)],
    ['another magic', 'device.magic', (image: Uint8Array) => image.map((byte, i) => (i === 0 ? 0 : byte))],
    ['another version', 'device.version', (image: Uint8Array) => image.map((byte, i) => (i === 4 ? 9 : byte))],
    ['nothing', 'device.truncated', () => new Uint8Array(0)],
  ])('refuses an image with %s', async (_, code, damage) => {
    await expect(WasmCore.withModel(damage(IMAGE))).rejects.toMatchObject({ code });
  });

  it('refuses samples of a wrong length and labels out of range', async () => {
    const core = await WasmCore.withModel(IMAGE);
    expect(() => core.infer(new Uint8Array(23))).toThrow(expect.objectContaining({ code: 'device.length' }));
    expect(() => core.inferMany(new Uint8Array(47))).toThrow(expect.objectContaining({ code: 'device.length' }));
    expect(() => core.learn(x, 4)).toThrow(expect.objectContaining({ code: 'device.label' }));
    expect(() => core.trace(x, 2)).toThrow(expect.objectContaining({ code: 'device.range' }));
    expect(() => core.seed(0)).toThrow(expect.objectContaining({ code: 'device.argument' }));
    expect(() => core.statistics(3)).toThrow(expect.objectContaining({ code: 'device.argument' }));
  });

  it('runs models with the label in the input, and refuses to let them learn', async () => {
    const model = randomModel({ seed: 4, rawInputs: 10, classes: 3, hidden: [8, 8], objective: 'label' });
    const core = await WasmCore.withModel(encodeImage(model));
    const reference = new Reference(model);
    const input = new Uint8Array(10).fill(99);
    expect(core.infer(input, 2).score).toBe(reference.infer(input, 2).score);
    expect(() => core.learn(input, 2)).toThrow(expect.objectContaining({ code: 'device.no_learn' }));
  });

  it('refuses a saved flash of another size', async () => {
    await expect(WasmCore.create({ slotBytes: 8192, flash: new Uint8Array(8192) })).rejects.toMatchObject({
      code: 'store.size',
    });
  });
});
