import { GoodnessError } from '../../base/errors.js';
import { type Clock, systemClock } from '../clock.js';
import type { FirmataBoard } from './firmata.js';
import { type FiveComponent, loadFive } from './five.js';
import { SampleQueue } from './queue.js';
import type { SampleSource } from './source.js';

/** Firmata takes intervals in whole milliseconds; below this StandardFirmata on an Uno can't keep up with its line. */
const LEAST_INTERVAL_MS = 5;
/** Nothing for so many intervals: the sensor is dead. */
const SILENT_INTERVALS = 50;
const LEAST_SILENCE_MS = 3000;

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

export interface AccelerometerOptions {
  /** As johnny-five names them: `ANALOG`, `ADXL335`, `ADXL345`, `MPU6050`, ... */
  readonly controller: string;
  /** Analog pins of x, y, z, for analog ones. */
  readonly pins?: readonly string[];
  /** Samples per second. */
  readonly rate: number;
}

/** An accelerometer, by johnny-five's component for its chip: x, y and z in g. Not verified on hardware. */
export async function accelerometerSource(
  firmata: FirmataBoard,
  options: AccelerometerOptions,
  clock: Clock = systemClock,
): Promise<SampleSource> {
  const { controller, pins, rate } = options;
  const five = await loadFive();
  const { board } = firmata;
  const interval = Math.max(LEAST_INTERVAL_MS, Math.round(1000 / rate));
  let component: FiveComponent;
  try {
    board.io.setSamplingInterval(interval);
    component = new five.Accelerometer({ controller, board, freq: interval, ...(pins === undefined ? {} : { pins }) });
  } catch (cause) {
    throw new GoodnessError('sensor.controller', `johnny-five can not make an accelerometer of ${controller}`, {
      expected: 'ANALOG or ADXL335 with --pins A0,A1,A2; ADXL345, MPU6050, LIS3DH, ... on I2C',
      got: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
  const listener = (data: { x: number; y: number; z: number }): void =>
    source.push(Float64Array.of(Number(component.x), Number(component.y), Number(component.z ?? data.z)));
  component.on('data', listener);
  const source = pushed(firmata, ['x', 'y', 'z'], 1000 / interval, clock, () => {
    component.removeListener('data', listener);
    disable([component]);
  });
  return source;
}

/** A source fed by events, which notices when they stop. */
function pushed(
  firmata: FirmataBoard,
  channels: readonly string[],
  rate: number,
  clock: Clock,
  stop: () => void,
): SampleSource & { push(sample: Float64Array): void } {
  const queue = new SampleQueue<Float64Array>();
  const patience = Math.max(LEAST_SILENCE_MS, (SILENT_INTERVALS * 1000) / rate);
  let heard = false;
  let cancel = (): void => {};
  const watch = (): void => {
    cancel = clock.after(patience, () => {
      if (heard) {
        heard = false;
        watch();
        return;
      }
      queue.end(
        new GoodnessError('sensor.silent', `the sensor says nothing (${channels.join(', ')})`, {
          expected: `${rate.toFixed(1)} samples per second`,
          got: `none for ${patience / 1000} s`,
          fix: 'Check the wiring, the pin and the kind of sensor.',
        }),
      );
    });
  };
  watch();
  firmata.gone.then((reason) => {
    queue.end(
      new GoodnessError('sensor.gone', 'the board with the sensor is gone', {
        got: reason.message,
        fix: 'Check the cable.',
        cause: reason,
      }),
    );
  });
  return {
    channels,
    rate,
    get lost() {
      return queue.lost;
    },
    samples: () => queue,
    push(sample) {
      heard = true;
      queue.push(sample);
    },
    async close() {
      cancel();
      queue.end();
      stop();
      await firmata.close();
    },
  };
}

function pinNumber(pin: string, count: number): number {
  const match = /^A(\d{1,2})$/i.exec(pin.trim());
  const n = match === null ? -1 : Number(match[1]);
  if (n >= 0 && n < count) return n;
  throw new GoodnessError('sensor.pin', 'the board has no such analog pin', {
    expected: `A0 to A${count - 1}`,
    got: pin,
  });
}

function disable(components: readonly FiveComponent[]): void {
  for (const component of components) {
    component.removeAllListeners();
    if (typeof component.disable === 'function') component.disable();
  }
}
