import { GoodnessError } from '../base/errors.js';
import { openSerial } from './serial.js';
import { openSimulated } from './simulated.js';
import { openTcp } from './tcp.js';
import type { Transport } from './transport.js';

export interface OpenTransportOptions {
  /** Bits per second of a serial port; 115,200 if left out. */
  readonly baud?: number;
}

/**
 * Opens the transport that a user names: `sim` or `sim:<flash file>` for a board in this process, `tcp://host:port`, and
 * anything else as a serial port (`/dev/ttyUSB0`, `/dev/pts/3`, `COM3`).
 *
 * @throws GoodnessError `port.*`: see openSerial, openTcp
 */
export async function openTransport(name: string, options: OpenTransportOptions = {}): Promise<Transport> {
  if (name === 'sim' || name.startsWith('sim:')) return openSimulated(name);
  if (/^[a-z]+:\/\//i.test(name)) return openTcp(name);
  if (name.trim() === '') {
    throw new GoodnessError('port.name', 'no port is named', {
      expected: 'sim, tcp://host:port, or a serial port',
      fix: 'List the ports with `goodness ports`.',
    });
  }
  return openSerial(name, options.baud);
}
