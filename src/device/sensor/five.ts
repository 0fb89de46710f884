// What this package uses of johnny-five and firmata-io, which come without types.
import type { EventEmitter } from 'node:events';
import { GoodnessError } from '../../base/errors.js';

/** A Firmata connection (firmata-io). */
export interface FirmataIo extends EventEmitter {
  readonly isReady: boolean;
  readonly firmware: { readonly name?: string; readonly version?: { readonly major: number; readonly minor: number } };
  /** Pins by number; `analogPins[n]` is the pin of A<n>. */
  readonly pins: readonly { readonly supportedModes: readonly number[] }[];
  readonly analogPins: readonly number[];
  setSamplingInterval(milliseconds: number): void;
  reportAnalogPin(pin: number, value: 0 | 1): void;
}

/** A johnny-five board. */
export interface FiveBoard extends EventEmitter {
  readonly isReady: boolean;
  readonly io: FirmataIo;
}

/** A johnny-five component that reports: a `Sensor`, an `Accelerometer`, ... */
export interface FiveComponent extends EventEmitter {
  readonly [name: string]: unknown;
}

type ComponentClass = new (options: object) => FiveComponent;

interface Five {
  readonly Board: new (options: object) => FiveBoard;
  readonly Sensor: ComponentClass;
  readonly Accelerometer: ComponentClass;
  readonly Barometer: ComponentClass;
  readonly Compass: ComponentClass;
  readonly Gyro: ComponentClass;
  readonly Hygrometer: ComponentClass;
  readonly Light: ComponentClass;
  readonly Proximity: ComponentClass;
  readonly Thermometer: ComponentClass;
}

interface FirmataModule {
  readonly Firmata: new (transport: object, options: object) => FirmataIo;
}

/**
 * Loads an optional package.
 * @throws GoodnessError `sensor.package`
 */
async function load<T>(name: string, importer: () => Promise<unknown>): Promise<T> {
  try {
    const module = (await importer()) as { default?: T };
    return (module.default ?? module) as T;
  } catch (cause) {
    throw new GoodnessError('sensor.package', `the package ${name} does not load`, {
      got: cause instanceof Error ? cause.message : String(cause),
      fix: `Install it: npm install ${name}`,
      cause,
    });
  }
}

export function loadFive(): Promise<Five> {
  // @ts-expect-error: it has no types
  return load<Five>('johnny-five', () => import('johnny-five'));
}

export function loadFirmata(): Promise<FirmataModule> {
  // @ts-expect-error: it has no types
  return load<FirmataModule>('firmata-io', () => import('firmata-io'));
}

/** Has components report no more. */
export function disable(components: readonly FiveComponent[]): void {
  for (const component of components) {
    component.removeAllListeners();
    if (typeof component.disable === 'function') component.disable();
  }
}
