/** A board that runs in an emulator of this machine: the same firmware image as on a real one. */
export interface EmulatedBoard {
  /** What to give as `--port`: a pseudo terminal, or a TCP address. */
  readonly address: string;
  /** Resolves when the emulator has ended, by whatever cause, with what it said last. */
  readonly ended: Promise<string>;
  /** Presses the reset button: RAM contents are void, flash and EEPROM stay. */
  reset(): Promise<void>;
  /** Ends the emulator and resolves when it is gone. */
  close(): Promise<void>;
}
