import type { SerialPortStream } from '@serialport/stream';
import { GoodnessError } from '../base/errors.js';
import { StreamTransport } from './stream-transport.js';
import type { Transport } from './transport.js';

/** Bits per second where the user names none: what most boards' example programs and debug probes are set to. */
export const DEFAULT_BAUD = 115200;

/**
 * Opens a serial port or a pty, exclusively. Modem lines are left as the system sets them on opening: ptys have none, and
 * boards with native USB want DTR up, which opening does.
 *
 * @param path `/dev/ttyUSB0`, `/dev/pts/3`, `COM3`, ...
 * @param baud bits per second
 * @throws GoodnessError `port.absent`, `port.busy`, `port.permission`, `port.open`, or `port.driver` if the native part of
 * serialport does not load
 */
export async function openSerial(path: string, baud: number = DEFAULT_BAUD): Promise<Transport> {
  const { SerialPort } = await import('serialport').catch((cause: unknown) => {
    throw new GoodnessError('port.driver', 'the serial port driver does not load', {
      got: cause instanceof Error ? cause.message : String(cause),
      fix: 'Reinstall the package on this machine (`npm rebuild serialport`); `sim` and `tcp://host:port` work without it.',
      cause,
    });
  });
  const port = new SerialPort({ path, baudRate: baud, autoOpen: false });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error ? reject(openError(path, error)) : resolve()));
  });
  // The kernel buffers what came while nobody listened: it would only look like garbage.
  await new Promise<void>((resolve) => {
    port.flush(() => resolve());
  });
  return serialTransport(port, path, path.startsWith('/dev/pts/') ? undefined : baud);
}

/** A transport over an open port of any binding. */
export function serialTransport(port: SerialPortStream, name: string, baud: number | undefined): Transport {
  const shut = (): Promise<void> =>
    new Promise((resolve, reject) => {
      if (!port.isOpen) return resolve();
      port.close((error) => (error ? reject(error) : resolve()));
    });
  return new StreamTransport(port, name, baud, shut);
}

/** What the operating system says when a port does not open, as an error that tells what to do. */
export function openError(path: string, cause: Error): GoodnessError {
  const text = cause.message;
  if (/no such file|ENOENT|file not found|ENXIO|ENODEV|no such device/i.test(text)) {
    return new GoodnessError('port.absent', `there is no port ${path}`, {
      fix: 'List the ports with `goodness ports`; without a board use `--port sim`.',
      cause,
    });
  }
  if (/cannot lock|resource temporarily unavailable|EBUSY|busy|EAGAIN/i.test(text)) {
    return new GoodnessError('port.busy', `another program has ${path} open`, {
      fix: 'Close serial monitors and other programs that use this port, then try again.',
      cause,
    });
  }
  if (/permission|EACCES|EPERM|access denied|access is denied/i.test(text)) {
    // Windows says "Access denied" for a port that somebody else has open.
    if (/^(\\\\\.\\)?COM\d+$/i.test(path)) {
      return new GoodnessError('port.busy', `another program has ${path} open`, {
        fix: 'Close serial monitors and other programs that use this port, then try again.',
        cause,
      });
    }
    return new GoodnessError('port.permission', `you may not open ${path}`, {
      fix:
        'On Linux add yourself to the port\'s group, usually `sudo usermod -aG dialout "$USER"`, and log in again; or install a udev rule such as ' +
        'KERNEL=="ttyACM[0-9]*|ttyUSB[0-9]*", TAG+="uaccess" as /etc/udev/rules.d/60-serial.rules and plug the board in again.',
      cause,
    });
  }
  return new GoodnessError('port.open', `${path} does not open: ${text}`, {
    fix: 'Check that it is a serial port and that it supports this baud rate.',
    cause,
  });
}
