import { appendFileSync } from 'node:fs';
import { it } from 'vitest';
import { runContract } from '../../src/device/contract/contract.js';
import { TARGETS } from './targets.js';

const log = (s: string) => appendFileSync('/tmp/i/scratch.log', `${new Date().toISOString()} ${s}\n`);
for (const id of (process.env.BOARDS ?? 'pico,microbit').split(','))
  it(id, async () => {
    const entry = TARGETS.find((t) => t.id === id)!;
    const model = await entry.model();
    log(`${id} starting`);
    const t = await entry.start(model);
    log(`${id} started`);
    try {
      await runContract(t.target, model, {
        checks: ['handshake', 'bad frames'],
        onCheck: (c) => log(JSON.stringify(c)),
      });
      const report = await runContract(t.target, model, {
        onProgress: (n, d, tt) => {
          if (d % 10 === 0) log(`${n} ${d}/${tt}`);
        },
        onCheck: (c) => log(JSON.stringify(c)),
      });
      log(`${report.ok} ${report.bytesCompared}`);
    } finally {
      await t.stop();
      log('stopped');
    }
  }, 300000);
