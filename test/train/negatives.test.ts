import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { shapeFor } from '../../src/train/config.js';
import { layerGoodness } from '../../src/train/forward.js';
import { ascend, GoodnessSlopes } from '../../src/train/negatives/ascent.js';
import { feedOf } from '../../src/train/negatives/feed.js';
import { blobMask, HybridMasks } from '../../src/train/negatives/hybrid.js';
import { completeNegatives, NEGATIVES_OF } from '../../src/train/negatives/negatives.js';
import { asOneClass, partsOf } from '../../src/train/negatives/others.js';
import { drawnLabels } from '../../src/train/negatives/wrong-labels.js';
import { createNetwork, goodnessUnit, type Network } from '../../src/train/network.js';
import { bars, blobs } from './blobs.js';

const GEOMETRY = { width: 28, height: 28 };

describe('hybrid negatives', () => {
  const mask = (blurs: number): Uint8Array => {
    const result = new Uint8Array(784);
    blobMask(GEOMETRY, blurs, new Random(5), result, [new Float32Array(784), new Float32Array(784)]);
    return result;
  };
  const edges = (m: Uint8Array): number => m.reduce((n, v, i) => n + (i % 28 > 0 && v !== m[i - 1] ? 1 : 0), 0);

  it('have masks of both kinds, and larger blobs the more they are blurred', () => {
    const [sharp, soft, softer] = [mask(0), mask(6), mask(20)];
    for (const m of [sharp, soft, softer]) {
      const share = m.reduce((a, b) => a + b, 0) / 784;
      expect(share).toBeGreaterThan(0.2);
      expect(share).toBeLessThan(0.8);
    }
    expect(edges(soft)).toBeLessThan(0.5 * edges(sharp));
    expect(edges(softer)).toBeLessThan(edges(soft));
  });

  it('are blurred with [1/4, 1/2, 1/4] both ways', () => {
    const [a, b] = [new Float32Array(784), new Float32Array(784)];
    blobMask(GEOMETRY, 0, new Random(1), new Uint8Array(784), [a, b]);
    const bits = a.slice();
    blobMask(GEOMETRY, 1, new Random(1), new Uint8Array(784), [a, b]);
    const weight = [0.25, 0.5, 0.25];
    const at = (x: number, y: number): number =>
      bits[Math.max(0, Math.min(27, y)) * 28 + Math.max(0, Math.min(27, x))]!;
    for (const [x, y] of [
      [5, 7],
      [0, 0],
      [27, 13],
    ] as const) {
      let sum = 0;
      for (let dy = -1; dy <= 1; dy++)
        for (let dx = -1; dx <= 1; dx++) sum += weight[dx + 1]! * weight[dy + 1]! * at(x + dx, y + dy);
      expect(a[y * 28 + x]).toBeCloseTo(sum, 6);
    }
  });

  it('take every pixel from one of two images', () => {
    const [one, other, joined] = [new Uint8Array(784).fill(1), new Uint8Array(784).fill(2), new Uint8Array(784)];
    new HybridMasks(GEOMETRY, 6).join(one, other, joined, new Random(3));
    expect(new Set(joined)).toEqual(new Set([1, 2]));
  });

  it('need images', () => {
    expect(() => feedOf({ kind: 'hybrid', blurs: 6 }, 6, undefined, undefined)).toThrow('image data');
  });
});

describe('shuffled negatives', () => {
  it('take every input from the same input of some sample', () => {
    const count = 40;
    const data = Uint8Array.from({ length: count * 3 }, (_, k) => 100 * (k % 3) + (Math.floor(k / 3) % 50));
    const target = new Uint8Array(data.length);
    const feed = feedOf({ kind: 'shuffled' }, 3, undefined, undefined);
    feed.fill(data, target, count, { inputs: data, count }, new Random(2));
    let together = 0;
    for (let s = 0; s < count; s++) {
      const row = [...target.subarray(3 * s, 3 * s + 3)];
      expect(row.map((v) => Math.floor(v / 100))).toEqual([0, 1, 2]);
      if (new Set(row.map((v) => v % 100)).size === 1) together++;
    }
    expect(together).toBeLessThan(3);
  });
});

describe('negatives of other data', () => {
  it('are drawn from them, and must fit', () => {
    const others = blobs(9, 4);
    const feed = feedOf({ kind: 'data' }, 6, undefined, others);
    const target = new Uint8Array(5 * 6);
    feed.fill(new Uint8Array(30), target, 5, { inputs: new Uint8Array(30), count: 5 }, new Random(1));
    const rows = Array.from({ length: 9 }, (_, s) => String(others.inputs.subarray(6 * s, 6 * s + 6)));
    for (let s = 0; s < 5; s++) expect(rows).toContain(String(target.subarray(6 * s, 6 * s + 6)));
    expect(() => feedOf({ kind: 'data' }, 7, undefined, others)).toThrow('expected 7 inputs; got 6');
    expect(() => feedOf({ kind: 'data' }, 6, undefined, undefined)).toThrow('no samples');
  });

  it('are the samples of other classes', () => {
    const data = blobs(30, 1);
    const { positives, negatives } = partsOf(data, 'unsupervised', { kind: 'others', classes: ['b'] });
    expect([positives.count, negatives!.count]).toEqual([20, 10]);
    expect([...negatives!.labels].every((label) => label === 1)).toBe(true);
    expect(() => partsOf(data, 'unsupervised', { kind: 'others' })).toThrow('negatives.classes');
    expect(() => partsOf(data, 'unsupervised', { kind: 'others', classes: ['x'] })).toThrow('no class "x"');
  });

  it('are what is not normal for a one-class network, which learns the rest', () => {
    const data = asOneClass(blobs(30, 1), ['a', 'c']);
    expect(data.classes).toEqual(['normal', 'novel']);
    const { positives, negatives } = partsOf(data, 'one-class', { kind: 'others' });
    expect([positives.count, negatives!.count]).toEqual([20, 10]);
    expect(partsOf(data, 'one-class', { kind: 'shuffled' }).negatives).toBeUndefined();
  });
});

describe('labels drawn from what the network believes', () => {
  it('are never the true one, or as often as it is likely', () => {
    const random = new Random(2);
    const likely = new Float32Array(4000).map((_, k) => [3, 1, 2, 0][k % 4]!);
    const labels = new Uint8Array(1000);
    const drawn = new Uint8Array(1000);
    const count = (label: number): number => drawn.filter((l) => l === label).length;
    drawnLabels(likely, labels, drawn, 4, 1, random);
    expect(count(0)).toBe(0);
    expect(count(2)).toBeGreaterThan(count(1));
    drawnLabels(likely, labels, drawn, 4, 1, random, true);
    expect(count(0) / 1000).toBeCloseTo(Math.exp(3) / (Math.exp(3) + Math.exp(1) + Math.exp(2) + 1), 1);
  });
});

describe('negatives made by the network', () => {
  const summed = (network: Network, x: Float32Array): number =>
    layerGoodness(network, x, 1).reduce(
      (sum, g, l) => sum + g.reduce((a, b) => a + b, 0) / goodnessUnit(network, l),
      0,
    );

  it.each(['mean-squares', 'sum-squares', 'mean-absolute', 'minus-sum-squares'] as const)(
    'climb the slope that differences of the goodness show: %s',
    (goodness) => {
      const data = bars(6, 1);
      const network = createNetwork(shapeFor(data, { hidden: [9, 6], goodness }), new Random(4), 2);
      const x = Float32Array.from(data.inputs.subarray(0, 64), (v, i) => v + (i % 7));
      const slope = new GoodnessSlopes(network).over(x, 1);
      for (const i of [1, 9, 20, 33, 50, 63]) {
        const [up, down] = [x.slice(), x.slice()];
        up[i] = up[i]! + 0.5;
        down[i] = down[i]! - 0.5;
        expect(slope[i]! * 1e3).toBeCloseTo((summed(network, up) - summed(network, down)) * 1e3, 1);
      }
    },
  );

  it('have more goodness than the samples that they start from, and stay bytes', () => {
    const data = bars(20, 1);
    const network = createNetwork(shapeFor(data, { hidden: [24, 12] }), new Random(4), 1);
    const inputs = data.inputs.slice();
    ascend(network, { steps: 5, size: 0.1, noise: 0 }, inputs, 20, new Random(1));
    let better = 0;
    for (let s = 0; s < 20; s++) {
      const at = (rows: Uint8Array): number => summed(network, Float32Array.from(rows.subarray(64 * s, 64 * s + 64)));
      if (at(inputs) > at(data.inputs)) better++;
    }
    expect(better).toBe(20);
  });

  it('leave labels alone, and keep a value and its complement together', () => {
    const network = createNetwork(shapeFor(blobs(3, 1), { hidden: [8], objective: 'label' }), new Random(4), 1);
    const row = Uint8Array.from([0, 255, 0, 10, 20, 30, 40, 50, 60, 245, 235, 225, 215, 205, 195]);
    ascend(network, { steps: 4, size: 0.2, noise: 0.1 }, row, 1, new Random(1), undefined, 3);
    expect([...row.subarray(0, 3)]).toEqual([0, 255, 0]);
    expect([...row.subarray(3, 9)]).not.toEqual([10, 20, 30, 40, 50, 60]);
    for (let i = 3; i < 9; i++) expect(Math.abs(row[i]! + row[i + 6]! - 255)).toBeLessThanOrEqual(1);
  });
});

describe('the choice of negatives', () => {
  it('follows the objective and the data', () => {
    const image = { width: 8, height: 8 };
    expect(completeNegatives(undefined, 'partitioned', image).kind).toBe('rivals');
    expect(completeNegatives(undefined, 'label', image)).toEqual({ kind: 'hard', from: 'goodness' });
    expect(completeNegatives(undefined, 'unsupervised', image)).toEqual({ kind: 'hybrid', blurs: 6 });
    expect(completeNegatives(undefined, 'unsupervised', undefined).kind).toBe('shuffled');
    expect(completeNegatives({ kind: 'self', steps: 9 }, 'one-class', undefined)).toMatchObject({
      steps: 9,
      size: 0.1,
    });
    for (const [objective, kinds] of Object.entries(NEGATIVES_OF)) {
      for (const kind of ['rivals', 'hard', 'hybrid', 'none'] as const) {
        const choose = () => completeNegatives(kind, objective as 'label', image);
        if (kinds.includes(kind)) expect(choose().kind).toBe(kind);
        else expect(choose).toThrow(`the objective ${objective} can not learn from these negatives`);
      }
    }
  });
});
