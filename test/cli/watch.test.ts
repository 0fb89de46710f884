import { describe, expect, it } from 'vitest';
import { withImplied } from '../../src/cli/arguments.js';
import type { CliContext } from '../../src/cli/context.js';
import { Output } from '../../src/cli/output.js';
import { openWatch, picture } from '../../src/cli/watch.js';
import type { Progress } from '../../src/train/progress.js';

function progress(step: number, heldOut?: number): Progress {
  const layer = { loss: 1 / step, positive: 1 + step, negative: 1, threshold: 2 };
  return {
    epoch: step,
    epochs: 9,
    step,
    steps: 9,
    layers: [layer, layer],
    learningRate: 0.01,
    samplesPerSecond: 100,
    ...(heldOut === undefined ? {} : { heldOut }),
  };
}

function contextOf(isTTY: boolean): { readonly context: CliContext; said: string } {
  let time = 0;
  const seen = { said: '' };
  const sink = {
    isTTY,
    columns: 60,
    write: (text: string) => {
      seen.said += text;
    },
  };
  const now = (): number => (time += 1000);
  const output = new Output({ stdout: sink, stderr: sink, json: false, quiet: false, environment: {}, now });
  const never = new Promise<void>(() => {});
  return Object.assign(seen, {
    context: { output, environment: {}, platform: 'linux', now, interrupted: () => never } as CliContext,
  });
}

describe('the picture of a training', () => {
  const paint = { green: (t: string) => t, red: (t: string) => t, dim: (t: string) => t };

  it('has a plot for each layer, and one of the error on what is held out', () => {
    const two = picture([progress(1), progress(2)], 40, 5000, paint);
    expect(two[0]).toBe('epoch 2 of 9, step 2 of 9, 5 s, 100/s');
    expect(two.filter((line) => line.startsWith('layer '))).toEqual([
      'layer 1: positive 3.00, negative 1.00, threshold 2.00',
      'layer 2: positive 3.00, negative 1.00, threshold 2.00',
    ]);
    const three = picture([progress(1, 20), progress(2, 10)], 40, 5000, paint);
    expect(three.filter((line) => line.includes('held out'))).toEqual(['error on what is held out: 10.00%']);
    expect(three.length).toBeLessThanOrEqual(24);
  });
});

describe('--watch', () => {
  it('draws in the terminal, over what it drew before', async () => {
    const seen = contextOf(true);
    const watch = await openWatch('terminal', seen.context);
    expect(watch?.replacesBar).toBe(true);
    watch!.show(progress(1));
    expect(seen.said).toContain('layer 2: ');
    expect(seen.said).not.toContain('\u001b[17A');
    const first = seen.said.length;
    watch!.show(progress(2));
    expect(seen.said.slice(first).startsWith('\u001b[')).toBe(true);
    expect(seen.said.slice(first, first + 5)).toContain('A');
    await watch!.end();
    const end = seen.said.length;
    await watch!.end();
    expect(seen.said).toHaveLength(end);
  });

  it('says so where there is no terminal', async () => {
    const seen = contextOf(false);
    expect(await openWatch('terminal', seen.context)).toBeUndefined();
    expect(seen.said).toContain('--watch needs a terminal');
    expect(await openWatch(undefined, seen.context)).toBeUndefined();
    await expect(openWatch('window', seen.context)).rejects.toThrow('terminal, browser');
  });

  it('serves a page for a browser, and names it', async () => {
    const seen = contextOf(false);
    const watch = await openWatch('browser', seen.context);
    const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(seen.said)![0];
    watch!.show(progress(1));
    expect(await (await fetch(url)).text()).toContain('goodness train');
    await watch!.end();
    await watch!.end();
  });

  it('means the terminal where it has no value', () => {
    expect(withImplied(['mnist', '--watch'])).toEqual(['mnist', '--watch=terminal']);
    expect(withImplied(['--watch', 'mnist'])).toEqual(['--watch=terminal', 'mnist']);
    expect(withImplied(['--watch', 'browser', 'mnist'])).toEqual(['--watch', 'browser', 'mnist']);
    expect(withImplied(['--watch=browser'])).toEqual(['--watch=browser']);
  });
});
