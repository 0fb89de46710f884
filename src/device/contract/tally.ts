import { GoodnessError } from '../../base/errors.js';
import { statusError } from '../../format/status.js';
import { describeDifference, type Ledger } from '../parity.js';

/** Bytes of a refusal that are compared: its status, and the two numbers behind it. */
const REFUSAL_BYTES = 9;

/** Counts the bytes of one check: compared, and different. The first difference is kept in words. */
export class Tally {
  compared = 0;
  differences = 0;
  first: string | undefined;
  readonly notes: string[] = [];

  /** What a person should know of this check, whether it failed or not. */
  note(text: string): void {
    this.notes.push(text);
  }

  /** Compares byte by byte; a byte that one of them lacks is a difference. */
  bytes(what: string, expected: Uint8Array, got: Uint8Array): void {
    const length = Math.max(expected.length, got.length);
    this.compared += length;
    for (let i = 0; i < length; i++) {
      if (expected[i] === got[i]) continue;
      this.differences++;
      this.first ??= `${what}, byte ${i}: expected ${expected[i] ?? 'no more'}, got ${got[i] ?? 'no more'}`;
    }
  }

  /** Compares a field that takes `width` bytes on the wire. */
  number(what: string, expected: number, got: number, width: 1 | 2 | 4): void {
    const bytes = (value: number): Uint8Array => Uint8Array.from({ length: width }, (_, i) => value >>> (8 * i));
    const before = this.differences;
    const { first } = this;
    this.bytes(what, bytes(expected), bytes(got));
    if (this.differences > before && first === undefined) this.first = `${what}: expected ${expected}, got ${got}`;
  }

  /** A field of `width` bytes for which there is a rule, not one value. */
  holds(rule: string, right: boolean, width: number): void {
    this.compared += width;
    if (right) return;
    this.differences += width;
    this.first ??= `it does not hold that ${rule}`;
  }

  /** The device must refuse with this status and these numbers. */
  async refuses(
    what: string,
    request: Promise<unknown>,
    status: number,
    numbers: readonly [number, number],
  ): Promise<void> {
    const expected = statusError(status, ...numbers);
    const got = await outcomeOf(request);
    this.compared += REFUSAL_BYTES;
    const same = got?.code === expected.code && got.expected === expected.expected && got.got === expected.got;
    if (same) return;
    this.differences += REFUSAL_BYTES;
    this.first ??= `${what} must be refused: expected "${expected.message}", got "${got?.message ?? 'a good answer'}"`;
  }

  /** The device must refuse with one of these statuses; the numbers that come with it are its own business. */
  async refusesWith(what: string, request: Promise<unknown>, statuses: readonly number[]): Promise<void> {
    const codes = statuses.map((status) => statusError(status, 0, 0).code);
    const got = await outcomeOf(request);
    this.compared++;
    if (got !== undefined && codes.includes(got.code)) return;
    this.differences++;
    this.first ??= `${what} must be refused with ${codes.join(' or ')}, got "${got?.message ?? 'a good answer'}"`;
  }

  /** Takes over what a comparison with the reference found. */
  ledger(ledger: Ledger): void {
    this.compared += ledger.bytes;
    this.differences += ledger.bytesDifferent;
    if (ledger.first !== undefined) this.first ??= describeDifference(ledger.first);
    if (ledger.firstActivity !== undefined && ledger.firstActivity !== ledger.first) {
      this.note(`first activity that differs: ${describeDifference(ledger.firstActivity)}`);
    }
  }
}

/** The refusal of a device, or undefined if it answered; what is no answer at all goes through. */
async function outcomeOf(request: Promise<unknown>): Promise<GoodnessError | undefined> {
  try {
    await request;
    return undefined;
  } catch (error) {
    const lineFailed = /^device\.(silent|noisy|gone|closed|restarted)$/;
    if (error instanceof GoodnessError && error.code.startsWith('device.') && !lineFailed.test(error.code))
      return error;
    throw error;
  }
}
