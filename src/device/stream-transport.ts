import type { Duplex } from 'node:stream';
import { GoodnessError } from '../base/errors.js';
import type { Traffic, Transport } from './transport.js';

/** A transport over any open Node stream: a serial port, the simulated binding behind one, a socket. */
export class StreamTransport implements Transport {
  readonly name: string;
  readonly baud: number | undefined;
  readonly traffic: Traffic = { up: 0, down: 0 };
  private readonly stream: Duplex;
  private readonly shut: () => Promise<void>;
  private dataListener: ((bytes: Uint8Array) => void) | undefined;
  private closeListener: ((reason?: Error) => void) | undefined;
  private ended = false;
  private reason: Error | undefined;

  /**
   * @param stream open, and without listeners of its own
   * @param shut closes the stream and resolves when that is done
   */
  constructor(stream: Duplex, name: string, baud: number | undefined, shut: () => Promise<void>) {
    this.stream = stream;
    this.name = name;
    this.baud = baud;
    this.shut = shut;
    stream.on('data', (chunk: Buffer) => {
      this.traffic.up += chunk.length;
      this.dataListener?.(chunk);
    });
    stream.on('error', (error: Error) => this.end(error));
    stream.on('end', () => this.end(new Error('the other side closed the connection')));
    stream.on('close', (error?: Error | boolean | null) => {
      this.end(error instanceof Error ? error : new Error('the port was closed'));
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.ended) return Promise.reject(this.gone());
    this.traffic.down += bytes.length;
    return new Promise((resolve, reject) => {
      this.stream.write(bytes, (error) => {
        if (error) {
          this.end(error);
          reject(this.gone());
        } else resolve();
      });
    });
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.dataListener = listener;
  }

  onClose(listener: (reason?: Error) => void): void {
    this.closeListener = listener;
    if (this.ended) listener(this.reason);
  }

  async close(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    await this.shut();
    this.closeListener?.();
  }

  private end(reason: Error): void {
    if (this.ended) return;
    this.ended = true;
    this.reason = reason;
    // The handle below may still be open (a write failed, the other side sent its end): give it back.
    this.shut().catch(() => {});
    this.closeListener?.(reason);
  }

  private gone(): GoodnessError {
    return deviceGone(this.name, this.reason);
  }
}

/** The error for everything that is asked of a device whose transport has ended. */
export function deviceGone(name: string, reason?: Error): GoodnessError {
  const why = reason === undefined ? 'the connection is closed' : reason.message;
  return new GoodnessError('device.gone', `${name} went away: ${why}`, {
    fix: 'Check cable and power, then run the command again: a transfer goes on where it stopped, and the device keeps its last whole model.',
    cause: reason,
  });
}
