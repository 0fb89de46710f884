import { GoodnessError } from '../base/errors.js';

type Show = 'none' | 'number' | 'bytes' | 'hex' | 'offset';

/** One status that a device may answer with (SPEC.md, "Codes"). */
export interface Status {
  readonly code: number;
  readonly name: StatusName;
  readonly meaning: string;
  /** What a user can do about it. */
  readonly advice: string;
  /** How to show the two numbers that come with the code. */
  readonly expected: Show;
  readonly got: Show;
}

/** Rows stand at their code. */
const ROWS = [
  ['OK', 'done', '', 'none', 'none'],
  ['TRUNCATED', 'fewer bytes than the header says', 'Send the whole file again.', 'bytes', 'bytes'],
  [
    'MAGIC',
    'not an object of this kind',
    'Give a model image (.ffm) made by `goodness train` or `goodness quantize`.',
    'none',
    'none',
  ],
  [
    'VERSION',
    'unknown format or protocol version',
    'Use the same version of goodness on the host and in the firmware.',
    'number',
    'number',
  ],
  ['CRC', 'the checksum does not fit', 'The bytes were damaged: send or make the file again.', 'hex', 'hex'],
  [
    'FIELD',
    'a field is out of its range',
    'The file is damaged or was made by an incompatible program: make it again.',
    'offset',
    'number',
  ],
  [
    'LIMIT',
    'more layers than this firmware holds',
    'Train fewer layers, or build the firmware with a larger FF_MAX_LAYERS.',
    'number',
    'number',
  ],
  [
    'ARENA',
    'the model does not fit the RAM of the device',
    'Train a smaller network, or take a board with more RAM.',
    'bytes',
    'bytes',
  ],
  [
    'SLOT',
    'the model does not fit a flash slot of the device',
    'Train a smaller network, or give the store more flash.',
    'bytes',
    'bytes',
  ],
  [
    'FLASH',
    'the flash refused an erase or a write',
    'Check the supply voltage; a worn or locked flash refuses too.',
    'none',
    'offset',
  ],
  ['NO_MODEL', 'no model is loaded', 'Send one with `goodness flash`.', 'none', 'none'],
  ['LENGTH', 'a request of a wrong length', 'The samples must have as many inputs as the model.', 'bytes', 'bytes'],
  ['LABEL', 'the label is out of range', 'Labels count from 0 to the number of classes less 1.', 'number', 'number'],
  ['RANGE', 'an offset, region or layer is out of range', 'Ask for what the loaded model has.', 'number', 'number'],
  [
    'BASE',
    'the patch was made for another base',
    'Pull from this device again, and make the patch from that.',
    'hex',
    'hex',
  ],
  [
    'TICKET',
    'the device no longer remembers the pull that this patch answers',
    'It restarted or was served by another host: sync again.',
    'hex',
    'hex',
  ],
  [
    'NO_TRANSFER',
    'no transfer has begun, or it is not complete',
    'Send the object again from the start.',
    'bytes',
    'bytes',
  ],
  [
    'NO_LEARN',
    'this model or firmware does not learn',
    'Use a class-partitioned model with layers that learn, and firmware built with learning.',
    'none',
    'none',
  ],
  ['COMMAND', 'unknown request', 'Use the same version of goodness on the host and in the firmware.', 'none', 'hex'],
  ['ARGUMENT', 'argument not allowed', '', 'none', 'number'],
  [
    'LAYOUT',
    'this firmware can not work on weights or inputs of this kind',
    'Let `goodness flash --board` lay the model out for the board, or quantize with --bits 8 where the firmware was built for 8 bits only.',
    'offset',
    'hex',
  ],
] as const satisfies readonly (readonly [string, string, string, Show, Show])[];

/** `OK`, `TRUNCATED`, ... */
export type StatusName = (typeof ROWS)[number][0];

/** All codes, each at its own index. */
export const STATUSES: readonly Status[] = ROWS.map(([name, meaning, advice, expected, got], code) => ({
  code,
  name,
  meaning,
  advice,
  expected,
  got,
}));

/** Code by name. */
export const STATUS = Object.fromEntries(STATUSES.map((s) => [s.name, s.code])) as Readonly<Record<StatusName, number>>;

function show(value: number, how: Show): string | undefined {
  switch (how) {
    case 'none':
      return undefined;
    case 'number':
      return String(value);
    case 'bytes':
      return `${value} bytes`;
    case 'hex':
      return `0x${value.toString(16).padStart(8, '0')}`;
    case 'offset':
      return `offset ${value}`;
  }
}

/**
 * The error that a status stands for; its code is `device.<name in lower case>`.
 * @param code not 0
 * @param expected the number of that name in the response, u32
 */
export function statusError(code: number, expected: number, got: number): GoodnessError {
  const status = STATUSES[code];
  if (status === undefined) {
    return new GoodnessError('device.status', `the device answered with the unknown status ${code}`, {
      fix: 'Use the same version of goodness on the host and in the firmware.',
    });
  }
  // FIELD names the place of the field, not a value to be had instead.
  const place = status.expected === 'offset' ? ` (${show(expected, 'offset')})` : '';
  const wanted = place === '' ? show(expected, status.expected) : undefined;
  const came = show(got, status.got);
  return new GoodnessError(`device.${status.name.toLowerCase()}`, status.meaning + place, {
    ...(wanted === undefined ? {} : { expected: wanted }),
    ...(came === undefined ? {} : { got: came }),
    ...(status.advice === '' ? {} : { fix: status.advice }),
  });
}
