import { beforeAll, describe, expect, it } from 'vitest';
import { type Backend, selectBackend } from '../../src/train/backend.js';
import { encodeCheckpoint } from '../../src/train/checkpoint.js';
import { decodeCheckpoint } from '../../src/train/checkpoint-reader.js';
import { type PartialTrainConfig, type ShapeOptions, shapeFor } from '../../src/train/config.js';
import { evaluate } from '../../src/train/evaluation.js';
import { dropSettled } from '../../src/train/objectives/losses.js';
import type { Progress } from '../../src/train/progress.js';
import type { FitOptions } from '../../src/train/run.js';
import { closedForm } from '../../src/train/schedule/online.js';
import { completePhases, phaseAt, phaseRate } from '../../src/train/schedule/phases.js';
import { scheduleFactor } from '../../src/train/schedule/schedule.js';
import { Trainer } from '../../src/train/trainer.js';
import { bars, blobs } from './blobs.js';

let backend: Backend;
beforeAll(async () => {
  backend = await selectBackend('simd', { threads: 1 });
});

const STILL: PartialTrainConfig = { augmentation: { shift: 0 }, dropout: 0, inputDropout: 0 };

function trainerOf(config: PartialTrainConfig = {}, shape: Partial<ShapeOptions> = {}, seed = 1): Trainer {
  const data = bars(1, 1);
  return new Trainer({
    backend,
    seed,
    shape: shapeFor(data, { hidden: [24, 12], ...shape }),
    config: { ...STILL, ...config },
    geometry: data.geometry!,
  });
}

describe('phases', () => {
  it('take turns as long as they are told', () => {
    const phases = completePhases({ kind: 'separated', positive: 3, negative: 2, negativeRate: 0.5 });
    const turns = Array.from({ length: 10 }, (_, step) => phaseAt(phases, step)[0]);
    expect(turns.join('')).toBe('pppnnpppnn');
    expect([phaseRate(phases, 'positive'), phaseRate(phases, 'negative')]).toEqual([1, 0.5]);
    expect(phaseAt(completePhases(), 7)).toBe('both');
    expect(completePhases('separated')).toMatchObject({ positive: 1, negative: 1 });
  });

  it.each(['partitioned', 'label', 'unsupervised'] as const)(
    'raise and lower goodness in turn: %s',
    async (objective) => {
      const config: PartialTrainConfig = {
        phases: { kind: 'separated', positive: 5, negative: 5 },
        negatives: objective === 'label' ? 'random' : objective === 'unsupervised' ? 'hybrid' : 'rivals',
        loss: { contrast: 0 },
        schedule: { warmup: 0, decay: 'constant' },
        learningRate: 0.01,
      };
      const trainer = trainerOf(config, { objective });
      const reports: Progress[] = [];
      await trainer.fit(bars(200, 1), { epochs: 2, batch: 10, reportEvery: 5, onProgress: (p) => reports.push(p) });
      const [first, second, third] = reports.map(({ layers }) => layers[0]!);
      // Class-partitioned layers see both sides in every sample, whichever they learn.
      const seen = objective === 'partitioned';
      expect([first!.positive, first!.negative].map(Number.isNaN)).toEqual([false, !seen]);
      expect([second!.positive, second!.negative].map(Number.isNaN)).toEqual([!seen, false]);
      expect(third!.positive).toBeGreaterThan(first!.positive);
    },
  );

  it('of one step each learn as well as both at once', async () => {
    const phases = { kind: 'separated', positive: 1, negative: 1 } as const;
    const trainer = trainerOf({ phases });
    await trainer.fit(bars(600, 1), { epochs: 20, batch: 20 });
    expect(evaluate(trainer.network(), bars(300, 2)).error).toBeLessThan(6);
  });

  it('need negative data to part', () => {
    const config: PartialTrainConfig = { phases: { kind: 'separated' }, negatives: 'none' };
    expect(() => trainerOf(config, { objective: 'one-class' })).toThrow('without negative data');
  });
});

describe('closed-form steps', () => {
  it('are sqrt(S* / S) - 1, and no longer than twice the activity', () => {
    expect(closedForm(4, 1, 1)).toBe(-0.5);
    expect(closedForm(1, 4, 1)).toBe(1);
    expect(closedForm(1, 4, 0.1)).toBeCloseTo(0.1);
    expect(closedForm(1e-9, 4, 1)).toBe(1);
    expect(closedForm(0, 4, 1)).toBe(0);
  });

  it.each(['mean-squares', 'sum-squares'] as const)(
    'bring all layers to their goodness in one pass, and turn no activity: %s',
    (goodness) => {
      const online = { positive: 1.2, negative: 0.8, strength: 1 };
      const config: PartialTrainConfig = { online, loss: { theta: 0.6 }, gain: 1, negatives: 'random' };
      const trainer = trainerOf(config, { objective: 'label', goodness, hidden: [24, 12, 9] });
      const { inputs } = bars(1, 1);
      const labels = Uint8Array.of(0);
      const step = (phase: 'positive' | 'negative') => trainer.step(inputs, labels, 1, { phase });
      const before = step('positive').map((report) => report.positive);
      const layers = trainer.layers.map((layer) => layer.threshold.value * 1.2);
      const after = step('positive').map((report) => report.positive);
      after.forEach((g, l) => {
        // A layer that had enough of it is left alone.
        expect(g / Math.max(before[l]!, layers[l]!)).toBeCloseTo(1, 4);
      });
      step('negative');
    },
  );

  it('learn online, a sample at a time', async () => {
    const config: PartialTrainConfig = { online: {}, stabilisers: { centring: 1 }, schedule: { warmup: 0 } };
    const trainer = trainerOf(config);
    const before = evaluate(trainer.network(), bars(300, 2)).error;
    await trainer.fit(bars(600, 1), { epochs: 10 });
    expect(trainer.run?.batch).toBe(1);
    expect(before).toBeGreaterThan(30);
    expect(evaluate(trainer.network(), bars(300, 2)).error).toBeLessThan(10);
  });

  it('take one sample at a time, and squares', async () => {
    await expect(trainerOf({ online: {} }).fit(bars(30, 1), { batch: 2 })).rejects.toThrow('a batch of 1');
    expect(() => trainerOf({ online: {} }, { goodness: 'top-k' })).toThrow('for squares');
  });
});

describe('stabilisers', () => {
  it('leave samples alone that are on the right side of the threshold by a margin', () => {
    const goodness = Float32Array.of(3, 1.9, 2.4, 1.2, 4, 0);
    const slopes = new Float32Array(6).fill(1);
    dropSettled(slopes, goodness, Uint8Array.of(0, 2), 2, 3, 2, 0.5);
    // Row 0: its own group is settled, rivals at 1.9 and 2.4 are not; row 1: its own at 0 is not, a rival at 1.2 is.
    expect([...slopes]).toEqual([0, 1, 1, 0, 1, 1]);
    slopes.fill(1);
    dropSettled(slopes, goodness, new Uint8Array(6), 3, 1, 2, 0.5);
    expect([...slopes]).toEqual([0, 1, 1, 0, 1, 0]);
  });

  const norms = (trainer: Trainer, layer: number): number[] => {
    const { inputs, outputs, weights } = trainer.network().layers[layer]!;
    return Array.from({ length: outputs }, (_, j) => {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += weights[i * outputs + j]! ** 2;
      return Math.sqrt(sum);
    });
  };
  const length = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));

  it('keep the length of the weights of every neuron, or of a layer', async () => {
    const trainer = trainerOf({ stabilisers: { norm: 'neuron' } });
    const before = norms(trainer, 0);
    await trainer.fit(bars(60, 1), { epochs: 2, batch: 20 });
    norms(trainer, 0).forEach((n, j) => {
      expect(n).toBeCloseTo(before[j]!, 4);
    });
    const whole = trainerOf({ stabilisers: { norm: 'layer' } });
    const start = norms(whole, 1);
    await whole.fit(bars(60, 1), { epochs: 2, batch: 20 });
    expect(length(norms(whole, 1))).toBeCloseTo(length(start), 4);
    expect(norms(whole, 1)).not.toEqual(start);
  });

  it('learn nothing from an input that never changes, where inputs are centred', async () => {
    const config: PartialTrainConfig = { optimizer: { kind: 'sgd', momentum: 0 }, learningRate: 0.05 };
    const moved = async (centring: number): Promise<number> => {
      const trainer = trainerOf({ ...config, stabilisers: { centring } });
      const data = bars(2, 1);
      const inputs = new Uint8Array(600 * 64);
      for (let s = 0; s < 600; s++) inputs.set(data.inputs.subarray(0, 64), 64 * s);
      const same = { ...data, inputs, labels: new Uint8Array(600), count: 600 };
      const before = trainer.network().layers[0]!.weights;
      await trainer.fit(same, { epochs: 20, batch: 100 });
      const after = trainer.network().layers[0]!.weights;
      return length([...after].map((w, k) => w - before[k]!));
    };
    const [free, centred] = [await moved(0), await moved(1)];
    expect(centred).toBeLessThan(0.01 * free);
  });
});

describe('a run that may stop early', () => {
  it('holds a part out, keeps the best weights, and ends when they get no better', async () => {
    const reports: Progress[] = [];
    const trainer = trainerOf({ schedule: { decay: 'constant' } });
    const data = bars(200, 1);
    const result = await trainer.fit(data, {
      epochs: 200,
      batch: 20,
      stop: { holdout: 0.25, patience: 3 },
      onProgress: (p) => reports.push(p),
    });
    expect(result.finished).toBe(true);
    const { best, steps, epochs } = trainer.run!;
    expect(steps).toBe(200 * Math.ceil(150 / 20));
    expect(reports).toHaveLength(best!.epoch + 3);
    expect(epochs).toBe(200);
    expect(best!.score).toBe(Math.min(...reports.map((r) => r.heldOut!)));
    expect(trainer.network()).toEqual(trainer.best);
  });

  it('needs novel samples to judge a one-class network', async () => {
    const data = { ...blobs(30, 1), classes: ['normal', 'novel'], labels: new Uint8Array(30) };
    const trainer = new Trainer({ backend, seed: 1, shape: shapeFor(data, { hidden: [6], objective: 'one-class' }) });
    await expect(trainer.fit(data, { stop: { holdout: 0.2 } })).rejects.toThrow('nothing tells when to stop');
  });
});

describe('a run of any kind', () => {
  const label: Partial<ShapeOptions> = { objective: 'label', goodness: 'sum-squares' };
  const RUNS: [string, PartialTrainConfig, Partial<ShapeOptions>, FitOptions][] = [
    [
      'a read-out and hard negatives from it',
      { readout: { from: 0 }, negatives: { kind: 'hard', from: 'readout' } },
      label,
      {},
    ],
    [
      'hybrids, a read-out with epochs of its own',
      { readout: { epochs: 3 }, peer: 0.03 },
      { objective: 'unsupervised' },
      {},
    ],
    ['samples of its own', { negatives: { kind: 'self', steps: 2 } }, { objective: 'unsupervised' }, {}],
    [
      'phases and stabilisers',
      {
        phases: { kind: 'separated', positive: 7, negative: 5 },
        threshold: 'follow',
        stabilisers: { norm: 'neuron', centring: 1 },
      },
      {},
      {},
    ],
    ['learned thresholds and an early stop', { threshold: 'learned' }, {}, { stop: { holdout: 0.2, patience: 4 } }],
    ['closed-form steps', { online: {} }, {}, { batch: 1 }],
  ];

  it.each(RUNS)('gives the same bytes whether it was stopped or not: %s', async (_, config, shape, options) => {
    const data = bars(60, 1);
    const plan = { epochs: 8, batch: 10, ...options };
    const whole = trainerOf(config, shape);
    await whole.fit(data, plan);
    const expected = encodeCheckpoint(whole.checkpoint(data));
    for (const after of [1, 20, whole.run!.step - 1]) {
      const control = new AbortController();
      const stopped = trainerOf(config, shape);
      const onProgress = ({ step }: Progress): void => {
        if (step === after) control.abort();
      };
      const result = await stopped.fit(data, { ...plan, reportEvery: 1, onProgress, signal: control.signal });
      expect(result.finished).toBe(false);
      const file = encodeCheckpoint(stopped.checkpoint(data));
      const restored = Trainer.restore(decodeCheckpoint(file), backend);
      expect(encodeCheckpoint(restored.checkpoint(data))).toEqual(file);
      expect((await restored.resume(data)).finished).toBe(true);
      expect(encodeCheckpoint(restored.checkpoint(data))).toEqual(expected);
    }
  });
});

describe('the learning rate', () => {
  it('may stay high for a while before it falls', () => {
    const schedule = { decay: 'linear', warmup: 0.1, decayFrom: 0.5 } as const;
    const at = (step: number): number => scheduleFactor(schedule, step, 100);
    expect([at(30), at(50), at(75), at(99)]).toEqual([1, 1, 0.5, expect.closeTo(0.02)]);
    expect(at(0)).toBeLessThan(0.2);
  });
});
