import { deviceGone } from '../../../src/device/stream-transport.js';
import type { Traffic, Transport } from '../../../src/device/transport.js';
import { encodeFrame, type Frame, FrameDecoder } from '../../../src/format/frame.js';

/** Sends bytes to the host. */
export type Say = (bytes: Uint8Array) => void;

/** The near end of a line whose far end is no device of ours: a dumb wire, old firmware, a chatty boot loader. */
export class PeerTransport implements Transport {
  readonly name = 'peer';
  readonly baud = undefined;
  readonly traffic: Traffic = { up: 0, down: 0 };
  readonly requests: Frame[] = [];
  private readonly decoder = new FrameDecoder(65535);
  private readonly answer: (frame: Frame, say: Say) => void;
  private listener: (bytes: Uint8Array) => void = () => {};
  private closed: ((reason?: Error) => void) | undefined;
  private open = true;

  /** @param answer what the far end does on each whole request */
  constructor(answer: (frame: Frame, say: Say) => void) {
    this.answer = answer;
  }

  /** A far end that answers each request with these payloads, one after the other, and then no more. */
  static saying(...payloads: Uint8Array[]): PeerTransport {
    let next = 0;
    return new PeerTransport((frame, say) => {
      const payload = payloads[next++];
      if (payload !== undefined) say(encodeFrame(frame.type | 0x80, frame.sequence, payload));
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.open) throw deviceGone(this.name);
    this.traffic.down += bytes.length;
    this.decoder.push(bytes, (frame) => {
      this.requests.push(frame);
      this.answer(frame, (reply) => this.say(reply));
    });
  }

  /** Bytes out of the blue. */
  say(bytes: Uint8Array): void {
    setImmediate(() => {
      if (!this.open) return;
      this.traffic.up += bytes.length;
      this.listener(bytes);
    });
  }

  /** The far end goes away. */
  vanish(): void {
    this.open = false;
    this.closed?.(new Error('unplugged'));
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.listener = listener;
  }

  onClose(listener: (reason?: Error) => void): void {
    this.closed = listener;
  }

  async close(): Promise<void> {
    this.open = false;
  }
}
