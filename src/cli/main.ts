#!/usr/bin/env node
import { run } from './run.js';

// A reader that has seen enough (`goodness ... | head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const interrupted = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });

const code = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  platform: process.platform,
  now: () => performance.now(),
  interrupted,
});
// Natively held ports and worker threads must not keep a finished command alive; what is written must be out first.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
