import { GoodnessError } from '../../base/errors.js';
import { type Clock, pause, systemClock } from '../clock.js';
import { openError } from '../serial.js';

const HOLD_MS = 50;

/**
 * Opens a serial port at 1200 baud, lets DTR fall and closes it: programs with USB of their own take that as the wish to restart
 * into their bootloader (Arduino's convention, which the Pico's cores and CircuitPython share). Behind a converter chip it does nothing.
 *
 * @throws GoodnessError `port.*` if the port doesn't open, see openSerial; closing never fails: the port may be gone by then
 */
export async function touch1200(path: string, clock: Clock = systemClock): Promise<void> {
  const { SerialPort } = await import('serialport').catch((cause: unknown) => {
    throw new GoodnessError('port.driver', 'the serial port driver does not load', {
      fix: 'Reinstall the package on this machine (`npm rebuild serialport`).',
      cause,
    });
  });
  const port = new SerialPort({ path, baudRate: 1200, autoOpen: false });
  // The port of a board that restarts goes away while it is open.
  port.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error ? reject(openError(path, error)) : resolve()));
  });
  await new Promise<void>((resolve) => {
    port.set({ dtr: false }, () => resolve());
  });
  await pause(clock, HOLD_MS);
  await new Promise<void>((resolve) => {
    if (!port.isOpen) return resolve();
    port.close(() => resolve());
  });
}
