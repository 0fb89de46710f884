import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { BYTE_SCALING, type Dataset } from '../../src/data/dataset.js';
import { encodeTflite } from '../../src/tflite/encode.js';
import { Extractor } from '../../src/tflite/extractor.js';
import { extractFeatures, featuresAgain } from '../../src/tflite/features.js';
import type { Graph } from '../../src/tflite/graph.js';
import { Graph as NewGraph } from '../../src/tflite/graph.js';
import { convolution, doubling, meanOfSquares } from './support/graphs.js';

const [HEIGHT, WIDTH] = [4, 6];

function images(count: number, seed = 1): Dataset {
  const random = new Random(seed);
  const inputs = Uint8Array.from({ length: count * HEIGHT * WIDTH }, () => random.integer(256));
  const labels = Uint8Array.from({ length: count }, (_, s) => s % 2);
  const shape = { geometry: { width: WIDTH, height: HEIGHT }, width: WIDTH * HEIGHT };
  return { name: 'images', inputs, labels, count, ...shape, classes: ['a', 'b'], scaling: BYTE_SCALING };
}

async function using<T>(graph: Graph, use: (extractor: Extractor) => Promise<T>): Promise<T> {
  const extractor = await Extractor.open(encodeTflite(graph), 'test.tflite');
  try {
    return await use(extractor);
  } finally {
    await extractor.close();
  }
}

/** What a convolution with zeros around the image and a relu gives, computed the slow way. */
function convolved(pixels: readonly number[], filter: readonly number[], side: number): number[] {
  const middle = (side - 1) / 2;
  return pixels.map((_, at) => {
    const [y, x] = [Math.floor(at / WIDTH), at % WIDTH];
    let sum = 0;
    filter.forEach((tap, k) => {
      const [v, u] = [y + Math.floor(k / side) - middle, x + (k % side) - middle];
      if (v >= 0 && v < HEIGHT && u >= 0 && u < WIDTH) sum += tap * pixels[v * WIDTH + u]!;
    });
    return Math.max(0, sum);
  });
}

describe('an extractor', { timeout: 60_000 }, () => {
  const filters = Array.from({ length: 18 }, (_, k) => Math.sin(k + 1));
  const data = images(5);

  it('gives what a convolution gives, of images from 0 to 1', async () => {
    await using(convolution({ height: HEIGHT, width: WIDTH, channels: 1 }, filters, 3), async (extractor) => {
      expect(extractor.width).toBe(2 * WIDTH * HEIGHT);
      const values = await extractor.values(data, extractor.scalingFor(data));
      for (let s = 0; s < data.count; s++) {
        const pixels = Array.from(data.inputs.subarray(s * 24, s * 24 + 24), (byte) => byte / 255);
        for (const channel of [0, 1]) {
          const expected = convolved(pixels, filters.slice(9 * channel, 9 * channel + 9), 3);
          expected.forEach((value, at) => {
            expect(values[(s * 24 + at) * 2 + channel]).toBeCloseTo(value, 5);
          });
        }
      }
    });
  });

  it('takes other ranges, and a grey image in three channels', async () => {
    const identity = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    await using(convolution({ height: HEIGHT, width: WIDTH, channels: 3 }, identity, 3), async (extractor) => {
      const values = await extractor.values(data, extractor.scalingFor(data, [-1, 1]));
      data.inputs.forEach((byte, k) => {
        expect(values[k]).toBeCloseTo(Math.max(0, 7 * ((2 * byte) / 255 - 1)), 4);
      });
    });
  });

  it('feeds bytes to an 8-bit input as they are, and gives values for what it says', async () => {
    const quantization = { scale: [1 / 127.5], zeroPoint: [-1] };
    await using(meanOfSquares(HEIGHT, WIDTH, 2, quantization), async (extractor) => {
      const values = await extractor.values(data, extractor.scalingFor(data));
      expect(values.length).toBe(5 * 6);
      for (let k = 0; k < values.length; k++) {
        const [s, y, x] = [Math.floor(k / 6), Math.floor((k % 6) / 3), k % 3];
        const corner = s * 24 + 2 * y * WIDTH + 2 * x;
        const sum = [0, 1, WIDTH, WIDTH + 1].reduce((total, at) => total + data.inputs[corner + at]! - 128, 0);
        // Halves may go either way.
        expect(Math.abs(values[k]! * 127.5 - 1 - sum / 4)).toBeLessThanOrEqual(0.5001);
      }
    });
  });

  it('takes the values of a table by its own scaling', async () => {
    const { geometry: _, ...bare } = images(3);
    const scaling = { offset: Float32Array.from({ length: 24 }, (_, j) => j), step: new Float32Array(24).fill(0.5) };
    await using(doubling(24), async (extractor) => {
      const table = { ...bare, scaling };
      const values = await extractor.values(table, extractor.scalingFor(table));
      expect([...values]).toEqual(Array.from(table.inputs, (byte, k) => 2 * ((k % 24) + byte / 2)));
      expect(() => extractor.scalingFor(table, [0, 1])).toThrow(/values of its own/);
    });
  });

  it.each([
    ['other sizes', doubling(25), 'features.shape'],
    ['images on their side', convolution({ height: WIDTH, width: HEIGHT, channels: 1 }, filters, 3), 'features.shape'],
    ['two channels', convolution({ height: HEIGHT, width: WIDTH, channels: 2 }, filters, 3), 'features.shape'],
  ])('refuses %s', async (_, graph, code) => {
    await using(graph, async (extractor) => {
      await expect(extractor.values(data, BYTE_SCALING)).rejects.toMatchObject({ code });
    });
  });

  it('refuses features that are no numbers, ranges that are none, and integers without a scale', async () => {
    const graph = new NewGraph('divides', '');
    const input = graph.input({ name: 'in', type: 'float32', shape: [1, 24] });
    graph.output(
      graph.apply('div', [input, graph.constant('nothing', [0])], { name: 'out', type: 'float32', shape: [1, 24] }),
    );
    await using(graph, async (extractor) => {
      await expect(extractor.values(data, BYTE_SCALING)).rejects.toMatchObject({ code: 'features.values' });
      for (const range of [
        [1, 1],
        [1, 0],
        [0, Number.POSITIVE_INFINITY],
      ] as const) {
        expect(() => extractor.scalingFor(data, range)).toThrow(expect.objectContaining({ code: 'features.range' }));
      }
    });
    const bare = new NewGraph('bare', '');
    const end = { name: 'in', type: 'int8', shape: [1, 24] } as const;
    bare.output(
      bare.apply('reshape', [bare.input(end), bare.indices('shape', [24])], { ...end, name: 'out', shape: [24] }),
    );
    await expect(Extractor.open(encodeTflite(bare), 'bare.tflite')).rejects.toMatchObject({
      code: 'tflite.quantization',
    });
  });

  it('makes a data set whose scaling is that of the training part, and the same again for a model', async () => {
    const [train, test] = [images(40), images(10, 2)];
    await using(convolution({ height: HEIGHT, width: WIDTH, channels: 1 }, filters, 3), async (extractor) => {
      const progress: number[] = [];
      const made = await extractFeatures(extractor, { train, test }, { onProgress: (done) => progress.push(done) });
      const { scaling, extractor: meta, geometry, inputs, labels } = made.train;
      expect(progress.at(-1)).toBe(50);
      expect(geometry).toBeUndefined();
      // Behind a relu most is nothing: proportions stay.
      expect(scaling.step).toHaveLength(1);
      expect(labels).toEqual(train.labels);
      expect(meta).toMatchObject({ file: 'test.tflite', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
      expect([Math.min(...inputs), Math.max(...inputs)]).toEqual([0, 255]);
      const again = await featuresAgain(extractor, test, { scaling, extractor: meta! });
      expect(again).toEqual(made.test);
    });
  });
});
