import { afterEach, describe, expect, it, vi } from 'vitest';
import type { GoodnessError } from '../../src/base/errors.js';
import type { BackendChoice } from '../../src/train/backend.js';

const KERNEL = '../../src/train/kernel/module.js';
const NATIVE = '@tensorflow/tfjs-node';
const WASM = '@tensorflow/tfjs-backend-wasm';

/** The loader on a machine where some of what it loads is broken. */
async function selectWithout(broken: readonly string[], choice: BackendChoice): Promise<string> {
  vi.resetModules();
  for (const name of [KERNEL, NATIVE, WASM]) vi.doUnmock(name);
  for (const name of broken) {
    const error = new Error(`${name} is broken\nin many lines`);
    vi.doMock(name, () => {
      if (name === KERNEL) return { kernelModule: () => Promise.reject(error) };
      throw error;
    });
  }
  const { selectBackend } = await import('../../src/train/backend.js');
  return (await selectBackend(choice)).name;
}

async function failure(promise: Promise<unknown>): Promise<GoodnessError> {
  return (await promise.catch((error: unknown) => error)) as GoodnessError;
}

afterEach(() => {
  for (const name of [KERNEL, NATIVE, WASM]) vi.doUnmock(name);
});

describe('where a backend does not load', () => {
  it('the next one is taken, if any will do', async () => {
    expect(await selectWithout([], 'auto')).toBe('simd');
    expect(await selectWithout([NATIVE, WASM], 'auto')).toBe('simd');
    expect(await selectWithout([KERNEL, NATIVE], 'auto')).toBe('wasm');
  });

  it.each([
    [KERNEL, 'simd'],
    [NATIVE, 'node'],
    [WASM, 'wasm'],
  ] as const)(
    'it is told, with the reason on one line and a way out, if it was asked for: %s',
    async (name, choice) => {
      const error = await failure(selectWithout([name], choice));
      expect(error.code).toBe('backend.unavailable');
      expect(error.got).not.toContain('\n');
      expect(error.fix).toMatch(/Use the backend|use the backend|Install/);
      expect(await selectWithout([], choice).catch((e: GoodnessError) => e.code)).toBe(
        choice === 'node' ? await nativeHere() : choice,
      );
    },
  );

  it('and none of the others either, all reasons are told', async () => {
    const error = await failure(selectWithout([KERNEL, NATIVE, WASM], 'auto'));
    expect(error.code).toBe('backend.unavailable');
    for (const name of ['simd', 'node', 'wasm']) expect(error.got).toContain(`${name}: `);
  });
});

/** What asking for native TensorFlow comes to on this machine. */
async function nativeHere(): Promise<string> {
  return import('@tensorflow/tfjs-node' as string).then(
    () => 'node',
    () => 'backend.unavailable',
  );
}
