import { beforeAll, describe, expect, it } from 'vitest';
import { GESTURES, generateGestures } from '../../src/data/gestures.js';
import { fitScaling } from '../../src/data/scaling.js';
import { splitTable } from '../../src/data/table.js';
import { systemClock } from '../../src/device/clock.js';
import { openTransport } from '../../src/device/resolve.js';
import { Session } from '../../src/device/session.js';
import { decodeImage } from '../../src/format/image.js';
import { type LoopRun, runLoop } from '../../src/loop/loop.js';
import { splitForLoop } from '../../src/loop/split.js';
import { renderReport } from '../../src/report/report.js';
import { selectBackend } from '../../src/train/backend.js';
import { decodeCheckpoint } from '../../src/train/checkpoint-reader.js';

function gestures() {
  const table = generateGestures({ seed: 3, perClass: 150 });
  return splitTable(table, { seed: 3, name: 'gestures', scaling: fitScaling(table.values, table.width, 0.25) });
}

describe('the whole loop on an emulated device', () => {
  const stages = new Set<string>();
  let run: LoopRun;

  beforeAll(async () => {
    const session = await Session.open(await openTransport('sim'));
    try {
      run = await runLoop({
        data: splitForLoop(gestures(), 3),
        dataset: 'gestures',
        hidden: [24, 24],
        pool: 1,
        epochs: 20,
        seed: 3,
        backend: await selectBackend(),
        shift: 'drift80',
        schedule: [{ samples: 30 }, { samples: 120, sync: true }, { samples: 200, sync: true }],
        session,
        clock: systemClock,
        onProgress: (stage) => stages.add(stage),
      });
    } finally {
      await session.close();
    }
  }, 120_000);

  it('computes on the device what the reference computes, sample by sample', () => {
    expect(run.result.parity).toEqual({ samples: 180, mismatches: 0 });
  });

  it('loses little by quantization', () => {
    const { train, quantized } = run.result;
    expect(Math.abs(quantized.testError - train.testError)).toBeLessThanOrEqual(2);
    expect(train.testError).toBeLessThan(30);
  });

  it('ends better than the frozen device on the shifted data', () => {
    const { frozenError, syncs } = run.result;
    expect(syncs.at(-1)!.error).toBeLessThan(frozenError);
  });

  it('reports each point of the schedule, and a control for each sync', () => {
    const { learn, syncs } = run.result;
    expect(learn.map((p) => p.samples)).toEqual([30, 120, 200]);
    expect(syncs.map((s) => s.atSamples)).toEqual([120, 200]);
    for (const sync of syncs) {
      expect(sync.controlError).toBeGreaterThanOrEqual(0);
      expect(sync.bytesUp).toBeGreaterThan(0);
      expect(sync.bytesDown).toBeGreaterThan(0);
    }
  });

  it('leaves a checkpoint and images that can be read again', () => {
    expect(decodeCheckpoint(run.checkpoint).data.classes).toEqual([...GESTURES]);
    const [before, after] = [decodeImage(run.image), decodeImage(run.finalImage)];
    expect(after.state.samples).toBe(200);
    expect(before.state.samples).toBe(0);
    expect(after.layers.map((l) => l.scale)).toEqual(before.layers.map((l) => l.scale));
  });

  it('says what it is doing', () => {
    expect([...stages]).toEqual(
      expect.arrayContaining(['train', 'flash', 'evaluate', 'learn', 'pull', 'proxy', 'push']),
    );
  });

  it('makes a report of one file that asks nothing of the network', () => {
    const html = renderReport({ result: run.result, ...run.evidence });
    expect(html).toContain('<svg');
    expect(html).toContain('circle');
    for (const name of GESTURES) expect(html).toContain(name);
    expect(html).not.toMatch(/<script|<link|src=|href=|url\(/);
    expect(html.match(/http[^"]*/g)?.every((url) => url === 'http://www.w3.org/2000/svg')).toBe(true);
  });
});

describe('the split between host and device', () => {
  it('gives the device samples that the host never sees', () => {
    const { host, stream } = splitForLoop(gestures(), 1);
    expect(host.count + stream.count).toBe(gestures().train.count);
    expect(host.count).toBe(Math.round((2 / 3) * gestures().train.count));
  });

  it('is the same for the same seed, and another for another', () => {
    const [a, b, c] = [1, 1, 2].map((seed) => splitForLoop(gestures(), seed).stream.inputs.join());
    expect(a).toBe(b);
    expect(a).not.toBe(c);
  });

  it('refuses data that are too few for both', () => {
    const { train, test } = gestures();
    const few = {
      ...train,
      count: 20,
      inputs: train.inputs.subarray(0, 20 * train.width),
      labels: train.labels.subarray(0, 20),
    };
    expect(() => splitForLoop({ train: few, test }, 1)).toThrow(/too few samples/);
  });
});
