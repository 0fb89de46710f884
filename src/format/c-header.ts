import { GoodnessError } from '../base/errors.js';
import { OBJECT_KIND } from './message.js';
import { metaOf } from './meta.js';
import type { Model } from './model.js';
import { decodeSlotHeader, SLOT_HEADER } from './slot.js';

export interface HeaderOptions {
  /** Bytes of RAM that the model takes on the device: becomes MODEL_ARENA, rounded up to a multiple of 4. */
  readonly arenaBytes: number;
  /** Where the model comes from and what it is placed for: stands in the first comment. */
  readonly about?: string;
}

/** Bytes in a line of the array. */
const PER_LINE = 16;
/** Numbers in a line of the scaling. */
const NUMBERS_PER_LINE = 6;
/** AVR compilers hold no larger objects, and the firmware there counts with 16 bits. */
const AVR_MOST = 32767;

/**
 * A model as a header for C99 and C++: the slot as an array, in program memory on AVR, and what a sketch needs to know of it.
 * `modelByte(i, value)` turns what a sensor says into the byte that the model wants, by the meta's scaling (SPEC.md 2.3) in float arithmetic.
 *
 * @param model what the slot holds
 * @param slot the committed slot, as `encodeSlot` makes it
 * @throws GoodnessError `slot.empty` if it is none with an image, `export.scaling` for a scaling that no float holds
 */
export function formatHeader(model: Model, slot: Uint8Array, options: HeaderOptions): string {
  const found = decodeSlotHeader(slot);
  if (found === undefined || found.kind !== OBJECT_KIND.image || found.objectLength !== slot.length - SLOT_HEADER) {
    throw new GoodnessError('slot.empty', 'the slot holds no committed image', { expected: 'a slot with its mark' });
  }
  const meta = metaOf(model);
  const arena = options.arenaBytes + (-options.arenaBytes & 3);
  return `${[
    `/* ${comment(options.about ?? 'A goodness model')}. Made by \`goodness export\`: make it again rather than change it. */`,
    '#ifndef GOODNESS_MODEL_H',
    '#define GOODNESS_MODEL_H',
    '',
    '#include <stdint.h>',
    '',
    '#ifdef __AVR__',
    '#include <avr/pgmspace.h>',
    '#define MODEL_PLACE PROGMEM',
    '#else',
    '#define MODEL_PLACE',
    '#endif',
    // The core reads words where they lie.
    '#if defined(__GNUC__)',
    '#define MODEL_ALIGNED __attribute__((aligned(4)))',
    '#elif defined(__cplusplus)',
    '#define MODEL_ALIGNED alignas(4)',
    '#else',
    '#define MODEL_ALIGNED _Alignas(4)',
    '#endif',
    ...(slot.length > AVR_MOST
      ? ['#ifdef __AVR__', `#error "this model takes ${slot.length} bytes: AVR holds ${AVR_MOST} at most"`, '#endif']
      : []),
    '',
    '/* Bytes per sample, classes, and bytes of RAM that the model takes. */',
    `#define MODEL_INPUTS ${model.rawInputs}`,
    `#define MODEL_CLASSES ${model.classes}`,
    `#define MODEL_ARENA ${arena}`,
    '',
    '/* Classes:',
    ...meta.classes.map((name, c) => ` *  ${c}  ${comment(name)}`),
    ' */',
    '',
    ...scalingLines(meta.scaling),
    '',
    `/* The slot (SPEC.md 8): a header of ${SLOT_HEADER} bytes and the image. */`,
    `MODEL_ALIGNED static const uint8_t MODEL[${slot.length}] MODEL_PLACE = {`,
    ...rows([...slot].map(String), PER_LINE),
    '};',
    '',
    '#endif',
  ].join('\n')}\n`;
}

/** modelByte(): value = offset + step * byte, the other way round. */
function scalingLines(scaling: { readonly offset: readonly number[]; readonly step: readonly number[] } | undefined) {
  const { offset, step } = scaling ?? { offset: [0], step: [1] };
  const what =
    scaling === undefined
      ? 'The model says nothing of a scaling: values are bytes already.'
      : 'By the scaling that the model was trained with: value = offset + step * byte.';
  const single = offset.length === 1;
  const of = (name: string, [only]: readonly number[]): string =>
    single ? literal(only!) : `MODEL_FLOAT(&MODEL_${name}[i])`;
  return [
    ...(single
      ? []
      : [
          '#ifdef __AVR__',
          '#define MODEL_FLOAT(p) pgm_read_float(p)',
          '#else',
          '#define MODEL_FLOAT(p) (*(p))',
          '#endif',
          ...floats('MODEL_OFFSET', offset),
          ...floats('MODEL_STEP', step),
          '',
        ]),
    `/* The byte that stands for a value of input i, 0 to MODEL_INPUTS - 1. ${what} */`,
    'static inline uint8_t modelByte(uint16_t i, float value) {',
    ...(single ? ['    (void)i;'] : []),
    `    const float b = (value - ${of('OFFSET', offset)}) / ${of('STEP', step)};`,
    '    if (!(b > 0.0f)) return 0; /* also where the sensor says that it is no number */',
    '    if (b >= 255.0f) return 255;',
    '    const uint8_t whole = (uint8_t)b;',
    '    return (uint8_t)(b - (float)whole < 0.5f ? whole : whole + 1);',
    '}',
  ];
}

function floats(name: string, values: readonly number[]): string[] {
  return [
    `static const float ${name}[${values.length}] MODEL_PLACE = {`,
    ...rows(values.map(literal), NUMBERS_PER_LINE),
    '};',
  ];
}

/** A number as a literal of the float that is nearest to it. */
function literal(value: number): string {
  const near = Math.fround(value);
  if (!Number.isFinite(near) || (near === 0 && value !== 0)) {
    throw new GoodnessError('export.scaling', 'a number of the scaling is too large or too small for a float', {
      expected: 'numbers within 1.4e-45 to 3.4e38',
      got: String(value),
      fix: 'Scale the data before training, or take raw bytes as samples.',
    });
  }
  // Nine digits name each float; most need fewer.
  let text = '';
  for (let digits = 1; digits <= 9; digits++) {
    text = near.toPrecision(digits);
    if (Math.fround(Number(text)) === near) break;
  }
  return `${/[.e]/.test(text) ? text : `${text}.0`}f`;
}

function rows(cells: readonly string[], perLine: number): string[] {
  const lines: string[] = [];
  for (let i = 0; i < cells.length; i += perLine) lines.push(`    ${cells.slice(i, i + perLine).join(', ')},`);
  return lines;
}

/** Text that can stand in a comment, on one line. */
function comment(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not stand there
      .replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ')
      .replaceAll('*/', '* /')
      .replaceAll('/*', '/ *')
      .replaceAll('??/', '?/')
      .trim()
  );
}
