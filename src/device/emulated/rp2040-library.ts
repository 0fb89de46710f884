import { GoodnessError } from '../../base/errors.js';

/** What is used of a processor of rp2040js, an optional dependency whose own types may therefore be absent. */
export interface RP2040 {
  readonly core: {
    readonly cycles: number;
    readonly waiting: boolean;
    PC: number;
    LR: number;
    executeInstruction(): number;
  };
  readonly sram: Uint8Array;
  readonly sramView: DataView;
  readonly clkSys: number;
  readonly uart: readonly {
    readonly enabled: boolean;
    readonly rxEnabled: boolean;
    readonly baudRate: number;
    onByte?: (byte: number) => void;
    feedByte(byte: number): void;
  }[];
  readonly peripherals: Record<number, unknown>;
  logger: Record<'debug' | 'info' | 'warn' | 'error', (component: string, message: string) => void>;
  onBreak: (code: number) => void;
  readUint32(address: number): number;
  readUint16(address: number): number;
  readUint8(address: number): number;
  writeUint32(address: number, value: number): void;
  writeUint16(address: number, value: number): void;
  writeUint8(address: number, value: number): void;
  loadBootrom(words: Uint32Array): void;
}

export interface SimulationClock {
  readonly nanos: number;
  readonly nanosToNextAlarm: number;
  tick(nanos: number): void;
}

interface Library {
  readonly Simulator: new () => { readonly rp2040: RP2040; readonly clock: SimulationClock };
}

/**
 * Loads rp2040js.
 *
 * @throws GoodnessError `emulator.missing` if it isn't installed
 */
export async function loadRp2040(): Promise<Library> {
  try {
    const name = 'rp2040js';
    return (await import(name)) as Library;
  } catch (cause) {
    throw new GoodnessError('emulator.missing', 'the emulator of the Pico is not installed', {
      expected: 'the npm package rp2040js, an optional dependency',
      fix: 'Install it: `npm install rp2040js`.',
      cause,
    });
  }
}
