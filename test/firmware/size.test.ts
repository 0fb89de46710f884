import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

interface Size {
  cpu: string;
  core: number;
  withKernels: number;
  withoutStatistics: number;
  inference: number;
  inferenceSymbols: string[];
  files: { file: string; code: number }[];
  stack: { bytes: number; chain: string[] };
  context: { ff_device: number; ff_link: number };
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const missing = ['make', 'arm-none-eabi-gcc', 'avr-gcc'].filter((tool) => spawnSync(tool, ['--version']).status !== 0);
if (missing.length > 0) console.warn(`SKIPPED: code size of the core: it needs ${missing.join(' and ')}`);

/** Compiles what has changed and measures; about a second when nothing has. */
function measure(): Map<string, Size> {
  const run = spawnSync(process.execPath, ['scripts/size.mjs', '--json'], { cwd: root, encoding: 'utf8' });
  expect(run.stderr).toBe('');
  const { classes } = JSON.parse(run.stdout) as { classes: Size[] };
  return new Map(classes.map((size) => [size.cpu, size]));
}

describe('the core for a microcontroller', () => {
  // Bytes: everything with class statistics, inference by itself, context of a device, stack below a link's step, kernels of its own.
  it.skipIf(missing.length > 0).each([
    ['cortex-m4', 8192, 2560, 512, 1024, 6144],
    ['cortex-m0', 9216, 2816, 512, 1024, 3072],
    ['avr', 16384, 5632, 256, 384, 0],
  ])(
    'fits its room on %s',
    (cpu, all, inference, context, stack, kernels) => {
      const size = measure().get(cpu)!;
      expect(size.core).toBeLessThanOrEqual(all);
      expect(size.withKernels - size.core).toBeLessThanOrEqual(kernels);
      expect(size.withoutStatistics).toBeLessThan(size.core);
      expect(size.inference).toBeLessThanOrEqual(inference);
      expect(size.files.length).toBeGreaterThan(10);
      expect(size.context.ff_device).toBeLessThanOrEqual(context);
      expect(size.stack.bytes).toBeGreaterThan(0);
      expect(size.stack.bytes).toBeLessThanOrEqual(stack);
      // The chain goes where the deepest work is, by way of the device.
      expect(size.stack.chain.length).toBeGreaterThan(4);
    },
    180_000,
  );

  it.skipIf(missing.length > 0)(
    'infers without a byte of learning, patches, store or link',
    () => {
      for (const { inferenceSymbols: names } of measure().values()) {
        expect(names).toEqual(expect.arrayContaining(['ff_model_open', 'ff_model_bind', 'ff_infer']));
        expect(names.filter((name) => /^ff_(learn|patch|statistics|store|slot|device|link|frame)/.test(name))).toEqual(
          [],
        );
      }
    },
    180_000,
  );
});
