import { describe, expect, it } from 'vitest';
import { featureNames, featuresOf, planOf } from '../../src/device/sensor/features.js';
import { Windower } from '../../src/device/sensor/window.js';

describe('windows', () => {
  it('overlap as the hop says, and keep the order of the samples', () => {
    const windower = new Windower({ channels: 2, length: 3, hop: 2 });
    const windows: number[][] = [];
    for (let t = 0; t < 8; t++) {
      const window = windower.push([t, 10 * t]);
      if (window !== undefined) windows.push([...window]);
    }
    expect(windows).toEqual([
      [0, 0, 1, 10, 2, 20],
      [2, 20, 3, 30, 4, 40],
      [4, 40, 5, 50, 6, 60],
    ]);
  });

  it('do not overlap without a hop, and leave out samples with one longer than they are', () => {
    const starts = (hop?: number): number[] => {
      const windower = new Windower({ channels: 1, length: 2, ...(hop === undefined ? {} : { hop }) });
      return Array.from({ length: 12 }, (_, t) => windower.push([t])).flatMap((w) => (w === undefined ? [] : [w[0]!]));
    };
    expect(starts()).toEqual([0, 2, 4, 6, 8, 10]);
    expect(starts(5)).toEqual([0, 5, 10]);
  });

  it('start anew after a restart', () => {
    const windower = new Windower({ channels: 1, length: 2 });
    windower.push([1]);
    windower.restart();
    expect(windower.push([2])).toBeUndefined();
    expect([...windower.push([3])!]).toEqual([2, 3]);
  });

  it('refuse samples of another width, and sizes that are none', () => {
    const windower = new Windower({ channels: 2, length: 3 });
    expect(() => windower.push([1])).toThrow(expect.objectContaining({ code: 'window.sample' }));
    expect(() => new Windower({ channels: 0, length: 3 })).toThrow(expect.objectContaining({ code: 'window.size' }));
    expect(() => new Windower({ channels: 1, length: 3, hop: 0.5 })).toThrow(
      expect.objectContaining({ code: 'window.size' }),
    );
  });
});

describe('features', () => {
  const wave = (bin: number, phase: number, length = 32): Float64Array =>
    Float64Array.from({ length }, (_, t) => 500 + 100 * Math.cos((2 * Math.PI * bin * t) / length + phase));

  it('give the amplitude of a vibration at its frequency, whatever its phase', () => {
    const plan = { kind: 'spectrum', channels: ['a0'], length: 32 } as const;
    for (const phase of [0, 1, 2.5]) {
      const row = featuresOf(plan, wave(5, phase));
      expect(row[4]).toBeCloseTo(100, 6);
      expect(row[0]).toBeLessThan(1e-6);
      expect(row[11]).toBeLessThan(1e-6);
    }
  });

  it('take each channel by itself', () => {
    const plan = { kind: 'spectrum', channels: ['x', 'y'], length: 32 } as const;
    const [x, y] = [wave(3, 0), wave(9, 0)];
    const both = Float64Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? x : y)[i >> 1]!);
    const row = featuresOf(plan, both);
    expect(row[2]).toBeCloseTo(100, 6);
    expect(row[16 + 8]).toBeCloseTo(100, 6);
    expect(row[16 + 2]).toBeLessThan(1e-6);
  });

  it('have names that tell how rows were made', () => {
    const raw = { kind: 'raw', channels: ['a0', 'a1'], length: 2 } as const;
    expect(featureNames(raw)).toEqual(['a0_0', 'a1_0', 'a0_1', 'a1_1']);
    expect(planOf(featureNames(raw), 4, 2)).toMatchObject({ kind: 'raw', length: 2 });
    const spectrum = { kind: 'spectrum', channels: ['a0', 'a1'], length: 6 } as const;
    expect(featureNames(spectrum)).toEqual(['a0_bin1', 'a0_bin2', 'a0_bin3', 'a1_bin1', 'a1_bin2', 'a1_bin3']);
    expect(planOf(featureNames(spectrum), 6, 2)).toMatchObject({ kind: 'spectrum', length: 6 });
    expect(planOf(undefined, 6, 2)).toMatchObject({ kind: 'raw', length: 3 });
    expect(() => planOf(undefined, 6, 4)).toThrow(expect.objectContaining({ code: 'features.channels' }));
  });
});
