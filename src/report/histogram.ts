import type { ScoreSample } from '../loop/evidence.js';
import { axes, FRAME, scale, short, svg } from './svg.js';

const BINS = 60;
const HIGH = 5;

/** Counts per bin over [0, HIGH]; what lies above goes to the last one. */
function bins(values: readonly number[]): number[] {
  const counts = new Array<number>(BINS).fill(0);
  for (const v of values) counts[Math.max(0, Math.min(BINS - 1, Math.floor((v / HIGH) * BINS)))]! += 1;
  return counts;
}

/** Two histograms in one frame with the threshold between them. */
export function histogram({ title, own, rival }: ScoreSample): string {
  const both = [bins(rival), bins(own)];
  const high = Math.max(1, ...both.flat());
  const px = scale(0, HIGH, FRAME.left, FRAME.width - FRAME.right);
  const py = scale(0, high, FRAME.height - FRAME.bottom, FRAME.top);
  const width = (px(HIGH) - px(0)) / BINS;
  const bars = both
    .map((counts, k) =>
      counts
        .map((n, b) => {
          const y = py(n);
          const height = FRAME.height - FRAME.bottom - y;
          return n === 0
            ? ''
            : `<rect class="${k === 0 ? 'rival' : 'own'}" x="${short(px(0) + b * width)}" y="${short(y)}" width="${short(width - 0.5)}" height="${short(height)}"/>`;
        })
        .join(''),
    )
    .join('');
  const line = `<line class="threshold" x1="${short(px(1))}" x2="${short(px(1))}" y1="${FRAME.top}" y2="${FRAME.height - FRAME.bottom}"/>`;
  const content = axes(FRAME, { high: HIGH, title: 'goodness / threshold' }, { high, title: 'samples' }) + bars + line;
  return svg(FRAME, title, content);
}
