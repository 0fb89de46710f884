import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import { GoodnessError } from '../base/errors.js';

/** Where text goes: a stream of the process, or a test's own. */
export interface Sink {
  write(text: string): unknown;
  /** Whether a person looks at it as it is written. */
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface OutputOptions {
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Results as one line of JSON each. */
  readonly json: boolean;
  /** No progress and no remarks. */
  readonly quiet: boolean;
  /** The environment variables NO_COLOR, FORCE_COLOR and TERM decide together with the terminal. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds, for the pace of progress bars. */
  now(): number;
}

/** Colours for one stream: the identity where it shows none. */
export type Colors = ReturnType<typeof pc.createColors>;

/** A part of a terminal that is drawn again and again. */
export interface Canvas {
  readonly columns: number;
  readonly colors: Colors;
  /** Draws lines in the place of those drawn last. */
  draw(lines: readonly string[]): void;
}

const REDRAW_MS = 100;
const BAR = 24;
const USUAL_COLUMNS = 80;

/**
 * What a command says: results on stdout, everything else on stderr, so that results can be piped. With `json` each result
 * is one line of JSON.
 */
export class Output {
  readonly json: boolean;
  /** For text on stdout. */
  readonly colors: Colors;
  private readonly options: OutputOptions;
  private readonly notes: Colors;
  /** Whether a progress bar stands on the last line of the terminal. */
  private drawn = false;
  /** Lines of a canvas that stand at the end of the terminal. */
  private canvasLines = 0;

  constructor(options: OutputOptions) {
    this.options = options;
    this.json = options.json;
    this.colors = pc.createColors(hasColors(options.stdout, options.environment));
    this.notes = pc.createColors(hasColors(options.stderr, options.environment));
  }

  /** The outcome: `value` with --json, else `text`. */
  result(value: object, text: string): void {
    this.clear();
    this.options.stdout.write(`${this.json ? JSON.stringify(value) : text}\n`);
  }

  /** Text on stdout whatever the mode: help and version. */
  print(text: string): void {
    const shown = this.colors.isColorSupported ? text : stripVTControlCharacters(text);
    this.options.stdout.write(`${shown}\n`);
  }

  /** A remark for a person who looks on. */
  note(text: string): void {
    if (this.options.quiet) return;
    this.clear();
    this.options.stderr.write(`${this.notes.dim(text)}\n`);
  }

  /** Something that the user should know although the command goes on. */
  warn(text: string): void {
    this.clear();
    this.options.stderr.write(`${this.notes.yellow('warning')}: ${text}\n`);
  }

  /** The error that ended the command. */
  error(error: unknown): void {
    this.clear();
    const { code, message, fix, expected, got } = describe(error);
    this.options.stderr.write(`${this.notes.red(`error[${code}]`)}: ${message}\n`);
    if (error instanceof Error && code === 'internal') this.options.stderr.write(`${error.stack ?? ''}\n`);
    if (!this.json) return;
    this.options.stdout.write(`${JSON.stringify({ error: { code, message, expected, got, fix } })}\n`);
  }

  /**
   * Shows how far a piece of work has come: a bar on a terminal, a line per quarter elsewhere.
   *
   * @returns call it with what is done; `remark` stands behind the bar
   */
  progress(label: string): (done: number, total: number, remark?: string) => void {
    const { stderr, quiet, now } = this.options;
    if (quiet) return () => {};
    const start = now();
    let drawnAt = Number.NEGATIVE_INFINITY;
    let quarter = 0;
    return (done, total, remark = '') => {
      const part = total === 0 ? 1 : Math.min(1, done / total);
      const time = now();
      if (stderr.isTTY) {
        if (part < 1 && time - drawnAt < REDRAW_MS) return;
        drawnAt = time;
        const filled = Math.round(part * BAR);
        const bar = this.notes.green('█'.repeat(filled)) + this.notes.dim('░'.repeat(BAR - filled));
        const left = part > 0.02 && part < 1 ? ` ${duration(((time - start) * (1 - part)) / part)} left` : '';
        stderr.write(
          `\r\u001b[2K${label} ${bar} ${percent(part)}${left}${remark === '' ? '' : ` ${this.notes.dim(remark)}`}`,
        );
        this.drawn = true;
        if (part === 1) this.finish();
        return;
      }
      const reached = Math.floor(part * 4);
      if (reached <= quarter) return;
      quarter = reached;
      stderr.write(`${label} ${percent(part)}${remark === '' ? '' : ` ${remark}`}\n`);
    };
  }

  /** The end of the terminal, to draw on; undefined where there is none, or nothing is to be shown. */
  canvas(): Canvas | undefined {
    const { stderr, quiet } = this.options;
    if (quiet || stderr.isTTY !== true) return undefined;
    const { notes: colors } = this;
    return {
      // Some terminals say that they have none.
      columns: stderr.columns || USUAL_COLUMNS,
      colors,
      draw: (lines) => {
        const back = this.canvasLines > 0 ? `\u001b[${this.canvasLines}A` : '';
        stderr.write(`${back}${lines.map((line) => `\r\u001b[2K${line}\n`).join('')}\u001b[J`);
        this.canvasLines = lines.length;
      },
    };
  }

  /** Ends a bar, which stays on the screen. */
  private finish(): void {
    if (!this.drawn) return;
    this.drawn = false;
    this.options.stderr.write('\n');
  }

  /** Takes an unfinished bar off the line that something else is to stand on. */
  private clear(): void {
    // What was drawn stays; the next picture comes below what is said now.
    this.canvasLines = 0;
    if (!this.drawn) return;
    this.drawn = false;
    this.options.stderr.write('\r\u001b[2K');
  }
}

/** The parts of an error that are told to users and programs. */
function describe(error: unknown): { code: string; message: string; expected?: string; got?: string; fix?: string } {
  if (error instanceof GoodnessError) {
    const { code, message, expected, got, fix } = error;
    return {
      code,
      message,
      ...(expected === undefined ? {} : { expected }),
      ...(got === undefined ? {} : { got }),
      ...(fix === undefined ? {} : { fix }),
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'internal', message: `${message} (this is a fault of goodness itself: please report it)` };
}

/** NO_COLOR (any value but the empty one) wins, then FORCE_COLOR, then whether it is a terminal that knows colours. */
function hasColors(sink: Sink, environment: Readonly<Record<string, string | undefined>>): boolean {
  if (environment.NO_COLOR) return false;
  if (environment.FORCE_COLOR) return environment.FORCE_COLOR !== '0';
  return sink.isTTY === true && environment.TERM !== 'dumb';
}

function percent(part: number): string {
  return `${Math.floor(part * 100)}%`.padStart(4);
}

/** A time for people: 4 s, 2 min 5 s. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
