import { describe, expect, it, vi } from 'vitest';
import { GoodnessError } from '../../src/base/errors.js';
import { selectBackend } from '../../src/train/backend.js';
import { multiply } from '../../src/train/matrix.js';

describe('choosing a backend', () => {
  it('loads WebAssembly with SIMD from its own files, without a network', async () => {
    const fetch = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('there is no network'));
    const { name, tf } = await selectBackend('wasm');
    expect(name).toBe('wasm');
    expect(tf.getBackend()).toBe('wasm');
    expect(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')).toBe(true);
    expect(fetch).not.toHaveBeenCalled();
    fetch.mockRestore();
  });

  it('takes native TensorFlow if it loads, says why it does not if it was asked for, and else goes on with WebAssembly', async () => {
    const native = await selectBackend('node').catch((error: unknown) => error);
    const auto = await selectBackend('auto');
    if (native instanceof GoodnessError) {
      expect(native.code).toBe('backend.unavailable');
      expect(native.got).toMatch(/tfjs-node|native|binding|Cannot find|isNullOrUndefined/i);
      expect(auto.name).toBe('wasm');
    } else {
      expect(auto.name).toBe('node');
    }
  });

  it('refuses a name that it does not know', async () => {
    await expect(selectBackend('gpu' as 'auto')).rejects.toThrow('auto, node or wasm');
  });
});

describe('the product of matrices', () => {
  it('is that of the schoolbook, from the beginning of arrays that may be longer', async () => {
    const { tf } = await selectBackend('wasm');
    const a = Float32Array.of(1, 2, 3, 4, 5, 6, 99);
    const b = Float32Array.of(1, 0, 2, 1, 0, 3, 99, 99);
    expect([...multiply(tf, a, b, 2, 3, 2)]).toEqual([5, 11, 14, 23]);
    expect([...multiply(tf, a, b, 2, 0, 2)]).toEqual([0, 0, 0, 0]);
  });
});
