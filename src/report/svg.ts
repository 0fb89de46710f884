/** Text made safe inside HTML and attribute values. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** A number with at most `digits` decimals, without trailing zeros. */
export function short(value: number, digits = 2): string {
  return String(Number(value.toFixed(digits)));
}

/** Area inside the axes of a chart. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export const FRAME: Frame = { width: 640, height: 300, left: 54, top: 16, right: 16, bottom: 44 };

/** Maps values in [low, high] to pixels in [from, to]. */
export function scale(low: number, high: number, from: number, to: number): (value: number) => number {
  const span = high - low || 1;
  return (value) => from + ((value - low) / span) * (to - from);
}

/** Round values that divide [0, high] in about `count` parts: 1, 2 or 5 times a power of ten apart. */
export function ticks(high: number, count = 5): number[] {
  const rough = high / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) ?? rough;
  const values: number[] = [];
  for (let v = 0; v <= high + step * 1e-9; v += step) values.push(v);
  return values;
}

/** Both axes with labelled ticks from 0 on. */
export function axes(frame: Frame, x: { high: number; title: string }, y: { high: number; title: string }): string {
  const px = scale(0, x.high, frame.left, frame.width - frame.right);
  const py = scale(0, y.high, frame.height - frame.bottom, frame.top);
  const base = frame.height - frame.bottom;
  const vertical = ticks(y.high).map(
    (v) =>
      `<line class="grid" x1="${frame.left}" x2="${frame.width - frame.right}" y1="${short(py(v))}" y2="${short(py(v))}"/>` +
      `<text x="${frame.left - 6}" y="${short(py(v) + 4)}" text-anchor="end">${short(v, 4)}</text>`,
  );
  const horizontal = ticks(x.high).map(
    (v) => `<text x="${short(px(v))}" y="${base + 16}" text-anchor="middle">${short(v, 4)}</text>`,
  );
  return [
    ...vertical,
    ...horizontal,
    `<line class="axis" x1="${frame.left}" x2="${frame.width - frame.right}" y1="${base}" y2="${base}"/>`,
    `<text x="${(frame.left + frame.width - frame.right) / 2}" y="${frame.height - 8}" text-anchor="middle">${escapeText(x.title)}</text>`,
    `<text transform="translate(14 ${(frame.top + base) / 2}) rotate(-90)" text-anchor="middle">${escapeText(y.title)}</text>`,
  ].join('');
}

/** An SVG element of a frame's size that scales with the page. */
export function svg(frame: Frame, label: string, content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${frame.width} ${frame.height}" role="img" aria-label="${escapeText(label)}">${content}</svg>`;
}
