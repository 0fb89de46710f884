import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { selectBackend } from '../../src/train/backend.js';
import { encodeCheckpoint } from '../../src/train/checkpoint.js';
import { decodeCheckpoint } from '../../src/train/checkpoint-reader.js';
import { shapeFor } from '../../src/train/config.js';
import { evaluate } from '../../src/train/evaluation.js';
import { fieldMasks } from '../../src/train/layers/local-fields.js';
import { createNetwork } from '../../src/train/network.js';
import { Trainer } from '../../src/train/trainer.js';
import { bars } from './blobs.js';

const geometry = { width: 4, height: 4 };

/** Inputs that a neuron sees. */
function seen(mask: Uint8Array, outputs: number, neuron: number): number[] {
  const inputs: number[] = [];
  for (let i = 0; i * outputs < mask.length; i++) if (mask[i * outputs + neuron] === 1) inputs.push(i);
  return inputs;
}

describe('local receptive fields', () => {
  it('are squares of pixels, and then squares of the grid below', () => {
    const layers = [
      { size: 2, stride: 2 },
      { size: 2, stride: 1 },
    ];
    const shape = { inputs: 16, labels: 0, hidden: [8, 3, 5], groups: 1 };
    const [first, second, third] = fieldMasks({ geometry, layers }, shape);
    // Two neurons at each of 2 x 2 places.
    expect(seen(first!, 8, 0)).toEqual([0, 1, 4, 5]);
    expect(seen(first!, 8, 1)).toEqual([0, 1, 4, 5]);
    expect(seen(first!, 8, 2)).toEqual([2, 3, 6, 7]);
    expect(seen(first!, 8, 7)).toEqual([10, 11, 14, 15]);
    // One place left: it sees all four.
    expect(seen(second!, 3, 0)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(third).toBeUndefined();
  });

  it('let everybody see labels, and complements with their pixels', () => {
    const layers = [{ size: 2, stride: 2 }];
    const [mask] = fieldMasks({ geometry, layers }, { inputs: 34, labels: 2, hidden: [4], groups: 1 });
    expect(seen(mask!, 4, 0)).toEqual([0, 1, 2, 3, 6, 7, 18, 19, 22, 23]);
  });

  it('spread the neurons of each group over all places', () => {
    const layers = [{ size: 2, stride: 2 }];
    const [mask] = fieldMasks({ geometry, layers }, { inputs: 16, labels: 0, hidden: [16], groups: 2 });
    for (const group of [0, 8]) {
      expect(seen(mask!, 16, group)).toEqual([0, 1, 4, 5]);
      expect(seen(mask!, 16, group + 7)).toEqual([10, 11, 14, 15]);
    }
  });

  it.each([
    ['fields that are larger than the image', [{ size: 5, stride: 1 }], [8], /larger than what lies below/],
    ['layers that do not spread evenly', [{ size: 2, stride: 2 }], [6], /nearest valid size is 8/],
    [
      'more fields than layers',
      [
        { size: 2, stride: 2 },
        { size: 1, stride: 1 },
      ],
      [4],
      /more fields than layers/,
    ],
  ])('refuse %s', (_, layers, hidden, message) => {
    expect(() => fieldMasks({ geometry, layers }, { inputs: 16, labels: 0, hidden, groups: 1 })).toThrow(message);
  });

  it('give neurons the same deviation whatever they see', () => {
    const fields = [{ size: 3, stride: 1 }];
    const data = bars(3, 1);
    const network = createNetwork(shapeFor(data, { hidden: [36 * 30], fields }), new Random(1), 0.5);
    let squares = 0;
    for (const w of network.layers[0]!.weights) squares += w * w;
    expect(squares / network.layers[0]!.outputs).toBeCloseTo(0.25, 1);
  });

  it('stay as they are in training, in checkpoints, and with every part of the trainer', async () => {
    const data = bars(300, 1);
    const shape = shapeFor(data, {
      hidden: [48, 24],
      fields: [
        { size: 4, stride: 4 },
        { size: 2, stride: 1 },
      ],
    });
    const trainer = new Trainer({
      backend: await selectBackend('simd', { threads: 1 }),
      seed: 1,
      shape,
      config: { peer: 0.03 },
      geometry: data.geometry!,
    });
    await trainer.fit(data, { epochs: 12, batch: 20 });
    const network = trainer.network();
    for (const { weights, mask } of network.layers)
      expect(weights.every((w, i) => mask![i] === 1 || w === 0)).toBe(true);
    expect(network.layers[0]!.mask!.filter((m) => m === 1)).toHaveLength(48 * 16);
    const again = decodeCheckpoint(encodeCheckpoint(trainer.checkpoint(data))).network;
    expect(again.layers[0]!.mask).toEqual(network.layers[0]!.mask);
    expect(evaluate(network, bars(300, 2)).error).toBeLessThan(10);
  });
});
