import { GoodnessError } from '../../base/errors.js';
import { type Clock, systemClock } from '../clock.js';
import type { FirmataBoard } from './firmata.js';
import { disable, loadFive } from './five.js';
import { pushed } from './pushed.js';
import type { SampleSource } from './source.js';

/** Firmata takes intervals in whole milliseconds; below this StandardFirmata on an Uno can't keep up with its line. */
export const LEAST_INTERVAL_MS = 5;

/**
 * Analog pins of a board, at the pace of the board itself: StandardFirmata reports all of them, one after the other, once per
 * sampling interval, and the last one completes a sample. So the clock is the board's, and the host's timers add no jitter.
 * Values are the converter's readings: 0 to 1023 on an Uno.
 *
 * @param pins `A0`, `A1`, ...
 * @param rate samples per second, at most 200
 * @throws GoodnessError `sensor.rate`, `sensor.pin`
 */
export async function analogSource(
  firmata: FirmataBoard,
  pins: readonly string[],
  rate: number,
  clock: Clock = systemClock,
): Promise<SampleSource> {
  const interval = Math.round(1000 / rate);
  if (!(interval >= LEAST_INTERVAL_MS && interval <= 16_383)) {
    throw new GoodnessError('sensor.rate', 'Firmata can not report at this rate', {
      expected: `up to ${1000 / LEAST_INTERVAL_MS} samples per second`,
      got: `${rate}`,
      fix: 'Give a lower --rate.',
    });
  }
  const five = await loadFive();
  const { board } = firmata;
  const { io } = board;
  const numbers = pins.map((pin) => pinNumber(pin, io.analogPins.length)).sort((a, b) => a - b);
  // The components set pins up as johnny-five does, so that they behave like those of any other johnny-five program.
  const components = numbers.map((n) => new five.Sensor({ pin: `A${n}`, board, freq: interval }));
  io.setSamplingInterval(interval);
  const channels = numbers.map((n) => `a${n}`);
  const current = new Float64Array(numbers.length);
  let have = 0;
  const listeners = numbers.map((n, c) => {
    const listener = (value: number): void => {
      current[c] = value;
      have |= 1 << c;
      // Channels are reported in rising order: the last one ends the round, if no report of the round was lost.
      if (c !== numbers.length - 1) return;
      if (have === 2 ** numbers.length - 1) source.push(current.slice());
      have = 0;
    };
    io.on(`analog-read-${n}`, listener);
    return () => io.removeListener(`analog-read-${n}`, listener);
  });
  const source = pushed(firmata, channels, 1000 / interval, clock, () => {
    for (const remove of listeners) remove();
    for (const n of numbers) io.reportAnalogPin(n, 0);
    disable(components);
  });
  return source;
}

/** Number of an analog pin: 3 of `A3`. @throws GoodnessError `sensor.pin` */
export function pinNumber(pin: string, count: number): number {
  const match = /^A(\d{1,2})$/i.exec(pin.trim());
  const n = match === null ? -1 : Number(match[1]);
  if (n >= 0 && n < count) return n;
  throw new GoodnessError('sensor.pin', 'the board has no such analog pin', {
    expected: `A0 to A${count - 1}`,
    got: pin,
  });
}
