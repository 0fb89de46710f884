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

interface Five {
  readonly Board: new (options: object) => FiveBoard;
  readonly Sensor: new (options: object) => FiveComponent;
  readonly Accelerometer: new (options: object) => FiveComponent;
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
