import type { LoopResult } from '../loop/result.js';
import { axes, FRAME, scale, short, svg } from './svg.js';

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
  const px = scale(0, highX, FRAME.left, FRAME.width - FRAME.right);
  const py = scale(0, highY, FRAME.height - FRAME.bottom, FRAME.top);
  const dot = (kind: string, x: number, y: number, title: string): string =>
    `<circle class="${kind}" cx="${short(px(x))}" cy="${short(py(y))}" r="4"><title>${title}</title></circle>`;
  const content = [
    axes(
      FRAME,
      { high: highX, title: 'samples learned on the device' },
      { high: highY, title: 'error on shifted data, %' },
    ),
    `<line class="frozen" x1="${FRAME.left}" x2="${FRAME.width - FRAME.right}" y1="${short(py(result.frozenError))}" y2="${short(py(result.frozenError))}"/>`,
    ...result.syncs.map(
      (s) =>
        `<line class="sync" x1="${short(px(s.atSamples))}" x2="${short(px(s.atSamples))}" y1="${FRAME.top}" y2="${FRAME.height - FRAME.bottom}"/>`,
    ),
    `<polyline class="device" points="${points.map((p) => `${short(px(p.x))},${short(py(p.y))}`).join(' ')}"/>`,
    ...points.map((p) => dot('device', p.x, p.y, `${p.x} samples: ${short(p.y)} %`)),
    ...result.syncs.map((s) => dot('control', s.atSamples, s.controlError, `control: ${short(s.controlError)} %`)),
    ...result.syncs.map((s) => dot('clean', s.atSamples, s.cleanError, `unshifted data: ${short(s.cleanError)} %`)),
  ].join('');
  const legend = [
    ['device', 'the device'],
    ['frozen', 'if it had not learned'],
    ['control', 'the same sync for a device that learned nothing'],
    ['clean', 'after the sync, on data without the shift'],
  ]
    .map(([kind, text]) => `<span class="key ${kind}">${text}</span>`)
    .join('');
  return `${svg(FRAME, 'error over samples', content)}<p class="legend">${legend}</p>`;
}
