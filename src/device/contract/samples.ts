import type { Random } from '../../base/random.js';
import type { Model } from '../../format/model.js';
import type { ParitySample } from '../parity.js';

/**
 * Labelled samples of random bytes for a model: a fifth, half or all of the bytes are not zero, and of each fifty samples one is all 0 and
 * one all 255.
 */
export function randomSamples(model: Model, random: Random, count: number): Required<ParitySample>[] {
  return Array.from({ length: count }, (_, i) => {
    const density = [0.2, 0.5, 1][i % 3]!;
    const input = Uint8Array.from({ length: model.rawInputs }, () =>
      random.uniform() < density ? random.integer(256) : 0,
    );
    if (i % 50 === 48) input.fill(0);
    if (i % 50 === 49) input.fill(255);
    return { input, label: random.integer(model.classes) };
  });
}
