import { describe, expect, it, vi } from 'vitest';
import { GoodnessError } from '../../src/base/errors.js';
import { selectBackend } from '../../src/train/backend.js';
import { BACKENDS } from './backends.js';

describe('choosing a backend', () => {
  it('loads WebAssembly with SIMD from its own files, without a network', async () => {
    const fetch = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('there is no network'));
    const { name, tf } = await selectBackend('wasm');
    expect(name).toBe('wasm');
    expect(tf!.getBackend()).toBe('wasm');
    expect(await tf!.env().getAsync('WASM_HAS_SIMD_SUPPORT')).toBe(true);
    expect(fetch).not.toHaveBeenCalled();
    fetch.mockRestore();
  });

  it('takes its own kernel if nothing else is asked for', async () => {
    expect((await selectBackend()).name).toBe('simd');
    expect((await selectBackend('auto', { threads: 1 })).name).toBe('simd');
  });

  it('loads native TensorFlow, or says why it does not', async () => {
    const native = await selectBackend('node').catch((error: unknown) => error);
    if (native instanceof GoodnessError) {
      expect(native.code).toBe('backend.unavailable');
      expect(native.got).toMatch(/tfjs-node|native|binding|Cannot find|isNullOrUndefined/i);
    } else {
      expect(native).toMatchObject({ name: 'node' });
    }
  });

  it('refuses a name and a number of threads that it does not know', async () => {
    for (const name of ['gpu', 'toString']) {
      await expect(selectBackend(name as 'auto')).rejects.toThrow('auto, simd, node or wasm');
    }
    for (const threads of [0, 1.5, 65]) {
      await expect(selectBackend('simd', { threads })).rejects.toThrow('a whole number from 1 to 64');
    }
  });
});

describe.each(BACKENDS)('the product of matrices on %s', (name) => {
  it('is that of the schoolbook, from the beginning of arrays that may be longer', async () => {
    const backend = await selectBackend(name);
    const a = Float32Array.of(1, 2, 3, 4, 5, 6, 99);
    const b = Float32Array.of(1, 0, 2, 1, 0, 3, 99, 99);
    expect([...backend.multiply(a, b, 2, 3, 2)]).toEqual([5, 11, 14, 23]);
    expect([...backend.multiply(a, b, 2, 0, 2)]).toEqual([0, 0, 0, 0]);
  });
});

describe('backends of TensorFlow.js', () => {
  it('stay what they are when another one is loaded', async () => {
    const tensors = BACKENDS.filter((name) => name !== 'simd');
    const loaded = await Promise.all(tensors.map((name) => selectBackend(name)));
    const current = loaded.map(({ tf, multiply }) => {
      multiply(Float32Array.of(1), Float32Array.of(1), 1, 1, 1);
      return tf!.getBackend();
    });
    expect(current).toEqual(tensors.map((name) => (name === 'node' ? 'tensorflow' : name)));
  });
});
