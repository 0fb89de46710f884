import { describe, expect, it } from 'vitest';
import { BYTE_SCALING, type Dataset, selectClasses, slice } from '../../src/data/dataset.js';
import { GESTURES, generateGestures } from '../../src/data/gestures.js';
import { pool } from '../../src/data/pool.js';
import { applyShift, parseShift, shiftHelp } from '../../src/data/shift.js';

function images(count: number, side: number, value: (x: number, y: number, i: number) => number): Dataset {
  const inputs = new Uint8Array(count * side * side);
  for (let k = 0; k < inputs.length; k++) {
    const p = k % (side * side);
    inputs[k] = value(p % side, Math.floor(p / side), Math.floor(k / (side * side)));
  }
  return {
    name: 'test images',
    inputs,
    labels: Uint8Array.from({ length: count }, (_, i) => i % 3),
    count,
    width: side * side,
    classes: ['a', 'b', 'c'],
    geometry: { width: side, height: side },
    scaling: BYTE_SCALING,
  };
}

function vectors(count: number, width: number): Dataset {
  const { geometry: _, ...rest } = images(count, 1, () => 0);
  return { ...rest, width, inputs: Uint8Array.from({ length: count * width }, (_, k) => (k * 37) % 256) };
}

const square = images(6, 12, (x, y) => (x >= 5 && x <= 8 && y >= 2 && y <= 5 ? 200 : 0));
const at = (data: Dataset, x: number, y: number): number => data.inputs[y * data.geometry!.width + x]!;

describe('the grammar of shifts', () => {
  it('reads names, numbers and compositions', () => {
    expect(parseShift('rot-20 + occlude12')).toEqual([
      { name: 'rot', values: [-20] },
      { name: 'occlude', values: [12] },
    ]);
    expect(parseShift('translate2,-1.5')).toEqual([{ name: 'translate', values: [2, -1.5] }]);
    expect(parseShift('none')).toEqual([]);
    expect(parseShift('')).toEqual([]);
  });

  it('lists what it knows when it does not know a name', () => {
    expect(() => parseShift('rotate30')).toThrow(/rotN, jitterN, thick/);
    expect(() => parseShift('30')).toThrow(expect.objectContaining({ code: 'shift.name' }));
  });

  it.each(['rot', 'rot-', 'rot1,2', 'occlude2.5', 'scale0', 'thick3', 'noise-4', 'noise1e9'])(
    'refuses the number in %s',
    (text) => {
      expect(() => parseShift(text)).toThrow(expect.objectContaining({ code: 'shift.value' }));
    },
  );

  it('names every shift in its help', () => {
    expect(shiftHelp().length).toBeGreaterThan(15);
  });
});

describe('shifting images', () => {
  it('turns anticlockwise: what was on top comes to the left', () => {
    const turned = applyShift(square, 'rot90', 1);
    expect(at(turned, 3, 4)).toBe(200);
    expect(at(turned, 6, 3)).toBe(0);
    expect(applyShift(turned, 'rot-90', 1).inputs).toEqual(square.inputs);
  });

  it('moves, grows and shrinks as named', () => {
    expect(at(applyShift(square, 'translate2,1', 1), 10, 6)).toBe(200);
    expect(at(applyShift(square, 'thick', 1), 4, 1)).toBe(200);
    expect(at(applyShift(square, 'thin', 1), 5, 2)).toBe(0);
    expect(at(applyShift(square, 'thin', 1), 6, 3)).toBe(200);
    const sum = (d: Dataset): number => d.inputs.reduce((s, v) => s + v, 0);
    expect(sum(applyShift(square, 'scale50', 1)) / sum(square)).toBeCloseTo(0.25, 1);
    expect(sum(applyShift(square, 'blur2', 1)) / sum(square)).toBeCloseTo(1, 1);
    expect(sum(applyShift(square, 'gain50', 1)) / sum(square)).toBe(0.5);
    expect(at(applyShift(square, 'invert', 1), 0, 0)).toBe(255);
    expect(at(applyShift(square, 'shear100', 1), 11, 2)).toBe(200);
  });

  it('hides exactly one patch per image', () => {
    const white = images(50, 12, () => 255);
    const hidden = applyShift(white, 'occlude4', 3);
    for (let i = 0; i < 50; i++) {
      expect(hidden.inputs.subarray(i * 144, (i + 1) * 144).filter((v) => v === 0)).toHaveLength(16);
    }
  });

  it.each(['none', 'rot30', 'jitter35', 'warp', 'noise40', 'occlude3', 'drift20', 'swap5', 'rot20+occlude3'])(
    '%s is the same for the same seed and leaves the source alone',
    (text) => {
      const before = square.inputs.slice();
      const shifted = applyShift(square, text, 11);
      expect(applyShift(square, text, 11).inputs).toEqual(shifted.inputs);
      expect(square.inputs).toEqual(before);
      expect(shifted.inputs).toHaveLength(square.inputs.length);
    },
  );

  it('shifts the first samples the same way whether more follow or not', () => {
    const all = applyShift(square, 'jitter35+noise10', 5);
    const some = applyShift(slice(square, 0, 2), 'jitter35+noise10', 5);
    expect(some.inputs).toEqual(all.inputs.subarray(0, some.inputs.length));
  });

  it('gives jitter and noise to each sample anew, but one warp to all', () => {
    const row = (d: Dataset, i: number): Uint8Array => d.inputs.slice(i * d.width, (i + 1) * d.width);
    for (const text of ['jitter35', 'noise40']) {
      const shifted = applyShift(square, text, 2);
      expect(row(shifted, 0)).not.toEqual(row(shifted, 1));
    }
    const warped = applyShift(square, 'warp3', 2);
    expect(row(warped, 0)).toEqual(row(warped, 5));
    expect(row(warped, 0)).not.toEqual(row(square, 0));
    expect(row(applyShift(square, 'warp3', 3), 0)).not.toEqual(row(warped, 0));
  });
});

describe('shifting vectors', () => {
  const data = vectors(5, 8);

  it('drifts, offsets and swaps inputs, alike in all samples', () => {
    expect(applyShift(data, 'offset10', 1).inputs[1]).toBe(47);
    const swapped = applyShift(data, 'swap2', 1);
    const source = Array.from(swapped.inputs.subarray(0, 8), (v) => data.inputs.indexOf(v));
    expect(source.filter((s, k) => s !== k)).toHaveLength(4);
    for (let k = 0; k < 8; k++) expect(swapped.inputs[32 + k]).toBe(data.inputs[32 + source[k]!]);
    expect(applyShift(data, 'drift50', 1).inputs).not.toEqual(data.inputs);
  });

  it('refuses shifts that need an image and says which do not', () => {
    expect(() => applyShift(data, 'rot30', 1)).toThrow(/invert, noise, gain/);
  });
});

describe('pooling', () => {
  it('takes the mean of 2 x 2 pixels, halves rounded up', () => {
    const data = images(1, 4, (x, y) => [0, 1, 0, 3, 1, 0, 0, 0, 255, 255, 9, 9, 255, 254, 9, 9][y * 4 + x]!);
    const small = pool(data, 2);
    expect([...small.inputs]).toEqual([1, 1, 255, 9]);
    expect(small.geometry).toEqual({ width: 2, height: 2 });
    expect(pool(data, 1)).toBe(data);
  });

  it('refuses factors that do not divide the image, and vectors', () => {
    expect(() => pool(square, 5)).toThrow(expect.objectContaining({ code: 'pool.geometry' }));
    expect(() => pool(vectors(2, 4), 2)).toThrow(expect.objectContaining({ code: 'pool.geometry' }));
  });
});

describe('selecting classes', () => {
  it('keeps samples of the wanted classes and the list of all classes', () => {
    const some = selectClasses(square, [0, 2]);
    expect([...some.labels]).toEqual([0, 2, 0, 2]);
    expect(some.classes).toHaveLength(3);
  });
});

describe('generated gestures', () => {
  it('are balanced, repeatable, and move with drift but not with the order of drawing', () => {
    const a = generateGestures({ perClass: 20, seed: 3 });
    expect(a.rows).toBe(120);
    expect(a.width).toBe(42);
    for (const g of GESTURES) expect(a.labels.filter((l) => l === g)).toHaveLength(20);
    expect(generateGestures({ perClass: 20, seed: 3 }).values).toEqual(a.values);
    const drifted = generateGestures({ perClass: 20, seed: 3, drift: 0.6 });
    expect(drifted.labels).toEqual(a.labels);
    expect(drifted.values).not.toEqual(a.values);
    expect(drifted.values.every((v) => Number.isFinite(v))).toBe(true);
  });
});
