import { beforeAll, describe, expect, it } from 'vitest';
import { type Dataset, selectClasses, slice } from '../../src/data/dataset.js';
import { generateGestures } from '../../src/data/gestures.js';
import { loadMnist } from '../../src/data/mnist.js';
import { pool } from '../../src/data/pool.js';
import { applyShift } from '../../src/data/shift.js';
import { encodeTable, splitTable } from '../../src/data/table.js';
import { buildProxy } from '../../src/sync/proxy.js';
import { gatherStatistics, misfit } from '../../src/sync/statistics.js';

let host: Dataset;
let stream: Dataset;

beforeAll(async () => {
  const { train } = await loadMnist();
  host = slice(train, 0, 2000);
  stream = slice(train, 40000, 40800);
});

async function proxyFor(shift: string, factor: number) {
  const seen = gatherStatistics(pool(applyShift(stream, shift, 5), factor));
  const ideal = misfit(gatherStatistics(pool(applyShift(host, shift, 5), factor)), seen);
  return { ideal, ...(await buildProxy({ host, pool: factor, statistics: seen, seed: 1 })) };
}

describe('a proxy of images', { timeout: 60_000 }, () => {
  it.each([
    ['none', 2, {}],
    ['rot-120', 2, { angle: -120 }],
    ['thick', 1, { stroke: 1 }],
    ['jitter40', 2, { spread: 40 }],
    ['noise60', 2, { noise: 60 }],
    ['invert', 2, { gain: -1, offset: 255 }],
  ])('explains %s (pooling %i) by what it was, as well as its own sampling allows', async (shift, factor, expected) => {
    const { report, data, ideal } = await proxyFor(shift, factor);
    expect(report.family).toBe('geometry');
    expect(report.matched).toBe(0);
    expect(report.misfit).toBeLessThan(1.3 * ideal);
    expect(data.count).toBe(host.count);
    expect(data.width).toBe(784 / factor ** 2);
    for (const [name, value] of Object.entries(expected)) {
      const tolerance = Math.max(0.1 * Math.abs(value), name === 'angle' ? 4 : 0.6 * Number(name.startsWith('move')));
      expect(Math.abs((report.parameters[name] ?? 0) - value), name).toBeLessThanOrEqual(tolerance);
    }
  });

  it('explains a smooth bend by a flow', async () => {
    const { report, ideal } = await proxyFor('warp2', 2);
    expect(report.family).toBe('flow');
    expect(report.misfitBefore).toBeGreaterThan(10);
    expect(report.misfit).toBeLessThan(1.5 * ideal);
  });

  it('finds what hides a part of each sample only when it may', async () => {
    const statistics = gatherStatistics(pool(applyShift(stream, 'rot20+occlude12', 5), 2));
    const blind = await buildProxy({ host, pool: 2, statistics, seed: 1 });
    const keen = await buildProxy({ host, pool: 2, statistics, seed: 1, hides: true });
    expect(blind.report.parameters.hidden).toBeUndefined();
    expect(Math.abs(keen.report.parameters.hidden! - 12)).toBeLessThan(2);
    expect(keen.report.misfit).toBeLessThan(0.8 * blind.report.misfit);
  });

  it('is the same for the same seed, and reports progress from beginning to end', async () => {
    const seen: number[] = [];
    const statistics = gatherStatistics(pool(applyShift(stream, 'rot15', 5), 2));
    const options = { host: slice(host, 0, 500), pool: 2, statistics, seed: 1 };
    const a = await buildProxy({ ...options, onProgress: ({ done }) => seen.push(done) });
    const b = await buildProxy(options);
    expect(a.data.inputs).toEqual(b.data.inputs);
    expect(a.report).toEqual(b.report);
    expect(seen).toEqual([...seen].sort((x, y) => x - y));
    expect(seen.at(-1)).toBe(1);
  });

  it('leaves out classes that only one side has, names them, and draws the new ones', async () => {
    const known = selectClasses(host, [0, 1, 2, 3, 4, 5, 6, 7]);
    const seen = gatherStatistics(pool(applyShift(selectClasses(stream, [1, 2, 3, 8]), 'rot30', 1), 2));
    const { report, data } = await buildProxy({ host: known, pool: 2, statistics: seen, seed: 1 });
    expect(report.newClasses).toEqual([8]);
    expect(report.unseenClasses).toEqual([0, 4, 5, 6, 7]);
    expect(Math.abs(report.parameters.angle! - 30)).toBeLessThan(5);
    const counts = gatherStatistics(data).count;
    expect(counts.subarray(0, 8)).toEqual(gatherStatistics(known).count.subarray(0, 8));
    expect(counts[8]).toBeGreaterThan(100);
  });

  it('refuses statistics of another width', async () => {
    const statistics = gatherStatistics(stream);
    await expect(buildProxy({ host, pool: 2, statistics, seed: 1 })).rejects.toMatchObject({ code: 'proxy.width' });
  });
});

describe('a proxy of vectors', () => {
  it('has the moments of a drifted sensor', async () => {
    const { train } = splitTable(generateGestures({ perClass: 100, seed: 1 }), { seed: 1 });
    const drifted = generateGestures({ perClass: 100, seed: 2, drift: 0.6 });
    const statistics = gatherStatistics(encodeTable(drifted, train.scaling, train.classes));
    const { report, data } = await buildProxy({ host: train, pool: 1, statistics, seed: 1 });
    expect(report.family).toBe('moments');
    expect(report.misfitBefore).toBeGreaterThan(20);
    expect(report.misfit).toBeLessThan(2);
    expect(data.count).toBe(train.count);
  });
});
