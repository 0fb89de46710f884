import { join, resolve } from 'node:path';
import { defineCommand } from 'citty';
import { GoodnessError } from '../base/errors.js';
import { slice } from '../data/dataset.js';
import { loadData } from '../data/load.js';
import { parseShift } from '../data/shift.js';
import { systemClock } from '../device/clock.js';
import { runLoop } from '../loop/loop.js';
import type { LoopResult } from '../loop/result.js';
import { DEFAULT_SCHEDULE, type Stop } from '../loop/schedule.js';
import { splitForLoop } from '../loop/split.js';
import { renderReport } from '../report/report.js';
import { COMMON, numberOf, PORT } from './arguments.js';
import type { CliContext } from './context.js';
import { withDevice } from './device-session.js';
import { writeWhole } from './files.js';
import { chosenBackend, hiddenOf, TRAINING } from './training.js';

export default defineCommand({
  meta: {
    name: 'demo',
    description:
      'The whole loop: trains on two thirds of the data, quantizes, flashes a device (an emulated one unless a port is named), lets it learn by positive passes from a shifted stream, syncs the negative phase, and reports.',
  },
  args: {
    data: {
      type: 'string',
      alias: 'd',
      default: 'mnist',
      description: 'mnist, a CSV file, or a folder of IDX or CSV files',
    },
    ...TRAINING,
    shift: {
      type: 'string',
      description: 'What happens to the world of the device; rot30 for images, drift50 for other data if left out',
    },
    stops: {
      type: 'string',
      valueHint: '200,1000s,5000s',
      description: 'Samples after which to look, with an s to sync there; fitted to the data if left out',
    },
    'train-samples': { type: 'string', description: 'Train on the first so many samples of the host only' },
    'test-samples': { type: 'string', description: 'Test on the first so many samples only' },
    seed: { type: 'string', default: '1', description: 'Seed of everything' },
    ...PORT,
    port: { ...PORT.port, required: false, default: 'sim' },
    out: {
      type: 'string',
      valueHint: 'folder',
      default: 'goodness-out/demo',
      description: 'Where the report and the models go',
    },
    ...COMMON,
  },
  async run({ args, data: given }) {
    const context = given as CliContext;
    const { output } = context;
    const seed = numberOf('seed', args.seed)!;
    const pool = numberOf('pool', args.pool, { least: 1 })!;
    const epochs = numberOf('epochs', args.epochs, { least: 1 });
    const headroom = numberOf('headroom', args.headroom, { most: 10, fraction: true })!;
    const loaded = await loadData(args.data, { seed, headroom });
    const split = splitForLoop(loaded, seed);
    const data = {
      host: slice(split.host, 0, numberOf('train-samples', args['train-samples'], { least: 1 }) ?? split.host.count),
      stream: split.stream,
      test: slice(split.test, 0, numberOf('test-samples', args['test-samples'], { least: 1 }) ?? split.test.count),
    };
    const shift = args.shift ?? (data.host.geometry === undefined ? 'drift50' : 'rot30');
    parseShift(shift);
    const hidden = hiddenOf(args.layers, data.host.width / pool ** 2, data.host);
    const schedule = stopsOf(args.stops, data.stream.count);
    const backend = await chosenBackend(args);
    await withDevice(args, context, async (session) => {
      const bars = new Bars(context);
      const run = await runLoop({
        data,
        dataset: loaded.train.name,
        hidden,
        pool,
        seed,
        backend,
        shift,
        schedule,
        session,
        clock: systemClock,
        onProgress: (stage, done, detail) => bars.show(stage, done, detail),
        ...(epochs === undefined ? {} : { epochs }),
      });
      const report = resolve(args.out, 'report.html');
      await writeWhole(report, renderReport({ result: run.result, ...run.evidence }));
      await writeWhole(join(args.out, 'checkpoint.safetensors'), run.checkpoint);
      await writeWhole(join(args.out, 'model.ffm'), run.image);
      await writeWhole(join(args.out, 'synced.ffm'), run.finalImage);
      output.note(`report: ${report}`);
      output.result(run.result, `${describe(run.result)}\nreport: ${report}`);
    });
  },
});

/** A bar per piece of work: the same stage comes again and again. */
class Bars {
  private readonly context: CliContext;
  private stage = '';
  private last = 1;
  private bar: (done: number, total: number, remark?: string) => void = () => {};

  constructor(context: CliContext) {
    this.context = context;
  }

  show(stage: string, done: number, detail?: string): void {
    if (stage !== this.stage || done < this.last) this.bar = this.context.output.progress(stage.padEnd(9));
    this.stage = stage;
    this.last = done;
    this.bar(done, 1, detail);
  }
}

const USUAL = DEFAULT_SCHEDULE.map(({ samples, sync }) => `${samples}${sync ? 's' : ''}`).join(',');

/** Stops from text; the usual ones are cut down to a short stream. */
function stopsOf(text: string | undefined, most: number): Stop[] {
  const stops = (text ?? USUAL).split(',').map((part): Stop => {
    const match = /^([1-9]\d*)(s?)$/.exec(part.trim());
    if (match === null) {
      throw new GoodnessError('usage.stops', '--stops takes numbers with commas between, each with an s to sync', {
        expected: USUAL,
        got: JSON.stringify(part),
      });
    }
    return { samples: Number(match[1]), sync: match[2] === 's' };
  });
  const longest = stops.at(-1)!.samples;
  if (text === undefined && longest > most) {
    return stops.map((stop) => ({ ...stop, samples: Math.max(1, Math.floor((stop.samples * most) / longest)) }));
  }
  if (longest > most || stops.some((stop, k) => k > 0 && stop.samples <= stops[k - 1]!.samples)) {
    throw new GoodnessError('usage.stops', 'the stops do not fit the data', {
      expected: `growing numbers up to ${most}`,
      got: text ?? USUAL,
    });
  }
  return stops;
}

function describe(result: LoopResult): string {
  const p = (value: number): string => `${value.toFixed(2)}%`;
  return [
    `${result.layers} on ${result.dataset}: ${p(result.train.testError)} float, ${p(result.quantized.testError)} in int${[...new Set(result.quantized.bits)].join('/')} on ${result.device.target}; ` +
      `${result.parity.mismatches} of ${result.parity.samples} samples differ from the reference`,
    `${result.shift}: frozen ${p(result.frozenError)}`,
    ...result.learn.map((point) => {
      const sync = result.syncs.find((s) => s.atSamples === point.samples);
      const learned = `  ${String(point.samples).padStart(6)} positives: ${p(point.error)}`;
      if (sync === undefined) return learned;
      return `${learned}; after a sync ${p(sync.error)} (control ${p(sync.controlError)}, false accepts ${p(sync.falseAccept)}, clean ${p(sync.cleanError)})`;
    }),
  ].join('\n');
}
