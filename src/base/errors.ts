/** What an error tells its reader: what was expected, what came, and what to do next. */
export interface ErrorDetails {
  readonly expected?: string;
  readonly got?: string;
  readonly fix?: string;
  readonly cause?: unknown;
}

/**
 * An error that a user can act on. `code` is stable (`area.reason`, for example `csv.nan`) and is what programs compare;
 * the message is for people and may change.
 */
export class GoodnessError extends Error {
  readonly code: string;
  readonly expected: string | undefined;
  readonly got: string | undefined;
  readonly fix: string | undefined;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    const parts = [message];
    if (details.expected !== undefined) parts.push(`expected ${details.expected}`);
    if (details.got !== undefined) parts.push(`got ${details.got}`);
    const text = parts.join('; ');
    super(details.fix === undefined ? text : `${text}. ${details.fix}`, { cause: details.cause });
    this.name = 'GoodnessError';
    this.code = code;
    this.expected = details.expected;
    this.got = details.got;
    this.fix = details.fix;
  }
}
