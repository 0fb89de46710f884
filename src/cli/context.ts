import type { Output } from './output.js';

/** What a command gets beside its arguments: its only ways to the outside. */
export interface CliContext {
  readonly output: Output;
  /** Environment variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** As process.platform. */
  readonly platform: string;
  /** Milliseconds of a clock that doesn't go back. */
  now(): number;
  /** Resolves when the user wants a command that runs on to end (Ctrl-C). Until it is called, that ends the process. */
  interrupted(): Promise<void>;
}
