import { GoodnessError } from '../base/errors.js';
import type { Transport } from './transport.js';

/**
 * The error for a device that says nothing any more.
 * @param greeted whether it ever said something that made sense
 */
export function deviceSilent(request: string, { name, traffic }: Transport, greeted: boolean): GoodnessError {
  const garbage = traffic.up > 0 && !greeted;
  return new GoodnessError('device.silent', `no answer to ${request} from ${name}`, {
    ...(garbage ? { got: `${traffic.up} bytes that are no frames of this protocol` } : {}),
    fix: garbage
      ? 'Check the baud rate, and that the board runs goodness firmware.'
      : 'Check that the board has power, runs goodness firmware and is on this port; press its reset button and try again.',
  });
}

/** The error for a request that never gets through while others do. */
export function deviceNoisy(request: string, { name }: Transport, attempts: number): GoodnessError {
  return new GoodnessError('device.noisy', `${request} did not get through to ${name}`, {
    got: `${attempts} lost attempts, while the device answers other requests`,
    fix: 'Check cable and ground, or use a lower baud rate.',
  });
}
