import { beforeAll, describe, expect, it } from 'vitest';
import { type Dataset, selectClasses, slice } from '../../src/data/dataset.js';
import { loadMnist } from '../../src/data/mnist.js';
import { pool } from '../../src/data/pool.js';
import { applyShift } from '../../src/data/shift.js';
import { type NegativePlan, negativePhase } from '../../src/sync/negative.js';
import { withNewClasses } from '../../src/sync/new-classes.js';
import { reviveDead } from '../../src/sync/revive.js';
import { gatherStatistics } from '../../src/sync/statistics.js';
import { type Backend, selectBackend } from '../../src/train/backend.js';
import { shapeFor } from '../../src/train/config.js';
import { evaluate } from '../../src/train/evaluation.js';
import type { Network } from '../../src/train/network.js';
import { Trainer } from '../../src/train/trainer.js';

const PLAN: NegativePlan = { steps: 150, rate: 3e-3, proxy: 30, host: 20 };

let backend: Backend;
let host: Dataset;
let test: Dataset;
let base: Network;
let scales: number[];

beforeAll(async () => {
  backend = await selectBackend();
  const mnist = await loadMnist();
  host = slice(mnist.train, 0, 3000);
  test = slice(mnist.test, 0, 1000);
  const small = pool(host, 2);
  const trainer = new Trainer({ backend, seed: 1, shape: shapeFor(small, { hidden: [40, 40] }) });
  await trainer.fit(small, { epochs: 5, batch: 50 });
  base = trainer.network();
  scales = base.layers.map(({ weights }) => weights.reduce((m, w) => Math.max(m, Math.abs(w)), 0) / 127);
}, 60_000);

const small = (data: Dataset, shift: string): Dataset => pool(applyShift(data, shift, 3), 2);

describe('the negative phase', { timeout: 60_000 }, () => {
  it('leaves layers alone that the device can not change', async () => {
    const options = { backend, proxy: small(host, 'rot30'), host: pool(host, 2), plan: PLAN, seed: 1 };
    // On the device weights are whole steps.
    const network = {
      ...base,
      layers: base.layers.map((layer, l) => ({
        ...layer,
        weights: layer.weights.map((w) => Math.round(w / scales[l]!) * scales[l]!),
      })),
    };
    const next = await negativePhase({ ...options, network, scales, frozen: new Set([0]) });
    expect(next.layers[0]!.weights).toEqual(network.layers[0]!.weights);
    expect(next.layers[1]!.weights).not.toEqual(network.layers[1]!.weights);
    const turned = small(test, 'rot30');
    expect(evaluate(next, turned).error).toBeLessThan(evaluate(network, turned).error);
  });

  it('brings the error on the new domain down and keeps the old one, in whole int8 steps', async () => {
    const options = {
      backend,
      network: base,
      scales,
      proxy: small(host, 'rot30'),
      host: pool(host, 2),
      plan: PLAN,
      seed: 1,
    };
    const network = await negativePhase(options);
    const turned = small(test, 'rot30');
    expect(evaluate(network, turned).error).toBeLessThan(0.7 * evaluate(base, turned).error);
    expect(evaluate(network, pool(test, 2)).error).toBeLessThan(evaluate(base, pool(test, 2)).error + 2);
    network.layers.forEach(({ weights }, index) => {
      for (const w of weights) {
        const steps = w / scales[index]!;
        expect(Math.abs(steps - Math.round(steps))).toBeLessThan(1e-3);
        expect(Math.abs(steps)).toBeLessThan(127.01);
      }
    });
    const again = await negativePhase(options);
    expect(again.layers.map((l) => l.weights)).toEqual(network.layers.map((l) => l.weights));
  });

  it('teaches a class of which the host has no samples, from its moments alone', async () => {
    const known = selectClasses(pool(host, 2), [0, 1, 2, 3, 4, 5, 6, 7]);
    const trainer = new Trainer({ backend, seed: 1, shape: shapeFor(known, { hidden: [40, 40] }) });
    await trainer.fit(known, { epochs: 5, batch: 50 });
    const before = trainer.network();
    const device = gatherStatistics(selectClasses(pool(host, 2), [8, 9]));
    const proxy = withNewClasses(known, device, [8, 9], 300, 1);
    const after = await negativePhase({ backend, network: before, proxy, host: known, plan: PLAN, seed: 1 });
    const fresh = selectClasses(pool(test, 2), [8, 9]);
    expect(evaluate(before, fresh).error).toBeCloseTo(100);
    expect(evaluate(after, fresh).error).toBeLessThan(50);
  });

  it('reports every 50 steps and at the end', async () => {
    const seen: number[] = [];
    const proxy = small(host, 'none');
    const plan = { ...PLAN, steps: 120 };
    await negativePhase({
      backend,
      network: base,
      proxy,
      host: proxy,
      plan,
      seed: 1,
      onProgress: (p) => seen.push(p.step),
    });
    expect(seen).toEqual([50, 100, 120]);
  });

  it('stops when told to', async () => {
    const proxy = small(host, 'none');
    const run = negativePhase({
      backend,
      network: base,
      proxy,
      host: proxy,
      plan: PLAN,
      seed: 1,
      signal: AbortSignal.abort(),
    });
    await expect(run).rejects.toMatchObject({ code: 'negative.aborted' });
  });

  it('refuses plans and data that can not work', async () => {
    const proxy = small(host, 'none');
    const options = { backend, network: base, proxy, host: proxy, plan: PLAN, seed: 1 };
    await expect(negativePhase({ ...options, plan: { ...PLAN, steps: 0 } })).rejects.toMatchObject({
      code: 'negative.plan',
    });
    await expect(negativePhase({ ...options, proxy: slice(proxy, 0, 0) })).rejects.toMatchObject({
      code: 'negative.data',
    });
    await expect(negativePhase({ ...options, host })).rejects.toMatchObject({ code: 'negative.data' });
  });
});

describe('reviving dead neurons', () => {
  it('leaves a network alone whose groups answer to their class', () => {
    expect(reviveDead(base, pool(host, 2))).toBe(base);
  });

  it('makes neurons fire again that no sample reached', () => {
    const [first, ...rest] = base.layers;
    const dead = { ...base, layers: [{ ...first!, weights: first!.weights.map((w) => -Math.abs(w)) }, ...rest] };
    const some = slice(pool(host, 2), 0, 500);
    const silent = (network: Network): number => evaluate({ ...network, theta: 1e-6 }, some).falseReject;
    expect(silent(dead)).toBe(100);
    expect(silent(reviveDead(dead, some))).toBeLessThan(30);
  });
});
