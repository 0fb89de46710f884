import { describe, expect, it } from 'vitest';
import { greet } from '../../src/device/boards/greet.js';
import { openTransport } from '../../src/device/resolve.js';
import type { Transport } from '../../src/device/transport.js';

/** A line to a board whose bootloader, entered when the port is opened, lets go only after `silence` ms without a byte. */
async function stubborn(silence: number, opened: number[]): Promise<Transport> {
  const board = await openTransport('sim');
  opened.push(performance.now());
  let quietSince = performance.now();
  let running = false;
  return {
    name: '/dev/ttyACM9',
    baud: board.baud,
    traffic: board.traffic,
    write: async (bytes) => {
      const now = performance.now();
      running ||= now - quietSince >= silence;
      quietSince = now;
      if (running) await board.write(bytes);
    },
    onData: (listener) => board.onData(listener),
    onClose: (listener) => board.onClose(listener),
    close: () => board.close(),
  };
}

describe('a greeting', () => {
  it('leaves a bootloader in peace that stays while bytes come', { timeout: 20_000 }, async () => {
    const opened: number[] = [];
    const session = await greet(() => stubborn(1000, opened), { openMs: 2000 });
    expect(session.hello.target).toBe('wasm');
    expect(opened).toHaveLength(2);
    await session.close();
  });

  it('waits at once where the board is known to need it', async () => {
    const opened: number[] = [];
    const session = await greet(() => stubborn(1000, opened), { openMs: 2000, quietMs: 1200 });
    expect(opened).toHaveLength(1);
    await session.close();
  });

  it('opens a port that has no bootloader behind it once', async () => {
    let opened = 0;
    const session = await greet(() => {
      opened++;
      return openTransport('sim');
    });
    await session.close();
    expect(opened).toBe(1);
  });
});
