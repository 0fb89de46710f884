import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hasProgram } from '../support/programs.js';

const firmware = fileURLToPath(new URL('../../firmware', import.meta.url));
const lacking = ['make', 'cc'].filter((program) => !hasProgram(program));
const skipped = lacking.length ? ` (SKIPPED: there is no ${lacking.join(', ')})` : '';

const make = (target: string): Promise<{ failed: boolean; text: string }> =>
  new Promise((resolve) => {
    execFile('make', ['-s', '-C', firmware, target], (error, stdout, stderr) => {
      resolve({ failed: error !== null, text: stdout + stderr });
    });
  });

describe.skipIf(lacking.length > 0)(`the logic of the bootloader on this machine${skipped}`, () => {
  it('has a firmware to run, wherever the power is cut in an upload or a copy', async () => {
    const { failed, text } = await make('boot-powercut');
    console.log(text.trim());
    expect(text).toMatch(/^\d+ cuts, 0 boards without firmware$/m);
    expect(Number(/^(\d+) cuts, 0 boards/m.exec(text)![1])).toBeGreaterThan(20_000);
    expect(failed).toBe(false);
  }, 300_000);

  it('takes nothing malformed for a request, and reads within its bounds', async () => {
    const { failed, text } = await make('boot-fuzz');
    expect(text).toMatch(/^60000 requests, \d+ refused; 15000 broken lines, 0 taken for others/m);
    expect(failed).toBe(false);
  }, 180_000);
});
