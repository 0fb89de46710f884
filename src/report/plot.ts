/** One line of a plot, from left to right; NaN where it has a gap. */
export interface PlotSeries {
  readonly values: readonly number[];
  /** How its dots look. */
  readonly paint: (text: string) => string;
}

/** Dots of a Braille cell, by column and row: bits of the code point above U+2800. */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;
const COLUMNS = 2;
const ROWS = 4;

/**
 * Lines drawn with Braille dots, all on one scale that fits them.
 * @param width characters in a line of text, scale not counted
 * @param height lines of text
 * @returns the lines of text, the top one with the largest value and the bottom one with the smallest beside them
 */
export function plot(series: readonly PlotSeries[], width: number, height: number): string[] {
  const all = series.flatMap(({ values }) => values.filter(Number.isFinite));
  const [low, high] = all.length === 0 ? [0, 1] : [Math.min(...all), Math.max(...all)];
  const range = high > low ? high - low : 1;
  const cells = new Uint8Array(width * height);
  const owner = new Int16Array(width * height).fill(-1);
  const [dotsAcross, dotsDown] = [width * COLUMNS, height * ROWS];
  series.forEach(({ values }, index) => {
    let before: number | undefined;
    for (let x = 0; x < dotsAcross; x++) {
      const value = at(values, x, dotsAcross);
      if (value === undefined) {
        before = undefined;
        continue;
      }
      const y = Math.round((1 - (value - low) / range) * (dotsDown - 1));
      // A steep line has no holes.
      const from = before === undefined ? y : before < y ? before + 1 : before > y ? before - 1 : y;
      for (let k = Math.min(from, y); k <= Math.max(from, y); k++) {
        const cell = Math.floor(k / ROWS) * width + Math.floor(x / COLUMNS);
        cells[cell] = cells[cell]! | DOTS[x % COLUMNS]![k % ROWS]!;
        owner[cell] = index;
      }
      before = y;
    }
  });
  const labels = [high, low].map(figure);
  const margin = Math.max(...labels.map((label) => label.length));
  return Array.from({ length: height }, (_, row) => {
    const label = row === 0 ? labels[0]! : row === height - 1 ? labels[1]! : '';
    let text = '';
    for (let column = 0; column < width; column++) {
      const cell = row * width + column;
      const dots = String.fromCharCode(0x2800 + cells[cell]!);
      text += owner[cell]! < 0 ? ' ' : series[owner[cell]!]!.paint(dots);
    }
    return `${label.padStart(margin)} ${text}`;
  });
}

/** The mean of the values that fall on a dot, or the nearest one before it. */
function at(values: readonly number[], x: number, dots: number): number | undefined {
  const from = Math.floor((x * values.length) / dots);
  const to = Math.max(from + 1, Math.floor(((x + 1) * values.length) / dots));
  const here = values.slice(from, to).filter(Number.isFinite);
  return here.length === 0 ? undefined : here.reduce((a, b) => a + b, 0) / here.length;
}

/** A number in few characters. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return '-';
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}
