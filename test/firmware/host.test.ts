import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const firmware = fileURLToPath(new URL('../../firmware', import.meta.url));
const able = ['make', 'cc'].every((tool) => spawnSync(tool, ['--version']).status === 0);
if (!able) console.warn('SKIPPED: power cuts and robustness of the core: they need make and a C compiler (cc)');

function make(target: string): { status: number | null; text: string } {
  const run = spawnSync('make', ['-C', firmware, target], { encoding: 'utf8' });
  return { status: run.status, text: run.stdout + run.stderr };
}

describe('the core on this machine', () => {
  it.skipIf(!able)(
    'loses no model, wherever the power is cut',
    () => {
      const { status, text } = make('powercut');
      expect(text).toMatch(/^\d+ cuts, 0 models lost$/m);
      expect(Number(/^(\d+) cuts, 0/m.exec(text)![1])).toBeGreaterThan(15_000);
      expect(status).toBe(0);
    },
    180_000,
  );

  it.skipIf(!able)(
    'survives lost clients, two links at a time, broken transfers and worn flash',
    () => {
      const { status, text } = make('robustness');
      // Flash as memory, apart from it, with records, as on an AVR, and with words of 8 bytes.
      for (const variant of ['plain', 'far', 'records', 'avr', 'ecc']) {
        expect(text).toMatch(new RegExp(`^${variant} +0 failures$`, 'm'));
      }
      expect(status).toBe(0);
    },
    180_000,
  );

  it.skipIf(!able || spawnSync('avr-gcc', ['--version']).status !== 0)(
    'compiles without a warning where an int has 16 bits (needs avr-gcc)',
    () => {
      const { status, text } = make('avr-check');
      expect(text).toContain('the core compiles for AVR');
      expect(status).toBe(0);
    },
    180_000,
  );

  it.skipIf(!able)(
    'can be built without learning, and then says that it does not learn',
    () => {
      const { status, text } = make('no-learn');
      expect(text).toMatch(/^transfer 0, hello 0, learns 0, infer 0, learn 17, patch 17, save 0$/m);
      expect(status).toBe(0);
    },
    180_000,
  );
});
