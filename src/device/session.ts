import { GoodnessError } from '../base/errors.js';
import { type Frame, FrameDecoder, frameBound } from '../format/frame.js';
import {
  checkGreeting,
  decodeResponse,
  type HelloResponse,
  MESSAGES,
  type Message,
  RESPONSE_BIT,
} from '../format/message.js';
import { type Clock, systemClock } from './clock.js';
import { deviceNoisy, deviceSilent } from './line-errors.js';
import { LossRate } from './loss.js';
import { Pace } from './pace.js';
import { type Manner, mannerOf, newProbe, newRequest, number, type Request } from './request.js';
import { deviceGone } from './stream-transport.js';
import type { Transport } from './transport.js';

export interface SessionOptions {
  readonly clock?: Clock;
  /**
   * Time for an answer, beside what its bytes take on the line, in ms: 1000. A device that is known to be faster is asked sooner whether
   * a request got lost.
   */
  readonly responseMs?: number;
  /** The same for requests that write flash: 10,000. */
  readonly slowMs?: number;
  /** A device is taken for gone when it said nothing at all for one more than so many times its time: 3. */
  readonly retries?: number;
  /** How long to try for a first answer, in ms: 6000. Boards that reset when their port is opened need 2 s. */
  readonly openMs?: number;
  /** Most requests under way at once, 1 to 64; as many as the device keeps if left out. */
  readonly window?: number;
}

/** What went wrong on the line so far; the session mended it. */
export interface LineCounters {
  /** Requests that got lost, or their answers. */
  retries: number;
  /** Answers that nobody waited for (any longer). */
  stale: number;
  /** Bytes between two zeros that were no frame. */
  readonly dropped: number;
}

const HELLO_MS = 400;
const MAX_PAYLOAD = 65535;
/** When to ask first whether a request got lost, if no such request was answered yet: asking costs a few bytes. */
const FIRST_MS = 200;
/** A device that keeps silent is asked ever more seldom. */
const BACKOFF = 1.25;
/** A device that answers others but never this one, so often, has a line that is too bad. */
const MOST_ATTEMPTS = 64;
/** Sequence numbers are bytes: far fewer may be under way. */
const MOST_WINDOW = 64;
const FLUSH = Uint8Array.of(0);

/**
 * A conversation with one device (SPEC.md 9). Requests may be made at any time: as many as the device keeps are under way
 * at once (HELLO's window, or more if they are short), in the order in which they were made, and the others wait. What gets lost is sent again. Each request ends: with
 * its answer, or with a GoodnessError: the device's refusal (`device.<status>`), `device.silent`, `device.noisy`, `device.gone`.
 */
export class Session {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly line: LineCounters;
  /** How much the line loses, as far as requests show that may be lost: for whoever chooses how much to send at once. */
  readonly loss = new LossRate();
  private readonly pace = new Pace();
  private readonly options: Required<SessionOptions>;
  private readonly decoder = new FrameDecoder(MAX_PAYLOAD);
  private readonly waiting: Request[] = [];
  /** In the order in which they were sent last. */
  private readonly flight: Request[] = [];
  private window = 1;
  private sequence = 0;
  /** Since the device was heard last: questions that it did not answer, and ms that were waited for answers. */
  private silence = { questions: 0, waited: 0 };
  private heardAt = 0;
  private cancelTimer: (() => void) | undefined;
  private ended: GoodnessError | undefined;
  private greeting: HelloResponse | undefined;

  private constructor(transport: Transport, options: SessionOptions) {
    this.transport = transport;
    this.clock = options.clock ?? systemClock;
    const defaults = { responseMs: 1000, slowMs: 10_000, retries: 3, openMs: 6000 };
    const window = Math.max(1, Math.min(MOST_WINDOW, options.window ?? MOST_WINDOW));
    this.options = { ...defaults, ...options, clock: this.clock, window };
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

  /** Requests of any length that may be under way at once. */
  get pipelining(): number {
    return this.window;
  }

  /**
   * Requests with so much payload that may be under way at once: what a caller should keep going for full speed. Short ones may
   * be more, since the device keeps what comes while it works on one.
   */
  pipeliningOf(payloadLength: number): number {
    const more = 1 + Math.floor(this.hello.ahead / frameBound(payloadLength));
    return Math.max(this.window, Math.min(this.options.window, more));
  }

  /** Makes a request of the table MESSAGES and decodes the answer. What gets lost is sent again. */
  async request<Q, R>(message: Message<Q, R>, query: Q): Promise<R> {
    const answer = await this.make(message, message.encode(query), mannerOf(message.type, this.options));
    return decodeResponse(message, answer!);
  }

  /**
   * The same for a request that its maker would rather make anew, shorter for instance, than have sent again.
   * @returns undefined if it got lost, or its answer
   */
  async attempt<Q, R>(message: Message<Q, R>, query: Q): Promise<R | undefined> {
    const answer = await this.make(message, message.encode(query), {
      ...mannerOf(message.type, this.options),
      once: true,
    });
    return answer === undefined ? undefined : decodeResponse(message, answer);
  }

  /** The error for a request that its maker has attempted too often, or undefined. */
  tooNoisy(name: string, attempts: number): GoodnessError | undefined {
    return attempts < MOST_ATTEMPTS ? undefined : deviceNoisy(name, this.transport, attempts);
  }

  /** Ends the session and closes the transport. What is still under way fails with `device.closed`. */
  async close(): Promise<void> {
    this.end(new GoodnessError('device.closed', 'the session was closed'));
    await this.transport.close();
  }

  private async greet(patience: number, retries: number): Promise<HelloResponse> {
    const manner = { patience, limit: patience * (retries + 1), once: false, probe: false };
    const answer = await this.make(MESSAGES.hello, MESSAGES.hello.encode({}), manner);
    const hello = decodeResponse(MESSAGES.hello, answer!);
    checkGreeting(hello);
    this.greeting = hello;
    this.window = Math.max(1, Math.min(this.options.window, hello.window));
    return hello;
  }

  private async make(
    { name, type }: { readonly name: string; readonly type: number },
    payload: Uint8Array,
    manner: Manner,
  ): Promise<Uint8Array | undefined> {
    if (this.ended !== undefined) throw this.ended;
    const most = this.greeting?.maxRequest ?? MAX_PAYLOAD;
    if (payload.length > most) {
      throw new GoodnessError('device.request', `a ${name} request is longer than the device takes`, {
        expected: `at most ${most} bytes`,
        got: `${payload.length}`,
        fix: 'Use fewer inputs, or build the firmware with a larger frame.',
      });
    }
    return new Promise<Uint8Array | undefined>((resolve, reject) => {
      this.waiting.push(newRequest({ name, type }, payload, manner, { resolve, reject }));
      this.fill();
    });
  }

  /** Sends what waits, as far as the window allows. */
  private fill(): void {
    // A question that nothing stands in front of any more has nothing to ask about, and takes no room.
    while (this.flight[0]?.probe) this.flight.shift();
    for (let request = this.waiting[0]; request !== undefined && this.hasRoomFor(request); request = this.waiting[0]) {
      this.waiting.shift();
      this.number(request);
      this.transmit(request);
    }
    this.watch();
  }

  /** Whether the device keeps one more request, with those that are under way (SPEC.md 9.1). */
  private hasRoomFor(request: Request): boolean {
    const { flight, window } = this;
    if (flight.length < window) return true;
    if (flight.length >= this.options.window) return false;
    // The oldest is being worked on.
    let bytes = frameBound(request.payload.length);
    for (let i = 1; i < flight.length; i++) bytes += flight[i]!.wire.length;
    return bytes <= (this.greeting?.ahead ?? 0);
  }

  private number(request: Request): void {
    number(request, this.sequence);
    this.sequence = (this.sequence + 1) & 255;
  }

  private transmit(request: Request): void {
    request.attempts++;
    request.sentAt = this.clock.now();
    this.flight.push(request);
    this.send(request.wire);
  }

  private send(bytes: Uint8Array): void {
    // A failed write ends the transport, and that ends the session: nothing to do here.
    this.transport.write(bytes).catch(() => {});
  }

  private receive(frame: Frame): void {
    if (this.ended !== undefined) return;
    const before = this.heardAt;
    this.heardAt = this.clock.now();
    this.silence = { questions: 0, waited: 0 };
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
    // Of a request that was sent twice nobody knows which of the two is answered.
    if (request.attempts === 1) this.pace.answered(request.type, this.heardAt - Math.max(before, request.sentAt));
    request.resolve(frame.payload);
    for (const earlier of lost) this.again(earlier);
    this.fill();
  }

  /** A request got lost. */
  private again(request: Request): void {
    if (!request.probe) this.line.retries++;
    const error = request.once ? undefined : this.tooNoisy(request.name, request.attempts);
    if (request.once) request.resolve(undefined);
    else if (error !== undefined) request.reject(error);
    else this.transmit(request);
  }

  /** Sets the time at which the oldest request under way is late. */
  private watch(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    const oldest = this.flight[0];
    if (oldest === undefined) return;
    const usual = this.pace.late(oldest.type) ?? (this.greeting === undefined ? oldest.patience : FIRST_MS);
    const patience = Math.min(oldest.patience, usual * BACKOFF ** this.silence.questions);
    let bytes = 0;
    for (const { wire, answerBytes } of this.flight) bytes += wire.length + answerBytes;
    const { baud } = this.transport;
    const onTheLine = baud === undefined ? 0 : (bytes * 10_000) / baud;
    this.cancelTimer = this.clock.after(patience + onTheLine, () => this.late(patience));
  }

  /** No answer in time. */
  private late(waited: number): void {
    const oldest = this.flight[0]!;
    this.silence.questions++;
    this.silence.waited += waited;
    if (this.silence.waited >= oldest.limit) {
      this.silence = { questions: 0, waited: 0 };
      const error = deviceSilent(oldest.name, this.transport, this.greeting !== undefined);
      for (const request of [...this.flight.splice(0), ...this.waiting.splice(0)]) request.reject(error);
      this.watch();
      return;
    }
    // Half a frame may stand in the device's decoder.
    this.send(FLUSH);
    if (this.greeting === undefined || oldest.type === MESSAGES.hello.type) {
      // It may not even have started when it was greeted first.
      for (const request of this.flight.splice(0)) this.again(request);
    } else this.probe();
    this.fill();
  }

  /**
   * Asks whether the device is there, with a request of a few bytes: if that is answered, all before it was lost. So a device that takes
   * long is not given the same work twice.
   */
  private probe(): void {
    const probe = newProbe(this.options.responseMs);
    this.number(probe);
    this.transmit(probe);
  }

  private end(error: GoodnessError): void {
    if (this.ended !== undefined) return;
    this.ended = error;
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    for (const request of [...this.flight.splice(0), ...this.waiting.splice(0)]) request.reject(error);
  }
}
