import { startLiveServer } from '../report/live-server.js';
import { figure, type PlotSeries, plot } from '../report/plot.js';
import type { Progress } from '../train/progress.js';
import { oneOf } from './arguments.js';
import type { CliContext } from './context.js';
import { duration } from './output.js';

/** Somewhere that a training is looked at. */
export interface Watch {
  /** Whether it stands where a progress bar would. */
  readonly replacesBar: boolean;
  show(progress: Progress): void;
  /** What was shown last stays. May be called again. */
  end(): Promise<void>;
}

/**
 * What `--watch` asks for; undefined without it, and for a terminal that can't be drawn on.
 * @throws GoodnessError `usage.value`, `watch.server`
 */
export async function openWatch(text: string | undefined, context: CliContext): Promise<Watch | undefined> {
  if (text === undefined) return undefined;
  const place = oneOf('watch', text, ['terminal', 'browser']);
  return place === 'browser' ? browser(context) : terminal(context);
}

async function browser({ output }: CliContext): Promise<Watch> {
  const server = await startLiveServer('goodness train');
  output.note(`watch it at ${server.url}`);
  let open = true;
  return {
    replacesBar: false,
    show: (progress) => server.send(progress),
    end: async () => {
      if (open) await server.close();
      open = false;
    },
  };
}

const MOST_COLUMNS = 100;
const LEAST_WIDTH = 10;
/** Columns beside a plot: its scale. */
const MARGIN = 9;
/** Lines of plots that fit most terminals. */
const LINES = 18;
const REDRAW_MS = 100;

function terminal({ output, now }: CliContext): Watch | undefined {
  const canvas = output.canvas();
  if (canvas === undefined) {
    output.note('nothing to draw on: --watch needs a terminal');
    return undefined;
  }
  const past: Progress[] = [];
  const start = now();
  let drawnAt = Number.NEGATIVE_INFINITY;
  const draw = (): void => {
    drawnAt = now();
    canvas.draw(
      picture(
        past,
        Math.max(LEAST_WIDTH, Math.min(MOST_COLUMNS, canvas.columns) - MARGIN),
        now() - start,
        canvas.colors,
      ),
    );
  };
  return {
    replacesBar: true,
    show: (progress) => {
      past.push(progress);
      if (now() - drawnAt >= REDRAW_MS || progress.step === progress.steps) draw();
    },
    end: async () => {
      if (past.length > 0) draw();
      past.length = 0;
    },
  };
}

type Paint = Record<'green' | 'red' | 'dim', (text: string) => string>;

/** The lines of a terminal: a plot per layer, and one of the error on what is held out. */
export function picture(past: readonly Progress[], width: number, milliseconds: number, paint: Paint): string[] {
  const { epoch, epochs, step, steps, layers, samplesPerSecond, heldOut } = past.at(-1)!;
  const plots = layers.length + (heldOut === undefined ? 0 : 1);
  const height = Math.max(2, Math.floor(LINES / plots) - 1);
  const lines = [
    `epoch ${epoch} of ${epochs}, step ${step} of ${steps}, ${duration(milliseconds)}, ${Math.round(samplesPerSecond)}/s`,
  ];
  layers.forEach(({ positive, negative, threshold }, l) => {
    const of = (key: 'positive' | 'negative' | 'threshold'): number[] => past.map((p) => p.layers[l]![key]);
    const series: PlotSeries[] = [
      { values: of('threshold'), paint: paint.dim },
      { values: of('negative'), paint: paint.red },
      { values: of('positive'), paint: paint.green },
    ];
    lines.push(
      `layer ${l + 1}: ${paint.green(`positive ${figure(positive)}`)}, ${paint.red(`negative ${figure(negative)}`)}, threshold ${figure(threshold)}`,
      ...plot(series, width, height),
    );
  });
  if (heldOut !== undefined) {
    const values = past.map((p) => p.heldOut ?? Number.NaN);
    lines.push(
      `error on what is held out: ${heldOut.toFixed(2)}%`,
      ...plot([{ values, paint: (text) => text }], width, height),
    );
  }
  return lines;
}
