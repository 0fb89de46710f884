import type { ArgsDef } from 'citty';
import { GoodnessError } from '../base/errors.js';
import { CLASSES } from './class-choice.js';
import { MODEL_FEATURES } from './features.js';

/** Options of every command. */
export const COMMON = {
  json: { type: 'boolean', description: 'Print the result as one line of JSON' },
  quiet: { type: 'boolean', alias: 'q', description: 'No progress, no remarks' },
} as const satisfies ArgsDef;

/** Options of commands that talk to a device. */
export const PORT = {
  port: {
    type: 'string',
    alias: 'p',
    valueHint: 'port',
    description: 'Serial port, tcp://host:port, sim, or sim:<flash file>; left out or auto: the one board that answers',
  },
  baud: { type: 'string', default: '115200', valueHint: 'bits/s', description: 'Speed of a serial port' },
} as const satisfies ArgsDef;

/** Options of commands that feed data to a device. */
export const DATA = {
  data: {
    type: 'string',
    alias: 'd',
    required: true,
    valueHint: 'data',
    description: 'mnist, a CSV file, or a folder of IDX or CSV files',
  },
  shift: {
    type: 'string',
    default: 'none',
    description: 'What happens to the samples first, such as rot30 or jitter35+noise20',
  },
  seed: { type: 'string', default: '1', description: 'Seed of the shift and of the split of a CSV' },
  ...MODEL_FEATURES,
  ...CLASSES,
} as const satisfies ArgsDef;

export interface NumberRange {
  readonly least?: number;
  readonly most?: number;
  /** Fractions are allowed. */
  readonly fraction?: boolean;
}

/**
 * The number that an option gives, or `undefined` if it is absent.
 * @throws GoodnessError `usage.number`
 */
export function numberOf(name: string, text: string | undefined, range: NumberRange = {}): number | undefined {
  if (text === undefined) return undefined;
  const { least = 0, most = Number.MAX_SAFE_INTEGER, fraction = false } = range;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= least && value <= most && (fraction || Number.isInteger(value))) return value;
  const bound = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `from ${least} to ${most}`;
  throw new GoodnessError('usage.number', `--${name} takes a number`, {
    expected: `${fraction ? 'a number' : 'a whole number'} ${bound}`,
    got: JSON.stringify(text),
  });
}

/** The value of an option that must be one of a few words. */
export function oneOf<const T extends string>(name: string, value: string, words: readonly T[]): T {
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw new GoodnessError('usage.value', `--${name} does not know this value`, {
    expected: words.join(', '),
    got: JSON.stringify(value),
  });
}

/**
 * Numbers of bits: one for all layers, or one per layer with commas between them.
 * @throws GoodnessError `usage.number`
 */
export function bitsOf(name: string, text: string | undefined): number | number[] | undefined {
  const each = text?.split(',').map((part) => numberOf(name, part, { least: 2, most: 8 })!);
  return each?.length === 1 ? each[0]! : each;
}

/** Options that mean something without a value too, and the values that they may have. */
const IMPLIED: Readonly<Record<string, { readonly value: string; readonly words: readonly string[] }>> = {
  '--watch': { value: 'terminal', words: ['terminal', 'browser'] },
};

/** The words of a command line with the values that go without saying. */
export function withImplied(rawArgs: readonly string[]): string[] {
  return rawArgs.map((arg, k) => {
    const implied = Object.hasOwn(IMPLIED, arg) ? IMPLIED[arg]! : undefined;
    return implied === undefined || implied.words.includes(rawArgs[k + 1] ?? '') ? arg : `${arg}=${implied.value}`;
  });
}

/**
 * Refuses options that a command doesn't have, options without their value, and surplus words: a typing error must not run
 * something else than was meant.
 * @throws GoodnessError `usage.option`, `usage.value`, `usage.argument`
 */
export function checkArguments(rawArgs: readonly string[], args: ArgsDef): void {
  const options = new Map<string, { name: string; value: boolean }>();
  let places = 0;
  for (const [name, definition] of Object.entries(args)) {
    if (definition.type === 'positional') places++;
    else {
      const entry = { name, value: definition.type !== 'boolean' };
      options.set(`--${name}`, entry);
      if (!entry.value) options.set(`--no-${name}`, entry);
      for (const alias of 'alias' in definition ? [definition.alias ?? []].flat() : []) options.set(`-${alias}`, entry);
    }
  }
  let words = 0;
  for (let i = 0; i < rawArgs.length; i++) {
    const raw = rawArgs[i]!;
    if (raw === '--') {
      words += rawArgs.length - i - 1;
      break;
    }
    if (!raw.startsWith('-') || raw === '-') {
      words++;
      continue;
    }
    const [flag, inline] = raw.split('=', 2) as [string, string | undefined];
    const option = options.get(flag);
    if (option === undefined) {
      throw new GoodnessError('usage.option', `there is no option ${flag}`, {
        expected: [...options.keys()].filter((key) => key.startsWith('--') && !key.startsWith('--no-')).join(', '),
        fix: 'See --help.',
      });
    }
    if (!option.value || inline !== undefined) continue;
    const next = rawArgs[++i];
    // Negative numbers are values; other words with a dash are the next option.
    if (next === undefined || (next.startsWith('-') && !/^-[\d.]/.test(next) && next !== '-')) {
      throw new GoodnessError('usage.value', `${flag} needs a value`, { fix: 'See --help.' });
    }
  }
  if (words > places) {
    throw new GoodnessError('usage.argument', 'too many words', {
      expected: `${places} beside options`,
      got: `${words}`,
      fix: 'See --help; put names with spaces into quotation marks.',
    });
  }
}
