import type { SerialPortStream } from '@serialport/stream';
import { GoodnessError } from '../../base/errors.js';
import { openError } from '../serial.js';
import { type FirmataIo, type FiveBoard, loadFirmata, loadFive } from './five.js';

/** Speed of StandardFirmata (Firmata protocol 2.x, `Firmata.begin(57600)`). */
export const FIRMATA_BAUD = 57600;

export interface FirmataOptions {
  /** Bits per second; 57,600 if left out. */
  readonly baud?: number;
  /** How long to wait for the board's first words, in ms: 10,000. A board that resets when its port is opened needs 3 s. */
  readonly timeout?: number;
}

/** A board that runs StandardFirmata, as johnny-five sees it. */
export interface FirmataBoard {
  readonly board: FiveBoard;
  /** Name and version of the firmware: `StandardFirmata.ino 2.5`. */
  readonly firmware: string;
  /** Resolves when the port is gone, with the reason. */
  readonly gone: Promise<Error>;
  close(): Promise<void>;
}

const ASK_AFTER_MS = 500;

/**
 * Opens a board with StandardFirmata as a johnny-five board, over the serialport of this package (johnny-five's own is many
 * versions older). Signals and output stay those of the process.
 *
 * @throws GoodnessError `port.*` if it does not open, `sensor.firmata` if no Firmata answers, `sensor.package`
 */
export async function openFirmata(path: string, options: FirmataOptions = {}): Promise<FirmataBoard> {
  const { baud = FIRMATA_BAUD, timeout = 10_000 } = options;
  const [five, firmata] = await Promise.all([loadFive(), loadFirmata()]);
  const port = await openPort(path, baud);
  const shut = (): Promise<void> =>
    new Promise((resolve) => {
      if (port.isOpen) port.close(() => resolve());
      else resolve();
    });
  let received = 0;
  port.on('data', (bytes: Uint8Array) => {
    received += bytes.length;
  });
  let tellGone: (reason: Error) => void = () => {};
  const gone = new Promise<Error>((resolve) => {
    tellGone = resolve;
  });
  port.once('close', (error?: Error | null) => tellGone(error ?? new Error('the port was closed')));
  try {
    const io = new firmata.Firmata(port, { reportVersionTimeout: ASK_AFTER_MS });
    await ready(io, timeout, () => noFirmata(path, baud, timeout, received));
    const board = new five.Board({ io, repl: false, debug: false, sigint: false, timeout });
    await ready(board, timeout, () => noFirmata(path, baud, timeout, received));
    const { name = 'Firmata', version } = io.firmware;
    const firmware = version === undefined ? name : `${name} ${version.major}.${version.minor}`;
    return { board, firmware, gone, close: shut };
  } catch (error) {
    await shut();
    throw error;
  }
}

async function openPort(path: string, baud: number): Promise<SerialPortStream> {
  const { SerialPort } = await import('serialport');
  const port = new SerialPort({ path, baudRate: baud, autoOpen: false });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error ? reject(openError(path, error)) : resolve()));
  });
  return port;
}

/** Waits for `ready`, which may have been already. */
function ready(emitter: FirmataIo | FiveBoard, milliseconds: number, late: () => Error): Promise<void> {
  return new Promise((resolve, reject) => {
    if (emitter.isReady) return resolve();
    const timer = setTimeout(() => finish(late()), milliseconds);
    const finish = (error?: Error): void => {
      clearTimeout(timer);
      if (error === undefined) resolve();
      else reject(error);
    };
    emitter.once('ready', () => finish());
    emitter.on('error', (error: Error) => finish(error));
  });
}

function noFirmata(path: string, baud: number, timeout: number, received: number): GoodnessError {
  return new GoodnessError('sensor.firmata', `no Firmata answers on ${path}`, {
    expected: `StandardFirmata at ${baud} bits/s, within ${timeout / 1000} s`,
    got: received === 0 ? 'not a byte' : `${received} bytes of something else`,
    fix: 'Put StandardFirmata on the board (Arduino IDE: Examples > Firmata; or `goodness flash --board uno --port <port> --firmware StandardFirmata.hex`), or give the speed of its firmware with --baud.',
  });
}
