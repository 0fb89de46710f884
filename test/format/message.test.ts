import { describe, expect, it } from 'vitest';
import { checkGreeting, decodeResponse, MESSAGES, RESET_MODE } from '../../src/format/message.js';
import { STATUS, STATUSES, statusError } from '../../src/format/status.js';

const input = Uint8Array.of(9, 8, 7);

describe('requests', () => {
  it.each([
    ['hello', MESSAGES.hello.encode({}), [2, 0]],
    ['status', MESSAGES.status.encode(undefined as never), []],
    [
      'begin',
      MESSAGES.begin.encode({ kind: 1, length: 0x01020304, crc: 0xffffffff }),
      [1, 0, 0, 0, 4, 3, 2, 1, 255, 255, 255, 255],
    ],
    ['reset', MESSAGES.reset.encode({ mode: RESET_MODE.bootloader }), [1]],
    ['write', MESSAGES.write.encode({ offset: 4, bytes: input }), [4, 0, 0, 0, 9, 8, 7]],
    ['infer', MESSAGES.infer.encode({ input }), [255, 9, 8, 7]],
    ['infer with a label', MESSAGES.infer.encode({ label: 3, input }), [3, 9, 8, 7]],
    ['trace', MESSAGES.trace.encode({ layer: 1, from: 2, count: 258, input }), [1, 2, 0, 2, 1, 9, 8, 7]],
    ['learn', MESSAGES.learn.encode({ index: 5, label: 2, input }), [5, 0, 0, 0, 2, 9, 8, 7]],
    ['stream', MESSAGES.stream.encode({ index: 5 }), [5, 0, 0, 0]],
    ['seed', MESSAGES.seed.encode({ seed: 5 }), [5, 0, 0, 0]],
    ['statistics', MESSAGES.statistics.encode({ level: 2 }), [2]],
    ['read', MESSAGES.read.encode({ region: 1, offset: 16, count: 512 }), [1, 16, 0, 0, 0, 0, 2]],
    ['ticket', MESSAGES.ticket.encode({ ticket: 5 }), [5, 0, 0, 0]],
  ])('%s has the bytes of the table', (_, got, expected) => {
    expect([...got]).toEqual(expected);
  });

  it('have a type and a name of their own', () => {
    const all = Object.values(MESSAGES);
    expect(new Set(all.map((m) => m.type)).size).toBe(all.length);
    expect(all.map((m) => m.name.toLowerCase())).toEqual(Object.keys(MESSAGES));
  });

  it('refuse numbers that do not fit', () => {
    expect(() => MESSAGES.learn.encode({ index: -1, label: 0, input })).toThrow(
      expect.objectContaining({ code: 'message.field' }),
    );
    expect(() => MESSAGES.infer.encode({ label: 256, input })).toThrow(
      expect.objectContaining({ code: 'message.field' }),
    );
  });
});

describe('responses', () => {
  it('of HELLO carry every field', () => {
    const bytes = Uint8Array.of(
      ...[0, 2, 0, 2, 0, 0b101, 4, 0, 4, 0, 8, 0, 0, 2, 0, 1, 0, 2, 0, 0, 0, 1, 0, 5, 0, 0, 0],
      ...[1, 0, 16, 3, 10, 2, 7, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0, 0x34, 0x12, 5, 1, 0x77, 0x61, 0x73, 0x6d],
    );
    const hello = decodeResponse(MESSAGES.hello, bytes);
    expect(hello).toEqual({
      protocolVersion: 2,
      formatVersion: 2,
      learns: true,
      hasStatistics: false,
      persistent: true,
      imageWithFirmware: false,
      canRestart: false,
      takesNibbles: false,
      takesStages: false,
      window: 4,
      maxRequest: 1024,
      maxResponse: 2048,
      slotBytes: 131072,
      largestPatch: 131073,
      arenaBytes: 65536,
      arenaUsed: 5,
      modelLoaded: true,
      loadStatus: 0,
      rawInputs: 784,
      classes: 10,
      layers: 2,
      imageLength: 7,
      baseId: 8,
      samples: 9,
      ahead: 0x1234,
      layouts: 0x105,
      target: 'wasm',
    });
    checkGreeting(hello);
    bytes[5] = 0b111000;
    expect(decodeResponse(MESSAGES.hello, bytes)).toMatchObject({
      learns: false,
      persistent: false,
      imageWithFirmware: true,
      canRestart: true,
      takesNibbles: true,
    });
    expect(() => checkGreeting({ ...hello, protocolVersion: 1 })).toThrow(
      expect.objectContaining({ code: 'device.version', expected: '2', got: '1' }),
    );
  });

  it('of INFER, LEARN and STATUS carry the outcome', () => {
    const outcome = [3, 0b10001, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0];
    const expected = { class: 3, flags: 17, score: 513, labelScore: 1027 };
    expect(decodeResponse(MESSAGES.infer, Uint8Array.of(0, ...outcome))).toEqual(expected);
    expect(decodeResponse(MESSAGES.learn, Uint8Array.of(0, 6, 0, 0, 0, ...outcome))).toEqual({
      next: 6,
      outcome: expected,
    });
    const counters = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((n) => [n, 0, 0, 0]);
    expect(
      decodeResponse(MESSAGES.status, Uint8Array.of(0, ...counters, ...outcome, 7, 1, 0, 0, 8, 0, 0, 128)),
    ).toEqual({
      baseId: 1,
      t: 2,
      samples: 3,
      updates: 4,
      errors: 5,
      falseRejects: 6,
      falseAccepts: 7,
      framesDropped: 8,
      last: expected,
      microseconds: 263,
      boot: 0x80000008,
    });
  });

  it('of the other requests carry their numbers', () => {
    const four = Uint8Array.of(0, 1, 2, 0, 0);
    expect(decodeResponse(MESSAGES.begin, four)).toEqual({ offset: 513 });
    expect(decodeResponse(MESSAGES.write, four)).toEqual({ next: 513 });
    expect(decodeResponse(MESSAGES.commit, four)).toEqual({ baseId: 513 });
    expect(decodeResponse(MESSAGES.save, four)).toEqual({ sequence: 513 });
    expect(decodeResponse(MESSAGES.statistics, four)).toEqual({ bytes: 513 });
    expect(decodeResponse(MESSAGES.ticket, Uint8Array.of(...four, 7, 0, 0, 0))).toEqual({ baseId: 513, t: 7 });
    expect(decodeResponse(MESSAGES.read, Uint8Array.of(0, 4, 5))).toEqual(Uint8Array.of(4, 5));
    expect(decodeResponse(MESSAGES.trace, Uint8Array.of(0, 1, 2, 3, 4))).toEqual(Uint16Array.of(513, 1027));
    expect(decodeResponse(MESSAGES.abort, Uint8Array.of(0))).toBeUndefined();
  });

  it('that are too short or too long are refused', () => {
    for (const bytes of [[], [0, 1, 2, 3], [0, 1, 2, 3, 4, 5], [4, 1, 2]]) {
      expect(() => decodeResponse(MESSAGES.begin, Uint8Array.from(bytes))).toThrow(
        expect.objectContaining({ code: 'message.length' }),
      );
    }
    expect(() => decodeResponse(MESSAGES.trace, Uint8Array.of(0, 1))).toThrow(
      expect.objectContaining({ code: 'message.length' }),
    );
  });

  it('that refuse become an error with code, numbers and advice', () => {
    expect(() => decodeResponse(MESSAGES.commit, Uint8Array.of(7, 0, 4, 0, 0, 0, 2, 0, 0))).toThrow(
      expect.objectContaining({
        code: 'device.arena',
        expected: '1024 bytes',
        got: '512 bytes',
        fix: expect.any(String),
      }),
    );
  });
});

describe('status codes', () => {
  it('stand at their number and each give an error', () => {
    expect(STATUSES.map((s) => s.code)).toEqual(STATUSES.map((_, i) => i));
    expect([STATUS.OK, STATUS.NO_MODEL, STATUS.LABEL, STATUS.ARGUMENT]).toEqual([0, 10, 12, 19]);
    for (const status of STATUSES.slice(1)) {
      const error = statusError(status.code, 1, 2);
      expect(error.code).toBe(`device.${status.name.toLowerCase()}`);
      expect(error.message).toContain(status.meaning);
    }
  });

  it('that are unknown still give an error', () => {
    expect(statusError(99, 1, 2).code).toBe('device.status');
  });

  it('FIELD names the offset and the value', () => {
    expect(statusError(STATUS.FIELD, 20, 7).message).toContain('offset 20');
    expect(statusError(STATUS.FIELD, 20, 7).got).toBe('7');
  });
});
