import type { LoopResult } from '../loop/result.js';
import { axes, escapeText, FRAME, type Frame, scale, short, svg } from './svg.js';

const LEGEND = [
  ['device', 'the device'],
  ['frozen', 'if it had not learned'],
  ['control', 'the same sync for a device that learned nothing'],
  ['clean', 'after the sync, on data without the shift'],
] as const;
const LEGEND_ROW = 18;
const LEGEND_COLUMNS = 2;

/** Room for the legend above the plot: inside the picture, so that it stays with it wherever it is shown. */
const CHART: Frame = {
  ...FRAME,
  height: FRAME.height + (LEGEND.length / LEGEND_COLUMNS) * LEGEND_ROW,
  top: FRAME.top + (LEGEND.length / LEGEND_COLUMNS) * LEGEND_ROW,
};

function legend(): string {
  const column = [CHART.left + 4, CHART.left + 190] as const;
  return LEGEND.map(([kind, text], i) => {
    const x = column[i >> 1]!;
    const y = FRAME.top + (i % LEGEND_COLUMNS) * LEGEND_ROW;
    const mark =
      kind === 'frozen'
        ? `<line class="frozen" x1="${x - 5}" x2="${x + 9}" y1="${y}" y2="${y}"/>`
        : `<circle class="${kind}" cx="${x + 2}" cy="${y}" r="4"/>`;
    return `${mark}<text x="${x + 14}" y="${y + 4}">${escapeText(text)}</text>`;
  }).join('');
}

/** Error on shifted data over the samples that the device has learned; a sync is a step down at its sample. */
export function errorChart(result: LoopResult): string {
  const points: { x: number; y: number }[] = [{ x: 0, y: result.frozenError }];
  const events = [
    ...result.learn.map((p) => ({ at: p.samples, order: 0, values: [p.error] })),
    ...result.syncs.map((s) => ({ at: s.atSamples, order: 1, values: [s.errorBefore, s.error] })),
  ].sort((a, b) => a.at - b.at || a.order - b.order);
  for (const event of events) for (const y of event.values) points.push({ x: event.at, y });
  const highX = Math.max(1, ...points.map((p) => p.x));
  const highY = 1.1 * Math.max(1, result.frozenError, ...points.map((p) => p.y));
  const px = scale(0, highX, CHART.left, CHART.width - CHART.right);
  const py = scale(0, highY, CHART.height - CHART.bottom, CHART.top);
  const dot = (kind: string, x: number, y: number, title: string): string =>
    `<circle class="${kind}" cx="${short(px(x))}" cy="${short(py(y))}" r="4"><title>${title}</title></circle>`;
  const content = [
    axes(
      CHART,
      { high: highX, title: 'samples learned on the device' },
      { high: highY, title: 'error on shifted data, %' },
    ),
    `<line class="frozen" x1="${CHART.left}" x2="${CHART.width - CHART.right}" y1="${short(py(result.frozenError))}" y2="${short(py(result.frozenError))}"/>`,
    ...result.syncs.map(
      (s) =>
        `<line class="sync" x1="${short(px(s.atSamples))}" x2="${short(px(s.atSamples))}" y1="${CHART.top}" y2="${CHART.height - CHART.bottom}"/>`,
    ),
    `<polyline class="device" points="${points.map((p) => `${short(px(p.x))},${short(py(p.y))}`).join(' ')}"/>`,
    ...points.map((p) => dot('device', p.x, p.y, `${p.x} samples: ${short(p.y)} %`)),
    ...result.syncs.map((s) => dot('control', s.atSamples, s.controlError, `control: ${short(s.controlError)} %`)),
    ...result.syncs.map((s) => dot('clean', s.atSamples, s.cleanError, `unshifted data: ${short(s.cleanError)} %`)),
  ].join('');
  return svg(CHART, 'error over samples', legend() + content);
}
