import type { SerialPortStream } from '@serialport/stream';
import { GoodnessError } from '../../base/errors.js';
import { openError } from '../serial.js';
import type { Traffic } from '../transport.js';

export interface LineSettings {
  /** Bits per second. */
  readonly baud: number;
  /** Even for the ROM bootloader of STM32 (AN3155: 8E1); none if left out. */
  readonly parity?: 'none' | 'even';
}

/** Levels of the modem lines; one that is left out stays as it is. */
export interface ModemLines {
  readonly dtr?: boolean;
  readonly rts?: boolean;
}

/** A serial line as bootloaders need it: raw bytes with a deadline on every wait. */
export interface Line {
  /** The path that it was opened by, for messages. */
  readonly name: string;
  readonly settings: LineSettings;
  /** Bytes so far: up from the board, down to it. */
  readonly traffic: Traffic;
  /** Resolves when the bytes have left this machine. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Takes exactly `count` bytes off what came in, in order.
   * @throws GoodnessError `bootloader.timeout` if they are not there in time: then what did come waits for the next read
   */
  read(count: number, milliseconds: number): Promise<Uint8Array>;
  /** Forgets what came in and was not read. */
  clear(): void;
  /** Sets modem lines. False where the port has none (a pty), and nothing happened. */
  modem(lines: ModemLines): Promise<boolean>;
  /** Closes the port and resolves when it is free again. Closing twice does nothing. */
  close(): Promise<void>;
}

/** What a line keeps of bytes that nobody reads: a bootloader answers in far fewer. */
const MOST_WAITING = 1 << 20;

/**
 * Opens a serial port for a bootloader, exclusively. Other speeds or parities: close it, and open it anew.
 * @throws GoodnessError `port.*`: see openError
 */
export async function openLine(path: string, settings: LineSettings): Promise<Line> {
  const { SerialPort } = await import('serialport');
  const { baud, parity = 'none' } = settings;
  const port = new SerialPort({ path, baudRate: baud, parity, dataBits: 8, stopBits: 1, autoOpen: false });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error ? reject(openError(path, error)) : resolve()));
  });
  return new SerialLine(port, path, settings);
}

class SerialLine implements Line {
  readonly name: string;
  readonly settings: LineSettings;
  readonly traffic: Traffic = { up: 0, down: 0 };
  private readonly port: SerialPortStream;
  private readonly held: Uint8Array[] = [];
  private waiting = 0;
  private lines: Required<ModemLines> = { dtr: true, rts: true };
  private wake: () => void = () => {};
  private gone: Error | undefined;

  constructor(port: SerialPortStream, name: string, settings: LineSettings) {
    this.port = port;
    this.name = name;
    this.settings = settings;
    port.on('data', (bytes: Uint8Array) => {
      this.traffic.up += bytes.length;
      this.held.push(Uint8Array.from(bytes));
      this.waiting += bytes.length;
      while (this.waiting > MOST_WAITING) this.waiting -= this.held.shift()!.length;
      this.wake();
    });
    const end = (error?: Error | null): void => {
      this.gone ??= error ?? new Error('the port was closed');
      this.wake();
    };
    port.on('error', end);
    port.on('close', end);
  }

  async write(bytes: Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const failed = (error: Error | null | undefined): boolean => {
        if (error) reject(this.lost(error));
        return Boolean(error);
      };
      if (!this.port.isOpen) return reject(this.lost(this.gone));
      this.port.write(Buffer.from(bytes), (error) => {
        if (!failed(error)) this.port.drain((late) => failed(late) || resolve());
      });
    });
    this.traffic.down += bytes.length;
  }

  async read(count: number, milliseconds: number): Promise<Uint8Array> {
    const deadline = performance.now() + milliseconds;
    while (this.waiting < count) {
      if (this.gone !== undefined) throw this.lost(this.gone);
      const left = deadline - performance.now();
      if (left <= 0) {
        throw new GoodnessError('bootloader.timeout', `no answer from ${this.name} in time`, {
          expected: `${count} ${count === 1 ? 'byte' : 'bytes'} within ${milliseconds} ms`,
          got: String(this.waiting),
        });
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.wake = () => {};
    }
    return this.take(count);
  }

  clear(): void {
    this.held.length = 0;
    this.waiting = 0;
  }

  modem(lines: ModemLines): Promise<boolean> {
    return new Promise((resolve) => {
      if (!this.port.isOpen) return resolve(false);
      // The driver raises lines that it is not told of.
      this.lines = { ...this.lines, ...lines };
      this.port.set(this.lines, (error) => resolve(!error));
    });
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.port.isOpen) return resolve();
      this.port.close((error) => (error ? reject(this.lost(error)) : resolve()));
    });
  }

  private take(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; ) {
      const first = this.held[0]!;
      const n = Math.min(first.length, count - at);
      bytes.set(first.subarray(0, n), at);
      at += n;
      if (n < first.length) this.held[0] = first.subarray(n);
      else this.held.shift();
    }
    this.waiting -= count;
    return bytes;
  }

  private lost(cause: Error | undefined): GoodnessError {
    return new GoodnessError('port.gone', `the port ${this.name} is gone`, {
      got: cause?.message ?? 'it is closed',
      fix: 'Check the cable, and try again.',
      cause,
    });
  }
}
