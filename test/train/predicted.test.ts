import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { textData } from '../../src/data/text.js';
import { type Backend, selectBackend } from '../../src/train/backend.js';
import { encodeCheckpoint } from '../../src/train/checkpoint.js';
import { decodeCheckpoint } from '../../src/train/checkpoint-reader.js';
import { type PartialTrainConfig, shapeFor } from '../../src/train/config.js';
import { evaluate } from '../../src/train/evaluation.js';
import { plainProduct } from '../../src/train/forward.js';
import { predictAhead } from '../../src/train/negatives/predicted.js';
import { createNetwork, type Network, type Readout } from '../../src/train/network.js';
import { Trainer } from '../../src/train/trainer.js';
import { blobs } from './blobs.js';

/** Words in any order: letters within a word follow each other, and the next word is anybody's guess. */
function chatter(words: number): string {
  const random = new Random(1);
  const known = ['tick', 'mosaic', 'plume'];
  return Array.from({ length: words }, () => known[random.integer(known.length)]).join(' ');
}

const { train, test } = textData(chatter(300), { name: 'chatter', window: 4 });
const SHAPE = shapeFor(train, {
  hidden: [40, 30],
  objective: 'unsupervised',
  preprocessing: { encoding: 'plain' },
});

let backend: Backend;
beforeAll(async () => {
  backend = await selectBackend('simd', { threads: 1 });
});

const trainer = (config: PartialTrainConfig): Trainer =>
  new Trainer({ backend, seed: 1, shape: SHAPE, config: { readout: { from: 0 }, inputDropout: 0, ...config } });

describe('predicted negatives', () => {
  it('shift a window, and end in what the read-out finds likely', () => {
    const random = new Random(2);
    const network = createNetwork(SHAPE, random);
    const inputs = 70;
    const classes = train.classes.length;
    // A read-out that is sure: it sums up all activities for class 3, and takes them off the rest.
    const weights = Float32Array.from({ length: inputs * classes }, (_, k) => (k % classes === 3 ? 10 : -10));
    const readout: Readout = { from: 0, layer: { inputs, outputs: classes, weights } };
    const windows = train.inputs.slice(0, 5 * train.width);
    const read: Network & { readonly readout: Readout } = { ...network, readout };
    predictAhead(read, 2, windows, 5, random, plainProduct);
    for (let s = 0; s < 5; s++) {
      const at = s * train.width;
      expect(windows.subarray(at, at + 2 * classes)).toEqual(train.inputs.subarray(at + 2 * classes, at + 4 * classes));
      for (const place of [2, 3]) {
        const symbol = windows.subarray(at + place * classes, at + (place + 1) * classes);
        expect(symbol.indexOf(255)).toBe(3);
        expect(symbol.reduce((sum, v) => sum + v, 0)).toBe(255);
      }
    }
  });

  it.each([1, 4])(
    'teach what comes next, with %i of four symbols predicted',
    async (symbols) => {
      const own = trainer({ negatives: { kind: 'predicted', symbols } });
      await own.fit(train, { epochs: 12, batch: 50 });
      // The first letter of a word can't be known: one of five or so characters, in two cases of three.
      expect(evaluate(own.network(), test).error).toBeLessThan(24);
    },
    20_000,
  );

  it('are the same after a stop', async () => {
    const config: PartialTrainConfig = { negatives: { kind: 'predicted', symbols: 2 }, frozen: [0] };
    const plan = { epochs: 2, batch: 100 };
    const whole = trainer(config);
    await whole.fit(train, plan);
    const stopped = trainer(config);
    const stop = new AbortController();
    await stopped.fit(train, {
      ...plan,
      signal: stop.signal,
      reportEvery: 1,
      onProgress: ({ step }) => {
        if (step === 9) stop.abort();
      },
    });
    const resumed = Trainer.restore(decodeCheckpoint(encodeCheckpoint(stopped.checkpoint(train))), backend);
    await resumed.resume(train);
    expect(resumed.network()).toEqual(whole.network());
  });

  it('are refused where samples are no windows of symbols', () => {
    const data = blobs(30, 1);
    const shape = shapeFor({ ...data, width: 7 }, { hidden: [9], objective: 'unsupervised' });
    expect(() => new Trainer({ backend, seed: 1, shape, config: { negatives: 'predicted' } })).toThrow(
      /windows of symbols/,
    );
  });
});

describe('frozen layers', () => {
  it('stay as they begin, while the others learn', async () => {
    const own = trainer({ negatives: 'predicted', frozen: [0] });
    const before = own.network();
    await own.fit(train, { epochs: 1, batch: 100 });
    const after = own.network();
    expect(after.layers[0]).toEqual(before.layers[0]);
    expect(after.layers[1]).not.toEqual(before.layers[1]);
    expect(own.checkpoint(train).config.frozen).toEqual([0]);
  });
});
