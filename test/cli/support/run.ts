import { expect } from 'vitest';
import { run } from '../../../src/cli/run.js';

/** What a command line said. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, on pipes; PATH is that of the tests unless `environment` has another. */
export async function goodness(
  args: readonly string[],
  options: { environment?: Record<string, string>; platform?: string; interrupt?: Promise<void> } = {},
): Promise<Said> {
  const said = { out: '', err: '' };
  let time = 0;
  const sink = (name: 'out' | 'err') => ({
    isTTY: false,
    write: (text: string) => {
      said[name] += text;
    },
  });
  const code = await run(args, {
    stdout: sink('out'),
    stderr: sink('err'),
    environment: { PATH: process.env.PATH, ...options.environment },
    platform: options.platform ?? process.platform,
    now: () => (time += 10),
    interrupted: () => options.interrupt ?? new Promise(() => {}),
  });
  return { code, ...said };
}

/** The one line of JSON on stdout. */
export function json(said: Said): Record<string, unknown> {
  expect(said.out.endsWith('\n'), said.err).toBe(true);
  expect(said.out.trimEnd()).not.toContain('\n');
  return JSON.parse(said.out) as Record<string, unknown>;
}
