import { GoodnessError } from '../../base/errors.js';
import { type Clock, systemClock } from '../clock.js';
import { LEAST_INTERVAL_MS, pinNumber } from './analog.js';
import type { FirmataBoard } from './firmata.js';
import { disable, type FiveComponent, loadFive } from './five.js';
import { pushed } from './pushed.js';
import type { SampleSource } from './source.js';

interface Facts {
  /** What johnny-five calls it. */
  readonly name:
    | 'Accelerometer'
    | 'Barometer'
    | 'Compass'
    | 'Gyro'
    | 'Hygrometer'
    | 'Light'
    | 'Proximity'
    | 'Thermometer';
  readonly channels: readonly string[];
  /** Their values, if they aren't fields of these names. */
  readonly read?: (component: FiveComponent) => readonly unknown[];
  /** Chips that johnny-five drives, and where the first ones are connected. */
  readonly controllers: string;
}

/** Sensors that johnny-five makes numbers in units of. */
const FACTS = {
  accelerometer: {
    name: 'Accelerometer',
    channels: ['x', 'y', 'z'],
    controllers: 'ANALOG or ADXL335 at three analog pins; ADXL345, MPU6050, LIS3DH, ... on I2C',
  },
  barometer: { name: 'Barometer', channels: ['pressure'], controllers: 'BMP180, MPL115A2, ... on I2C' },
  compass: { name: 'Compass', channels: ['heading'], controllers: 'HMC5883L, ... on I2C' },
  gyro: { name: 'Gyro', channels: ['x', 'y', 'z'], read: turning, controllers: 'MPU6050, BNO055 on I2C' },
  hygrometer: {
    name: 'Hygrometer',
    channels: ['humidity'],
    read: (component) => [component.relativeHumidity],
    controllers: 'SHT31D, HTU21D, ... on I2C',
  },
  light: { name: 'Light', channels: ['level'], controllers: 'none at an analog pin; BH1750, TSL2561, ... on I2C' },
  proximity: {
    name: 'Proximity',
    channels: ['cm'],
    controllers: 'GP2Y0A21YK, MB1000, ... at an analog pin; SRF10, LIDARLITE, ... on I2C',
  },
  thermometer: {
    name: 'Thermometer',
    channels: ['celsius'],
    controllers: 'LM35, TMP36, ... at an analog pin; TMP102, MCP9808, ... on I2C',
  },
} as const satisfies Readonly<Record<string, Facts>>;

export type ComponentKind = keyof typeof FACTS;

export const COMPONENT_KINDS = Object.keys(FACTS) as ComponentKind[];

export interface ComponentOptions {
  /** Its chip, as johnny-five names them: `ADXL335`, `MPU6050`, `LM35`, ...; johnny-five's default for the kind if left out. */
  readonly controller?: string;
  /** Analog pins it is at: `A0` (x, y and z of an accelerometer: three); none on I2C. */
  readonly pins?: readonly string[];
  /** Samples per second. */
  readonly rate: number;
}

/**
 * A sensor by johnny-five's component for it, in the component's own units: g of an accelerometer, degrees Celsius of a thermometer, ...
 * (An accelerometer's values are johnny-five's means of the last five; what vibrates fast is better recorded from the bare pins.)
 *
 * Accelerometers at analog pins come at the board's own pace, the others at that of this machine's timers. Those at analog pins run in
 * the tests; on I2C nothing was tried.
 *
 * @throws GoodnessError `sensor.controller`, `sensor.pin`
 */
export async function componentSource(
  firmata: FirmataBoard,
  kind: ComponentKind,
  options: ComponentOptions,
  clock: Clock = systemClock,
): Promise<SampleSource> {
  const facts: Facts = FACTS[kind];
  const { controller, pins = [], rate } = options;
  const five = await loadFive();
  const { board } = firmata;
  const { io } = board;
  const numbers = pins.map((pin) => pinNumber(pin, io.analogPins.length));
  const interval = Math.max(LEAST_INTERVAL_MS, Math.round(1000 / rate));
  let component: FiveComponent;
  try {
    io.setSamplingInterval(interval);
    component = new five[facts.name]({
      board,
      freq: interval,
      ...(controller === undefined ? {} : { controller }),
      ...(pins.length > 1 ? { pins } : pins.length === 1 ? { pin: pins[0] } : {}),
    });
  } catch (cause) {
    throw new GoodnessError('sensor.controller', `johnny-five can not make a ${kind} of ${controller ?? 'that'}`, {
      expected: facts.controllers,
      got: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
  const { channels, read = () => channels.map((name) => component[name]) } = facts;
  const listener = (): void => {
    const sample = Float64Array.from(read(component), Number);
    if (sample.every(Number.isFinite)) source.push(sample);
  };
  // With several analog pins a component says `data` once for each. Pins are reported in rising order, and the component heard
  // of the last one before this listener does.
  const [emitter, event] = numbers.length > 1 ? [io, `analog-read-${Math.max(...numbers)}`] : [component, 'data'];
  emitter.on(event, listener);
  const source = pushed(firmata, channels, 1000 / interval, clock, () => {
    emitter.removeListener(event, listener);
    for (const n of numbers) io.reportAnalogPin(n, 0);
    disable([component]);
  });
  return source;
}

/** Degrees per second around each axis. */
function turning({ rate }: FiveComponent): unknown[] {
  const { x, y, z } = rate as Readonly<Record<'x' | 'y' | 'z', number>>;
  return [x, y, z];
}
