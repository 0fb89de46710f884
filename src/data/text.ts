import { GoodnessError } from '../base/errors.js';
import { BYTE_SCALING, type Dataset } from './dataset.js';
import type { TrainTest } from './mnist.js';

export interface TextOptions {
  /** What to call the data in reports. */
  readonly name: string;
  /** Characters of a sample (>= 1). */
  readonly window?: number;
  /** Characters that there are, in this order; those of the text where left out. */
  readonly classes?: readonly string[];
}

/** Characters of a sample, as in Hinton 2022. */
export const WINDOW = 10;

/** Part at the end of a text that is for tests. */
const TEST_PART = 0.2;
/** Larger data sets are refused: they live in memory. */
const MAX_BYTES = 1024 ** 3;

/**
 * A text as data: a sample is a window of characters, one of `classes` inputs at 255 for each of them, and its label is the character
 * that comes next. Letters lose their case, and white space of any length is one space. The last fifth of the text is for
 * tests.
 * @throws GoodnessError data.text
 */
export function textData(text: string, { name, window = WINDOW, classes }: TextOptions): TrainTest {
  const characters = [...text.toLowerCase().replace(/\s+/g, ' ').trim()];
  const known = classes ?? [...new Set(characters)].sort();
  const codes = new Map(known.map((character, code) => [character, code]));
  const refuse = (what: string, expected: string, got: string): never => {
    throw new GoodnessError('data.text', what, { expected, got });
  };
  if (known.length > 255) refuse(`${name} has too many different characters`, '255 at most', String(known.length));
  const symbols = Uint8Array.from(characters, (character) => {
    const code = codes.get(character);
    return code ?? refuse(`${name} has a character that the model does not know`, known.join(''), character);
  });
  const end = Math.round(symbols.length * (1 - TEST_PART));
  if (end <= window || symbols.length - end <= window) {
    refuse(`${name} is too short`, `${Math.ceil((window + 1) / TEST_PART)} characters`, String(symbols.length));
  }
  if (symbols.length * window * known.length > MAX_BYTES) {
    refuse(
      `${name} is too long`,
      `${Math.floor(MAX_BYTES / window / known.length)} characters`,
      String(symbols.length),
    );
  }
  const windows = (part: Uint8Array): Dataset => windowsOf(part, window, known, name);
  return { train: windows(symbols.subarray(0, end)), test: windows(symbols.subarray(end)) };
}

function windowsOf(symbols: Uint8Array, window: number, classes: readonly string[], name: string): Dataset {
  const count = symbols.length - window;
  const each = classes.length;
  const inputs = new Uint8Array(count * window * each);
  for (let s = 0; s < count; s++) {
    for (let k = 0; k < window; k++) inputs[(s * window + k) * each + symbols[s + k]!] = 255;
  }
  return { name, inputs, labels: symbols.slice(window), count, width: window * each, classes, scaling: BYTE_SCALING };
}
