import { describe, expect, it } from 'vitest';
import { GoodnessError } from '../../src/base/errors.js';
import { EXIT, exitCodeOf } from '../../src/cli/exit-code.js';
import { decodeClassStatistics } from '../../src/format/class-statistics.js';
import { decodeResponse, MESSAGES } from '../../src/format/message.js';

function errorOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('the exit code', () => {
  it('blames the device for answers that make no sense', () => {
    const cutOff = errorOf(() => decodeResponse(MESSAGES.hello, Uint8Array.of(0, 1)));
    expect(cutOff).toMatchObject({ code: expect.stringMatching(/^message\./) });
    expect(exitCodeOf(cutOff)).toBe(EXIT.device);
    const unknown = errorOf(() => decodeClassStatistics(Uint8Array.of(7, 1, 1, 0)));
    expect(unknown).toMatchObject({ code: 'statistics.level' });
    expect(exitCodeOf(unknown)).toBe(EXIT.device);
  });

  it.each([
    ['device.silent', EXIT.device],
    ['port.absent', EXIT.device],
    ['store.file', EXIT.device],
    ['sync.model', EXIT.device],
    ['sync.host', EXIT.usage],
    ['usage.value', EXIT.usage],
    ['csv.nan', EXIT.usage],
    ['image.crc', EXIT.usage],
    ['check.parity', EXIT.check],
  ])('of %s is %i', (code, exit) => {
    expect(exitCodeOf(new GoodnessError(code, 'a message'))).toBe(exit);
  });

  it('of an error that nobody foresaw is that of a fault of the program', () => {
    expect(exitCodeOf(new TypeError('oops'))).toBe(EXIT.internal);
  });
});
