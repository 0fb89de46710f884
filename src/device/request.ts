import { encodeFrame, frameBound } from '../format/frame.js';
import { MESSAGES, type Message } from '../format/message.js';

/** How long a request is waited for, and what becomes of it if it gets lost. */
export interface Manner {
  /** Longest time between two questions whether it got lost, in ms. */
  readonly patience: number;
  /** Silence of the device, in ms, after which it is given up. */
  readonly limit: number;
  /** It is not sent again: its maker wants to know that it got lost. */
  readonly once: boolean;
  /** It only asks whether the device is there. */
  readonly probe: boolean;
}

/** A request that a session was given, from then until it is answered. */
export interface Request extends Manner {
  readonly name: string;
  readonly type: number;
  readonly payload: Uint8Array;
  /** The answer's bytes on the line, at most. */
  readonly answerBytes: number;
  /** The frame that goes down. */
  wire: Uint8Array;
  sequence: number;
  /** How often it was sent. */
  attempts: number;
  /** When it was sent last, in ms of the session's clock. */
  sentAt: number;
  /** With undefined where it is `once`, and got lost. */
  resolve(payload: Uint8Array | undefined): void;
  reject(error: Error): void;
}

/** Times that a session is told to wait; see SessionOptions. */
export interface Times {
  readonly responseMs: number;
  readonly slowMs: number;
  readonly retries: number;
}

const types = (...messages: readonly { readonly type: number }[]): Set<number> => new Set(messages.map((m) => m.type));
/** They write flash. */
const SLOW = types(MESSAGES.begin, MESSAGES.commit, MESSAGES.save, MESSAGES.reload);
/** They take as long as the model takes on this device. */
const COMPUTE = types(MESSAGES.infer, MESSAGES.trace, MESSAGES.learn);
/** An answer that carries no data is no longer than this, in bytes on the line. */
const SHORT_ANSWER = 80;
const UNSENT = new Uint8Array(0);
/** The shortest request that any device answers, with a model or without one, and that changes nothing. */
const PROBE = { region: 0, offset: 0, count: 0 } as const;

/** How requests of a type are made. */
export function mannerOf(type: number, { responseMs, slowMs, retries }: Times): Manner {
  const usual = responseMs * (retries + 1);
  const limit = SLOW.has(type) ? slowMs * (retries + 1) : COMPUTE.has(type) ? Math.max(usual, slowMs) : usual;
  return { patience: responseMs, limit, once: false, probe: false };
}

/** A request before it is sent. */
export function newRequest(
  { name, type }: Pick<Message<unknown, unknown>, 'name' | 'type'>,
  payload: Uint8Array,
  manner: Manner,
  settle: Pick<Request, 'resolve' | 'reject'>,
): Request {
  const u16 = (at: number): number => (payload[at] ?? 0) + 256 * (payload[at + 1] ?? 0);
  const data = type === MESSAGES.read.type ? u16(5) : type === MESSAGES.trace.type ? 2 * u16(3) : 0;
  const answerBytes = frameBound(data) + SHORT_ANSWER;
  return { name, type, payload, answerBytes, ...manner, wire: UNSENT, sequence: 0, attempts: 0, sentAt: 0, ...settle };
}

/** A question whether the device is there: if it is answered, all requests before it were lost. */
export function newProbe(patience: number): Request {
  const manner = { patience, limit: Number.POSITIVE_INFINITY, once: true, probe: true };
  const settle = { resolve: () => {}, reject: () => {} };
  return newRequest(MESSAGES.read, MESSAGES.read.encode(PROBE), manner, settle);
}

/** Gives a request its sequence number and its frame. */
export function number(request: Request, sequence: number): void {
  request.sequence = sequence;
  request.wire = encodeFrame(request.type, sequence, request.payload);
}
