import { GoodnessError } from '../base/errors.js';
import { Random } from '../base/random.js';
import type { Dataset } from './dataset.js';
import { SHIFTS, type ShiftKind } from './shift-kinds.js';

/** One named change of the sensor's world with its numbers, such as rot 30. */
export interface ShiftPart {
  readonly name: string;
  readonly values: readonly number[];
}

/** What happens to each sample, part after part. Empty: nothing. */
export type Shift = readonly ShiftPart[];

/**
 * Reads a shift such as `rot30`, `jitter35`, `translate2,-1` or `rot20+occlude12`: names with numbers, joined by '+' and
 * applied from left to right. `none` and the empty text are no shift.
 * @throws GoodnessError shift.name, shift.value
 */
export function parseShift(text: string): Shift {
  return text
    .split('+')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== 'none')
    .map(parsePart);
}

/** All known shifts with what they do: for help texts. */
export function shiftHelp(): readonly { readonly usage: string; readonly help: string }[] {
  return [
    { usage: 'none', help: 'no shift' },
    ...SHIFTS.map((kind) => ({ usage: kind.name + kind.parameters.map((p) => p.symbol).join(','), help: kind.help })),
  ];
}

/**
 * The samples as a shifted sensor would deliver them. Deterministic: what belongs to the shift (a warp, the gains of a
 * drift) depends on `seed` alone, so that train and test data shift alike; what belongs to a sample (its angle, its noise)
 * depends on `seed` and on the samples before it.
 * @param shift parsed, or as text
 * @throws GoodnessError shift.geometry where an image shift meets vectors, and those of `parseShift`
 */
export function applyShift(data: Dataset, shift: Shift | string, seed: number): Dataset {
  const parts = typeof shift === 'string' ? parseShift(shift) : shift;
  if (parts.length === 0) return data;
  let from = data.inputs;
  parts.forEach((part, index) => {
    const kind = kindOf(part.name);
    if (kind.image && data.geometry === undefined) {
      throw new GoodnessError('shift.geometry', `the shift ${part.name} is for images, and ${data.name} has none`, {
        expected: `one of ${SHIFTS.filter((k) => !k.image)
          .map((k) => k.name)
          .join(', ')}`,
      });
    }
    const shared = new Random(seed + 0x51ed27 * (index + 1));
    const apply = kind.prepare(part.values, data, shared);
    const each = new Random(seed ^ (0x2545f491 * (index + 1)));
    const to = new Uint8Array(from.length);
    for (let i = 0; i < data.count; i++) {
      const [start, end] = [i * data.width, (i + 1) * data.width];
      apply(from.subarray(start, end), to.subarray(start, end), each);
    }
    from = to;
  });
  const label = parts.map((p) => p.name + p.values.join(',')).join('+');
  return { ...data, name: `${data.name} (${label})`, inputs: from };
}

const PART = /^([a-z]+)(.*)$/i;

function parsePart(text: string): ShiftPart {
  const match = PART.exec(text);
  if (match === null) throw unknown(text);
  const kind = kindOf(match[1]!.toLowerCase());
  const given = match[2] === '' ? [] : match[2]!.split(',');
  const usage = kind.name + kind.parameters.map((p) => p.symbol).join(',');
  if (given.length > kind.parameters.length) {
    throw new GoodnessError('shift.value', `the shift ${text} has too many numbers`, { expected: usage, got: text });
  }
  const values = kind.parameters.map((parameter, k) => {
    const value = given[k] === undefined ? (parameter.initial ?? Number.NaN) : number(given[k]!);
    if (value >= parameter.low && value <= parameter.high && (parameter.whole !== true || Number.isInteger(value))) {
      return value;
    }
    throw new GoodnessError('shift.value', `the shift ${text} has no usable ${parameter.symbol}`, {
      expected: `${usage} with ${parameter.whole ? 'a whole number' : 'a number'} from ${parameter.low} to ${parameter.high} (${parameter.unit})`,
      got: given[k] === undefined ? 'nothing' : JSON.stringify(given[k]),
    });
  });
  return { name: kind.name, values };
}

function number(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

function kindOf(name: string): ShiftKind {
  const kind = SHIFTS.find((k) => k.name === name);
  if (kind === undefined) throw unknown(name);
  return kind;
}

function unknown(text: string): GoodnessError {
  return new GoodnessError('shift.name', 'there is no such shift', {
    expected: `one of ${shiftHelp()
      .map((s) => s.usage)
      .join(', ')}, or several joined by +`,
    got: JSON.stringify(text),
  });
}
