import type { ArgsDef } from 'citty';
import { GoodnessError } from '../base/errors.js';
import type { Board } from '../device/boards/board.js';
import type { Plan, Room } from '../device/boards/plan.js';
import { LAYOUTS } from '../format/layout.js';
import type { Colors } from './output.js';
import { table } from './table.js';

/** Which layers are to learn on a board. */
export const LEARN = {
  learn: {
    type: 'string',
    valueHint: 'layers',
    description: 'With --board: layers that learn there, such as 1 or 0,1, or none; left out: as many weights as fit',
  },
} as const satisfies ArgsDef;

/** Where a network is cut for several boards. */
export const CUT = {
  cut: {
    type: 'string',
    valueHint: 'layers',
    description: 'With --pipeline: first layer of each board but the lowest, such as 1; left out: planned',
  },
} as const satisfies ArgsDef;

/**
 * Layers that the option `--learn` names; undefined if it is absent.
 * @throws GoodnessError `usage.value`
 */
export function layersOf(text: string | undefined): { readonly learn?: readonly number[] } {
  if (text === undefined) return {};
  if (text === 'none') return { learn: [] };
  const layers = text.split(',').map((word) => (/^\d+$/.test(word.trim()) ? Number(word) : Number.NaN));
  if (!layers.some(Number.isNaN)) return { learn: [...new Set(layers)].sort((a, b) => a - b) };
  throw new GoodnessError('usage.value', '--learn does not know this value', {
    expected: 'numbers of layers with commas between, from 0 on, or none',
    got: JSON.stringify(text),
  });
}

/** A plan for people: a table of the layers, and each budget with what is taken of it. */
export function planText(planned: Plan, board: Board, c: Colors): string {
  const { layers, ram, beside, image, record, sample } = planned;
  const rows = layers.map(({ layer, inputs, neurons, memory, learns, layout, bytes }) => [
    String(layer),
    String(inputs),
    String(neurons),
    memory === 'ram' ? 'RAM' : 'flash',
    learns ? 'yes' : 'no',
    LAYOUTS.find(({ tag }) => tag === layout)!.name,
    String(bytes),
  ]);
  const columns = [
    { title: 'layer', right: true },
    { title: 'inputs', right: true },
    { title: 'neurons', right: true },
    { title: 'where' },
    { title: 'learns' },
    { title: 'layout' },
    { title: 'bytes', right: true },
  ];
  const around = beside.link + beside.stack + beside.fixed;
  const level = ['no class statistics fit', 'class statistics fit as means', 'class statistics fit'][
    ram.statisticsLevel
  ];
  return [
    `${c.bold(`on ${board.name}`)} (${board.id}): ${planned.fits ? 'fits' : c.red('does not fit')}; ${board.verified}`,
    table(columns, rows, c),
    `arena       ${room(ram, c)}: weights ${ram.weights}, inference ${ram.inference}, learning ${ram.learning}; ${level}`,
    ...(beside.chip === undefined
      ? []
      : [
          `beside it   ${around} bytes: link ${beside.link}, stack ${beside.stack}, the rest ${beside.fixed} at most; the chip has ${beside.chip}`,
        ]),
    `image       ${room(image, c)} of ${board.budget?.store.kind === 'records' ? 'program flash' : 'a slot'}`,
    ...(record === undefined ? [] : [`saved       ${room(record, c)} of a slot of EEPROM`]),
    `sample      ${room(sample, c)} of a frame`,
    ...planned.reasons.map((reason) => `${planned.fits ? 'because' : c.red('because')}     ${reason}`),
    ...planned.nearest.map((text) => `would fit   ${text}`),
  ].join('\n');
}

function room({ need, have }: Room, c: Colors): string {
  const text = `${need} of ${have} bytes`;
  return need > have ? c.red(text) : text;
}
