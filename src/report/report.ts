import type { Evidence } from '../loop/evidence.js';
import type { LoopResult, SyncPoint } from '../loop/result.js';
import { confusionTable } from './confusion.js';
import { errorChart } from './error-chart.js';
import { histogram } from './histogram.js';
import { memoryTable } from './memory.js';
import { STYLE } from './style.js';
import { escapeText, short } from './svg.js';

/** Everything that the report shows. */
export interface ReportData extends Evidence {
  readonly result: LoopResult;
}

const percent = (value: number): string => `${short(value)} %`;
const bytes = (value: number): string => value.toLocaleString('en');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]): string =>
    row.map((c) => `<${tag}>${escapeText(c)}</${tag}>`).join('');
  return `<table><tr>${cells('th', head)}</tr>${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('')}</table>`;
}

function syncRow(s: SyncPoint): string[] {
  return [
    bytes(s.atSamples),
    percent(s.errorBefore),
    percent(s.error),
    percent(s.controlError),
    percent(s.falseAccept),
    percent(s.cleanError),
    String(s.steps),
    bytes(s.bytesUp),
    bytes(s.bytesDown),
  ];
}

const SYNC_HEAD = [
  'after samples',
  'error before',
  'error after',
  'control',
  'false accepts',
  'clean error',
  'steps',
  'bytes up',
  'bytes down',
];

/** One HTML page with everything in it: no script, no request to anywhere. */
export function renderReport(data: ReportData): string {
  const { result } = data;
  const section = (title: string, ...content: string[]): string =>
    `<section><h2>${escapeText(title)}</h2>${content.join('')}</section>`;
  const facts = table(
    ['what', 'value'],
    [
      ['data', `${result.dataset}, shift ${result.shift}`],
      ['layers', result.layers],
      ['float error', percent(result.train.testError)],
      [
        `int${result.quantized.bits} error on the device`,
        `${percent(result.quantized.testError)} (false rejects ${percent(result.quantized.falseReject)}, false accepts ${percent(result.quantized.falseAccept)})`,
      ],
      ['model image', `${bytes(result.quantized.imageBytes)} bytes`],
      ['training', `${result.train.epochs} epochs, ${short(result.train.seconds, 1)} s on ${result.train.backend}`],
      ['device', result.device.target],
      [
        'parity with the reference',
        `${bytes(result.parity.mismatches)} of ${bytes(result.parity.samples)} samples differ`,
      ],
    ],
  );
  const body = [
    `<h1>Goodness: ${escapeText(result.dataset)}, ${escapeText(result.shift)}</h1>`,
    section('What happened', facts),
    section(
      'Error over samples, before and after each sync',
      errorChart(result),
      result.learn.length === 0
        ? ''
        : table(
            ['samples learned', 'error', 'false accepts'],
            result.learn.map((p) => [bytes(p.samples), percent(p.error), percent(p.falseAccept)]),
          ),
    ),
    section(
      'Syncs',
      table(SYNC_HEAD, result.syncs.map(syncRow)),
      '<p>The control is what the same sync gives a device that learned nothing and only told its statistics. Where the statistics describe the shift well, it does as well as the device that learned.</p>',
      table(
        ['what travelled up', 'bytes'],
        data.telemetry.map((t) => [t.what, bytes(t.bytes)]),
      ),
      '<p>Samples never travel: the protocol has no request for them.</p>',
    ),
    section(
      'Goodness and threshold',
      ...data.scores.map((s) => `<figure><figcaption>${escapeText(s.title)}</figcaption>${histogram(s)}</figure>`),
      '<p class="legend"><span class="key own">own class</span><span class="key rival">best other class</span><span class="key threshold">threshold</span></p>',
    ),
    section(
      'Confusion',
      ...data.confusions.map(
        (c) =>
          `<figure><figcaption>${escapeText(c.title)}</figcaption>${confusionTable(c.confusion, data.classes)}</figure>`,
      ),
    ),
    section('Memory of the device', memoryTable(result.device.ram)),
  ];
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Goodness report</title><style>${STYLE}</style></head><body>${body.join('')}</body></html>\n`;
}
