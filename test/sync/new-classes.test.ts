import { beforeAll, describe, expect, it } from 'vitest';
import { type Dataset, selectClasses, slice } from '../../src/data/dataset.js';
import { loadMnist } from '../../src/data/mnist.js';
import { pool } from '../../src/data/pool.js';
import { withNewClasses } from '../../src/sync/new-classes.js';
import { buildProxy } from '../../src/sync/proxy.js';
import { gatherStatistics, variance } from '../../src/sync/statistics.js';

let known: Dataset;
let fresh: Dataset;

beforeAll(async () => {
  const { train } = await loadMnist();
  known = pool(selectClasses(slice(train, 0, 2000), [0, 1, 2, 3, 4, 5, 6, 7]), 2);
  fresh = pool(selectClasses(slice(train, 40000, 42000), [8, 9]), 2);
});

describe('samples of a class that the host does not know', () => {
  it('have about the mean and deviation that the device told, and lie evenly among the known ones', () => {
    const device = gatherStatistics(fresh);
    const all = withNewClasses(known, device, [8, 9], 300, 1);
    expect(all.count).toBe(known.count + 600);
    const made = gatherStatistics(all);
    expect([made.count[8], made.count[9]]).toEqual([300, 300]);
    let [gap, size, stretch] = [0, 0, 0];
    for (let p = 0; p < all.width; p++) {
      gap += (made.mean[8 * all.width + p]! - device.mean[8 * all.width + p]!) ** 2;
      size += device.mean[8 * all.width + p]! ** 2;
      stretch += (variance(made, 8, p) - variance(device, 8, p)) / all.width;
    }
    expect(gap / size).toBeLessThan(0.02);
    expect(Math.abs(stretch)).toBeLessThan(0.3 * 3000);
    const half = all.labels.subarray(0, all.count / 2).filter((l) => l >= 8).length;
    expect(Math.abs(half - 300)).toBeLessThanOrEqual(2);
    const old = selectClasses(all, [0, 1, 2, 3, 4, 5, 6, 7]);
    expect(old.inputs).toEqual(known.inputs);
  });

  it('are not drawn from a handful of samples', () => {
    const device = gatherStatistics(slice(fresh, 0, 6));
    expect(withNewClasses(known, device, [8, 9], 300, 1)).toBe(known);
  });

  it('are part of the proxy', async () => {
    const { data, report } = await buildProxy({ host: known, pool: 1, statistics: gatherStatistics(fresh), seed: 1 });
    expect(report.newClasses).toEqual([8, 9]);
    expect(report.family).toBe('none');
    expect(gatherStatistics(data).count[9]).toBe(Math.ceil(known.count / 8));
  });
});
