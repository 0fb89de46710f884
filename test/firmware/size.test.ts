import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

interface Size {
  core: Record<string, { code: number }>;
  inference: Record<string, { code: number }>;
  inferenceSymbols: string[];
  files: { file: string; code: number }[];
  stack: { bytes: number };
  context: Record<string, number>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const able = ['make', 'arm-none-eabi-gcc'].every((tool) => spawnSync(tool, ['--version']).status === 0);
if (!able) console.warn('SKIPPED: code size of the core: it needs make and arm-none-eabi-gcc');

/** Compiles what has changed and measures; about a second when nothing has. */
function measure(): Size {
  const run = spawnSync(process.execPath, ['scripts/size.mjs', '--json'], { cwd: root, encoding: 'utf8' });
  expect(run.stderr).toBe('');
  return JSON.parse(run.stdout) as Size;
}

describe('the core for a microcontroller', () => {
  it.skipIf(!able)(
    'fits 8 KB of flash, and inference by itself half of it',
    () => {
      const size = measure();
      expect(size.core['cortex-m4']!.code).toBeLessThanOrEqual(8192);
      expect(size.inference['cortex-m4']!.code).toBeLessThanOrEqual(4096);
      expect(size.files.length).toBeGreaterThan(10);
      expect(size.stack.bytes).toBeGreaterThan(0);
      expect(size.stack.bytes).toBeLessThanOrEqual(1536);
      expect(size.context.ff_device).toBeLessThanOrEqual(512);
    },
    180_000,
  );

  it.skipIf(!able)(
    'infers without a byte of learning, patches, store or link',
    () => {
      const names = measure().inferenceSymbols;
      expect(names).toEqual(expect.arrayContaining(['ff_model_open', 'ff_model_bind', 'ff_infer']));
      expect(names.filter((name) => /^ff_(learn|patch|statistics|store|device|link|frame)/.test(name))).toEqual([]);
    },
    180_000,
  );
});
