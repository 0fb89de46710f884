import { beforeAll, describe, expect, it } from 'vitest';
import { GoodnessError } from '../../src/base/errors.js';
import { decodeSafetensors, encodeSafetensors, type Tensor } from '../../src/format/safetensors.js';
import { type Backend, selectBackend } from '../../src/train/backend.js';
import { type Checkpoint, encodeCheckpoint } from '../../src/train/checkpoint.js';
import { decodeCheckpoint } from '../../src/train/checkpoint-reader.js';
import { shapeFor } from '../../src/train/config.js';
import { Trainer } from '../../src/train/trainer.js';
import { blobs } from './blobs.js';

let backend: Backend;
let checkpoint: Checkpoint;
beforeAll(async () => {
  backend = await selectBackend('wasm');
  const data = {
    ...blobs(30, 1),
    features: ['u', 'v', 'w', 'x', 'y', 'z'],
    scaling: { offset: Float32Array.of(-1.1), step: Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6) },
  };
  const trainer = new Trainer({ backend, seed: 7, shape: shapeFor(data, { hidden: [6, 3] }), config: { peer: 0.03 } });
  await trainer.fit(data, { epochs: 1 });
  const { name, classes, scaling, features } = data;
  checkpoint = trainer.checkpoint({ name, classes, scaling, features });
});

function changed(change: (metadata: Record<string, string>, tensors: Map<string, Tensor>) => void): string {
  const file = decodeSafetensors(encodeCheckpoint(checkpoint));
  const metadata = { ...file.metadata };
  const tensors = new Map(file.tensors);
  change(metadata, tensors);
  try {
    Trainer.restore(decodeCheckpoint(encodeSafetensors({ tensors, metadata })), backend);
  } catch (error) {
    if (error instanceof GoodnessError) return error.code;
    throw error;
  }
  return 'none';
}

describe('a checkpoint', () => {
  it('gives back all that went in', () => {
    expect(decodeCheckpoint(encodeCheckpoint(checkpoint))).toEqual(checkpoint);
  });

  it('may leave out the state of training', () => {
    const { state, ...rest } = checkpoint;
    expect(state?.layers).toHaveLength(2);
    expect(decodeCheckpoint(encodeCheckpoint(rest))).toEqual(rest);
    expect(Trainer.restore(rest, backend).network()).toEqual(rest.network);
  });

  it('names its tensors for readers in other languages', () => {
    const { tensors, metadata } = decodeSafetensors(encodeCheckpoint(checkpoint));
    expect(tensors.get('layer.0.weight')?.shape).toEqual([12, 6]);
    expect([...tensors.keys()].filter((name) => name.startsWith('layer.1.'))).toEqual([
      'layer.1.moment.mean',
      'layer.1.moment.mean_activity',
      'layer.1.moment.square',
      'layer.1.weight',
    ]);
    expect(metadata.format).toBe('goodness-checkpoint');
    expect(JSON.parse(metadata.data!).classes).toEqual(['a', 'b', 'c']);
  });

  it('is refused when it is of another kind or version', () => {
    expect(changed((m) => delete m.format)).toBe('checkpoint.format');
    expect(changed((m) => Object.assign(m, { version: '99' }))).toBe('checkpoint.version');
  });

  it('is refused when a field is missing or does not fit the other ones', () => {
    const edit = (key: string, change: (value: Record<string, unknown>) => void) =>
      changed((m) => {
        const value = JSON.parse(m[key]!);
        change(value);
        m[key] = JSON.stringify(value);
      });
    expect(changed(() => undefined)).toBe('none');
    for (const key of ['shape', 'data', 'seed', 'recipe']) {
      expect(changed((m) => delete m[key])).toBe('checkpoint.field');
      expect(changed((m) => Object.assign(m, { [key]: '{' }))).toBe('checkpoint.field');
      expect(changed((m) => Object.assign(m, { [key]: 'null' }))).toBe('checkpoint.field');
    }
    expect(changed((m) => Object.assign(m, { state: 'null' }))).toBe('checkpoint.field');
    expect(edit('shape', (v) => Object.assign(v, { hidden: [6, 6] }))).toBe('checkpoint.field');
    expect(edit('shape', (v) => Object.assign(v, { width: 5 }))).toBe('network.weights');
    expect(edit('shape', (v) => Object.assign(v, { objective: 'other' }))).toBe('checkpoint.field');
    expect(edit('data', (v) => Object.assign(v, { classes: ['a'] }))).toBe('checkpoint.field');
    expect(edit('data', (v) => Object.assign(v, { scaling: { offset: [1, 2], step: [1] } }))).toBe('checkpoint.field');
    expect(edit('data', (v) => Object.assign(v, { geometry: { width: 4, height: 4 } }))).toBe('checkpoint.field');
    expect(edit('recipe', (v) => Object.assign(v, { dropout: 2 }))).toBe('train.config');
    expect(edit('state', (v) => Object.assign(v, { random: [1] }))).toBe('checkpoint.field');
    expect(changed((_, t) => t.delete('layer.0.weight'))).toBe('checkpoint.field');
    expect(changed((_, t) => t.delete('layer.1.moment.mean'))).toBe('checkpoint.field');
    expect(changed((_, t) => t.set('layer.1.moment.mean_activity', { shape: [2], data: new Float32Array(2) }))).toBe(
      'checkpoint.field',
    );
    expect(
      changed((_, t) => t.set('layer.0.weight', { shape: [12, 6], data: new Float32Array(72).fill(Number.NaN) })),
    ).toBe('network.weights');
  });
});
