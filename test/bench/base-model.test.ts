import { describe, expect, it } from 'vitest';
import { fingerprint, type Training } from '../../bench/base-model.js';
import { completeConfig, surroundingsOf } from '../../src/train/config.js';
import type { NetworkShape } from '../../src/train/network.js';

const shape: NetworkShape = {
  width: 2,
  classes: 2,
  objective: 'partitioned',
  preprocessing: { subtractMin: false, encoding: 'plain' },
  labelValue: 255,
  theta: 2,
  hidden: [4],
};
const around = surroundingsOf(shape, undefined);
const TRAINING: Training = {
  backend: 'wasm',
  seed: 1,
  shape,
  config: completeConfig({}, around),
  epochs: 3,
  data: { inputs: Uint8Array.of(1, 2, 3, 4), labels: Uint8Array.of(0, 1) },
};
const PROGRAM = [['train/trainer.js', 'export {}']] as const;

describe('a network that a bench keeps', () => {
  const name = fingerprint(TRAINING, PROGRAM);

  it('is found again for the same training', () => {
    expect(name).toMatch(/^[0-9a-f]{16}$/);
    expect(fingerprint({ ...TRAINING, data: { ...TRAINING.data } }, PROGRAM)).toBe(name);
  });

  it.each<[string, Partial<Training>]>([
    ['seed', { seed: 2 }],
    ['backend', { backend: 'node' }],
    ['shape', { shape: { ...TRAINING.shape, hidden: [6] } }],
    ['recipe', { config: completeConfig({ dropout: 0.2 }, around) }],
    ['length', { epochs: undefined }],
    ['data', { data: { ...TRAINING.data, inputs: Uint8Array.of(1, 2, 3, 5) } }],
    ['labels', { data: { ...TRAINING.data, labels: Uint8Array.of(1, 0) } }],
  ])('is not taken for one of another %s', (_, change) => {
    expect(fingerprint({ ...TRAINING, ...change }, PROGRAM)).not.toBe(name);
  });

  it('is not taken for one that another program trained', () => {
    expect(fingerprint(TRAINING, [['train/trainer.js', 'export {};']])).not.toBe(name);
    expect(fingerprint(TRAINING, [])).not.toBe(name);
  });
});
