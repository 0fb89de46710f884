import { readdirSync, readlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { GoodnessError } from '../base/errors.js';
import { findProgram } from './programs.js';

/** A serial port that a board may be on. */
export interface Port {
  /** What to give as `--port`. */
  readonly path: string;
  readonly manufacturer?: string;
  readonly serialNumber?: string;
  /** USB vendor and product, four hexadecimal digits each. */
  readonly vendorId?: string;
  readonly productId?: string;
  /** Lasting name, where the system has one. */
  readonly id?: string;
}

/** What of the system `listPorts` looks at. */
export interface PortSystem {
  readonly platform: string;
  /** Folders of programs, as in the environment variable PATH. */
  readonly path: string;
  /** Where device files are: `/dev`. */
  readonly devices: string;
}

/**
 * The serial ports of this machine. On Linux without udev the names in /dev are all there is to go by.
 *
 * serialport's own list runs `udevadm`, and where that is missing its failure can't be caught and ends the process; so it is
 * asked only where the program exists.
 * @throws GoodnessError `port.driver` if the native part of serialport does not load
 */
export async function listPorts(system: PortSystem): Promise<Port[]> {
  if (system.platform === 'linux' && findProgram(system.path, 'udevadm') === undefined) {
    return listDevices(system.devices);
  }
  const { SerialPort } = await import('serialport').catch((cause: unknown) => {
    throw new GoodnessError('port.driver', 'the serial port driver does not load', {
      got: cause instanceof Error ? cause.message : String(cause),
      fix: 'Reinstall the package on this machine (`npm rebuild serialport`); `goodness doctor` says more.',
      cause,
    });
  });
  const found = await SerialPort.list();
  return found.map((port) => {
    const fields = {
      manufacturer: port.manufacturer,
      serialNumber: port.serialNumber,
      vendorId: port.vendorId,
      productId: port.productId,
      id: port.pnpId,
    };
    return {
      path: port.path,
      ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
    };
  });
}

/**
 * Whether a port appears when something is plugged in. Others, such as `/dev/ttyS0` and the header of a Raspberry Pi, are there
 * whether anything is connected or not, and are never opened without being named.
 */
export function isPluggable(port: Port): boolean {
  return port.vendorId !== undefined || /\/(tty(USB|ACM)\d+|cu\.(usb|SLAB|wchusb)\S*)$/.test(port.path);
}

function listDevices(devices: string): Port[] {
  const ids = new Map<string, string>();
  const links = join(devices, 'serial/by-id');
  for (const name of entries(links)) {
    try {
      ids.set(resolve(links, readlinkSync(join(links, name))), name);
    } catch {
      // Unplugged this moment, or no link: its port is listed all the same if it exists.
    }
  }
  return entries(devices)
    .filter((name) => /^(tty(USB|ACM|AMA|S)\d+|rfcomm\d+)$/.test(name))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => {
      const path = join(devices, name);
      const id = ids.get(path);
      return id === undefined ? { path } : { path, id };
    });
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
