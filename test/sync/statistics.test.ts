import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { BYTE_SCALING, type Dataset, slice } from '../../src/data/dataset.js';
import { matchMoments } from '../../src/sync/moments.js';
import {
  checkStatistics,
  gatherStatistics,
  misfit,
  samplingNoise,
  statisticsOf,
  variance,
} from '../../src/sync/statistics.js';

/** Normal vectors: class c has mean 60 + 20 c + 3 p + move and deviation 10 * stretch at input p. */
function blobs(count: number, seed: number, move = 0, stretch = 1, classes = 3): Dataset {
  const width = 5;
  const random = new Random(seed);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % classes);
  const inputs = new Uint8Array(count * width);
  for (let k = 0; k < inputs.length; k++) {
    const c = labels[Math.floor(k / width)]!;
    const v = 60 + 20 * c + 3 * (k % width) + move + 10 * stretch * random.normal();
    inputs[k] = Math.max(0, Math.min(255, Math.round(v)));
  }
  const names = Array.from({ length: classes }, (_, c) => `class ${c}`);
  return { name: 'blobs', inputs, labels, count, width, classes: names, scaling: BYTE_SCALING };
}

describe('class statistics', () => {
  it('are means and mean squares of each class', () => {
    const data = { ...blobs(3, 1), inputs: Uint8Array.of(1, 2, 3, 4, 5, 10, 10, 10, 10, 10, 0, 0, 0, 0, 255) };
    const s = gatherStatistics({ ...data, labels: Uint8Array.of(0, 0, 2) });
    expect([...s.count]).toEqual([2, 0, 1]);
    expect([...s.mean.subarray(0, 5)]).toEqual([5.5, 6, 6.5, 7, 7.5]);
    expect(s.square[0]).toBe(50.5);
    expect(variance(s, 0, 0)).toBeCloseTo(20.25);
    expect(variance(s, 2, 4)).toBe(0);
    expect(samplingNoise(s, 1)).toBe(Number.POSITIVE_INFINITY);
  });

  it('come back from counts, means and deviations', () => {
    const s = gatherStatistics(blobs(300, 2));
    const deviation = s.mean.map((_, k) => Math.sqrt(variance(s, Math.floor(k / 5), k % 5)));
    const back = statisticsOf(s.count, s.mean, deviation);
    back.square.forEach((v, k) => {
      expect(v / s.square[k]!).toBeCloseTo(1, 4);
    });
  });

  it.each([
    ['statistics.shape', { count: Uint32Array.of(1, 2) }],
    ['statistics.range', { mean: new Float32Array(15).fill(Number.NaN) }],
    ['statistics.range', { mean: new Float32Array(15).fill(300) }],
    ['statistics.range', { square: new Float32Array(15).fill(1) }],
    ['statistics.empty', { count: new Uint32Array(3) }],
  ])('are refused with %s when they are impossible', (code, wrong) => {
    const s = { ...gatherStatistics(blobs(30, 3)), ...wrong };
    expect(() => checkStatistics(s)).toThrow(expect.objectContaining({ code }));
  });

  it('tell an equal domain (about 1) from another one', () => {
    const host = gatherStatistics(blobs(3000, 4));
    expect(misfit(host, gatherStatistics(blobs(600, 5)))).toBeLessThan(2);
    expect(misfit(host, gatherStatistics(blobs(600, 5, 8)))).toBeGreaterThan(20);
  });
});

describe('matching moments', () => {
  it('brings means and deviations of every class to those of the device', () => {
    const device = gatherStatistics(blobs(900, 6, 25, 1.6));
    const matched = gatherStatistics(matchMoments(blobs(900, 7), device, 1));
    for (let k = 0; k < 15; k++) {
      expect(Math.abs(matched.mean[k]! - device.mean[k]!)).toBeLessThan(1);
      const [a, b] = [variance(matched, Math.floor(k / 5), k % 5), variance(device, Math.floor(k / 5), k % 5)];
      expect(Math.sqrt(a / b)).toBeCloseTo(1, 1);
    }
  });

  it('goes half the way when asked to, and nowhere for 0', () => {
    const host = blobs(900, 7);
    const device = gatherStatistics(blobs(900, 6, 20));
    const half = gatherStatistics(matchMoments(host, device, 0.5));
    expect(half.mean[0]! - gatherStatistics(host).mean[0]!).toBeCloseTo(10, -0.3);
    expect(matchMoments(host, device, 0).inputs).toEqual(host.inputs);
  });

  it('moves classes that the device has not seen as the others moved', () => {
    const seen = blobs(900, 6, 25);
    const device = gatherStatistics({ ...slice(seen, 0, 900), labels: seen.labels.map((l) => (l === 2 ? 1 : l)) });
    expect(device.count[2]).toBe(0);
    const host = blobs(900, 7);
    const matched = gatherStatistics(matchMoments(host, device, 1));
    expect(matched.mean[12]! - gatherStatistics(host).mean[12]!).toBeGreaterThan(15);
  });
});
