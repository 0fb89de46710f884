import * as v from 'valibot';
import { GoodnessError } from './errors.js';

type Issue = v.BaseIssue<unknown>;

/**
 * Checks a value from outside against a schema.
 * @param what the value, for messages: `recipe.json`
 * @returns the value as the schema types it
 * @throws GoodnessError with this code, naming the first field that is wrong, what it may be, and what came
 */
export function checked<T>(schema: v.GenericSchema<unknown, T>, value: unknown, code: string, what: string): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new GoodnessError(code, `${what} is no object`, { expected: 'an object with fields', got: shown(value) });
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const { issue, path } = deepest(result.issues[0], []);
  const field = path.join('.');
  const unknown = issue.type === 'strict_object' && issue.expected === 'never';
  throw new GoodnessError(code, unknown ? `${what} has no field ${field}` : `invalid ${field} in ${what}`, {
    expected: unknown ? 'a field that docs/training.md lists' : expectation(issue),
    got: issue.received === 'undefined' ? 'nothing' : shown(issue.input),
  });
}

/** Of a value that may be one of several things, what was wrong with the one that it comes closest to. */
function deepest(issue: Issue, above: readonly string[]): { readonly issue: Issue; readonly path: readonly string[] } {
  const path = [...above, ...(issue.path ?? []).map((item) => String(item.key))];
  const inside = issue.issues?.find((inner) => inner.path !== undefined);
  return inside === undefined ? { issue, path } : deepest(inside, path);
}

/** What a schema says in words (a message that is no sentence), where it does; valibot's own expectation otherwise. */
function expectation(issue: Issue): string {
  return issue.message.startsWith('Invalid ') ? (issue.expected ?? issue.message) : issue.message;
}

function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
