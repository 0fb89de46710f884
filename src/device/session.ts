import { GoodnessError } from '../base/errors.js';
import { encodeFrame, type Frame, FrameDecoder, frameBound } from '../format/frame.js';
import {
  checkProtocol,
  decodeResponse,
  type HelloResponse,
  MESSAGES,
  type Message,
  RESPONSE_BIT,
} from '../format/message.js';
import { type Clock, systemClock } from './clock.js';
import { deviceGone } from './stream-transport.js';
import type { Transport } from './transport.js';

export interface SessionOptions {
  readonly clock?: Clock;
  /** Time for an answer, beside what its bytes take on the line, in ms: 1000. */
  readonly responseMs?: number;
  /** The same for requests that write flash: 10,000. */
  readonly slowMs?: number;
  /** How often a request is sent again while the device says nothing at all: 3. */
  readonly retries?: number;
  /** How long to try for a first answer, in ms: 6000. Boards that reset when their port is opened need 2 s. */
  readonly openMs?: number;
}

/** What went wrong on the line so far; the session mended it. */
export interface LineCounters {
  /** Requests sent again. */
  retries: number;
  /** Answers that nobody waited for (any longer). */
  stale: number;
  /** Bytes between two zeros that were no frame. */
  readonly dropped: number;
}

const HELLO_MS = 400;
const MAX_PAYLOAD = 65535;
/** A device that answers others but never this one, so often, has a line that is too bad. */
const MOST_ATTEMPTS = 64;
/** Sequence numbers are bytes: far fewer may be under way. */
const MOST_WINDOW = 64;
const SLOW = new Set<number>(
  [MESSAGES.begin, MESSAGES.commit, MESSAGES.save, MESSAGES.reload].map((message) => message.type),
);
const FLUSH = Uint8Array.of(0);

interface Request {
  readonly name: string;
  readonly type: number;
  readonly payload: Uint8Array;
  readonly patience: number;
  readonly retries: number;
  wire: Uint8Array;
  sequence: number;
  attempts: number;
  resolve(payload: Uint8Array): void;
  reject(error: Error): void;
}

/**
 * A conversation with one device (SPEC.md 9). Requests may be made at any time: up to HELLO's window of them are under way
 * at once, in the order in which they were made, and the others wait. What gets lost is sent again. Each request ends: with
 * its answer, or with a GoodnessError: the device's refusal (`device.<status>`), `device.silent`, `device.noisy`, `device.gone`.
 */
export class Session {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly line: LineCounters;
  private readonly options: Required<SessionOptions>;
  private readonly decoder = new FrameDecoder(MAX_PAYLOAD);
  private readonly waiting: Request[] = [];
  /** In the order in which they were sent last. */
  private readonly flight: Request[] = [];
  private window = 1;
  private sequence = 0;
  private silence = 0;
  private cancelTimer: (() => void) | undefined;
  private ended: GoodnessError | undefined;
  private greeting: HelloResponse | undefined;

  private constructor(transport: Transport, options: SessionOptions) {
    this.transport = transport;
    this.clock = options.clock ?? systemClock;
    this.options = { clock: this.clock, responseMs: 1000, slowMs: 10_000, retries: 3, openMs: 6000, ...options };
    const decoder = this.decoder;
    this.line = {
      retries: 0,
      stale: 0,
      get dropped() {
        return decoder.dropped;
      },
    };
    transport.onData((bytes) => this.decoder.push(bytes, (frame) => this.receive(frame)));
    transport.onClose((reason) => this.end(deviceGone(transport.name, reason)));
  }

  /**
   * Greets the device and waits until it answers.
   * @throws GoodnessError `device.silent` if nothing does, `device.version` if it speaks another protocol
   */
  static async open(transport: Transport, options: SessionOptions = {}): Promise<Session> {
    const session = new Session(transport, options);
    try {
      // What a board sends or gets while it starts may be lost or half a frame: flush, and ask until it answers.
      session.send(FLUSH);
      const retries = Math.max(0, Math.ceil(session.options.openMs / HELLO_MS) - 1);
      await session.greet(Math.min(HELLO_MS, session.options.openMs), retries);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** What the device said of itself when it was last asked. */
  get hello(): HelloResponse {
    return this.greeting!;
  }

  /** Asks the device for its state again, after the model has changed. */
  refresh(): Promise<HelloResponse> {
    return this.greet(this.options.responseMs, this.options.retries);
  }

  /** Requests that may be under way at once: what a caller should keep going for full speed. */
  get pipelining(): number {
    return this.window;
  }

  /** Makes a request of the table MESSAGES and decodes the answer. */
  request<Q, R>(message: Message<Q, R>, query: Q): Promise<R> {
    const patience = SLOW.has(message.type) ? this.options.slowMs : this.options.responseMs;
    return this.make(message, query, patience, this.options.retries);
  }

  /** Ends the session and closes the transport. What is still under way fails with `device.closed`. */
  async close(): Promise<void> {
    this.end(new GoodnessError('device.closed', 'the session was closed'));
    await this.transport.close();
  }

  private async greet(patience: number, retries: number): Promise<HelloResponse> {
    const hello = await this.make(MESSAGES.hello, {}, patience, retries);
    checkProtocol(hello);
    this.greeting = hello;
    this.window = Math.min(MOST_WINDOW, Math.max(1, hello.window));
    return hello;
  }

  private async make<Q, R>(message: Message<Q, R>, query: Q, patience: number, retries: number): Promise<R> {
    if (this.ended !== undefined) throw this.ended;
    const payload = message.encode(query);
    const most = this.greeting?.maxRequest ?? MAX_PAYLOAD;
    if (payload.length > most) {
      throw new GoodnessError('device.request', `a ${message.name} request is longer than the device takes`, {
        expected: `at most ${most} bytes`,
        got: `${payload.length}`,
        fix: 'Use fewer inputs, or build the firmware with a larger frame.',
      });
    }
    const answer = await new Promise<Uint8Array>((resolve, reject) => {
      const { name, type } = message;
      const unsent = { wire: FLUSH, sequence: 0, attempts: 0 };
      this.waiting.push({ name, type, payload, patience, retries, ...unsent, resolve, reject });
      this.fill();
    });
    return decodeResponse(message, answer);
  }

  /** Sends what waits, as far as the window allows. */
  private fill(): void {
    while (this.flight.length < this.window) {
      const request = this.waiting.shift();
      if (request === undefined) break;
      request.sequence = this.sequence;
      this.sequence = (this.sequence + 1) & 255;
      request.wire = encodeFrame(request.type, request.sequence, request.payload);
      this.transmit(request);
    }
    this.watch();
  }

  private transmit(request: Request): void {
    if (request.attempts++ > 0) this.line.retries++;
    this.flight.push(request);
    this.send(request.wire);
  }

  private send(bytes: Uint8Array): void {
    // A failed write ends the transport, and that ends the session: nothing to do here.
    this.transport.write(bytes).catch(() => {});
  }

  private receive(frame: Frame): void {
    if (this.ended !== undefined) return;
    this.silence = 0;
    const found = this.flight.findIndex(
      (request) => (request.type | RESPONSE_BIT) === frame.type && request.sequence === frame.sequence,
    );
    if (found < 0) {
      this.line.stale++;
      return;
    }
    // The device answers in order: whatever was sent before this one was lost, or its answer was.
    const [request, ...lost] = [this.flight[found]!, ...this.flight.slice(0, found)];
    this.flight.splice(0, found + 1);
    request.resolve(frame.payload);
    for (const earlier of lost) this.again(earlier);
    this.fill();
  }

  private again(request: Request): void {
    if (request.attempts < MOST_ATTEMPTS) {
      this.transmit(request);
      return;
    }
    request.reject(
      new GoodnessError('device.noisy', `${request.name} did not get through to ${this.transport.name}`, {
        got: `${request.attempts} lost attempts, while the device answers other requests`,
        fix: 'Check cable and ground, or use a lower baud rate.',
      }),
    );
  }

  /** Sets the deadline of the oldest request under way. */
  private watch(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    const oldest = this.flight[0];
    if (oldest === undefined) return;
    let bytes = frameBound(this.greeting?.maxResponse ?? 256);
    for (const request of this.flight) bytes += request.wire.length;
    const { baud } = this.transport;
    const onTheLine = baud === undefined ? 0 : (bytes * 10_000) / baud;
    this.cancelTimer = this.clock.after(oldest.patience + onTheLine, () => this.late());
  }

  /** No answer in time. */
  private late(): void {
    const oldest = this.flight[0]!;
    if (this.silence++ >= oldest.retries) {
      this.silence = 0;
      const error = this.silent(oldest.name);
      for (const request of [...this.flight.splice(0), ...this.waiting.splice(0)]) request.reject(error);
      this.watch();
      return;
    }
    // Half a frame may stand in the device's decoder.
    this.send(FLUSH);
    for (const request of this.flight.splice(0)) this.again(request);
    this.fill();
  }

  private silent(name: string): GoodnessError {
    const { traffic } = this.transport;
    const garbage = traffic.up > 0 && this.greeting === undefined;
    return new GoodnessError('device.silent', `no answer to ${name} from ${this.transport.name}`, {
      ...(garbage ? { got: `${traffic.up} bytes that are no frames of this protocol` } : {}),
      fix: garbage
        ? 'Check the baud rate, and that the board runs goodness firmware.'
        : 'Check that the board has power, runs goodness firmware and is on this port; press its reset button and try again.',
    });
  }

  private end(error: GoodnessError): void {
    if (this.ended !== undefined) return;
    this.ended = error;
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    for (const request of [...this.flight.splice(0), ...this.waiting.splice(0)]) request.reject(error);
  }
}
