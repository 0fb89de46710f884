import { defineCommand } from 'citty';
import { GoodnessError } from '../base/errors.js';
import { Random } from '../base/random.js';
import { loadData } from '../data/load.js';
import { TELEMETRY, telemetryWithout } from '../device/telemetry.js';
import { encodeClassStatistics } from '../format/class-statistics.js';
import { encodeImage } from '../format/image.js';
import { metaOf } from '../format/meta.js';
import { CREDIBLE } from '../sync/answer.js';
import { type SyncStage, synchronize } from '../sync/synchronize.js';
import { COMMON, numberOf, PORT } from './arguments.js';
import { CLASSES, chooseClasses } from './class-choice.js';
import type { CliContext } from './context.js';
import { knownFeatures, MODEL_FEATURES } from './features.js';
import { writeWhole } from './files.js';
import { scalingOf } from './model-data.js';
import { readModel } from './model-file.js';
import { PIPELINE, withTarget } from './target.js';
import { BACKEND, chosenBackend } from './training.js';

export default defineCommand({
  meta: {
    name: 'sync',
    description:
      'Does the negative phase for a device: pulls what it learned (never a sample), trains both phases on the host, and sends the difference down.',
  },
  args: {
    ...PORT,
    ...PIPELINE,
    data: {
      type: 'string',
      alias: 'd',
      required: true,
      description: 'The data that the model was trained on: mnist, a CSV file, or a folder',
    },
    model: {
      type: 'string',
      valueHint: 'model.ffm',
      description: 'The model as the host gave it last; read from the device if left out',
    },
    without: {
      type: 'string',
      valueHint: TELEMETRY.map((t) => t.item).join(','),
      description: 'What must not leave the device, with commas between',
    },
    covered: {
      type: 'boolean',
      description: 'Images: a part of the view may be covered; look for such a world as well',
    },
    'dry-run': { type: 'boolean', description: 'Only list what would travel up' },
    save: {
      type: 'boolean',
      default: true,
      description: 'Have the device keep the result',
      negativeDescription: 'Leave it in RAM',
    },
    out: { type: 'string', valueHint: 'model.ffm', description: 'Write the model that the device holds then' },
    statistics: {
      type: 'string',
      valueHint: 'file',
      description:
        'Write what the device told about its inputs: `goodness train --negatives proxy` makes a proxy of it',
    },
    ...CLASSES,
    ...MODEL_FEATURES,
    ...BACKEND,
    seed: { type: 'string', default: '1', description: 'Seed of the negative phase and of the split of a CSV' },
    ...COMMON,
  },
  async run({ args, data: given }) {
    const context = given as CliContext;
    const { output } = context;
    const seed = numberOf('seed', args.seed)!;
    const off = args.without === undefined || args.without === '' ? [] : args.without.split(',');
    const items = telemetryWithout(off);
    if (off.length > 0 && args.model === undefined) {
      throw new GoodnessError('usage.model', '--without needs --model', {
        expected: 'the model as the host gave it last: what stays on the device is taken from there',
        fix: 'Name the file that was flashed, or that the last sync wrote with --out.',
      });
    }
    await withTarget(args, context, async (target) => {
      // Without a file only header and meta are read here: what was learned waits until the list has been shown.
      const known = await target.known(args.model === undefined ? undefined : (await readModel(args.model)).model);
      const travels = TELEMETRY.map((t) => ({
        item: t.item,
        what: t.what,
        travels: items.has(t.item),
        bytes: items.has(t.item) ? t.bytes(known) : 0,
      }));
      for (const { what, travels: on, bytes } of travels)
        output.note(`${on ? `up, ${bytes} bytes` : 'stays'}: ${what}`);
      if (args['dry-run']) {
        output.result({ telemetry: travels }, `${travels.reduce((sum, t) => sum + t.bytes, 0)} bytes would travel up`);
        return;
      }
      const meta = metaOf(known);
      const { classes, pool } = meta;
      const { train: sensed } = await loadData(args.data, {
        seed,
        classes,
        ...(meta.others === undefined ? {} : { others: meta.others }),
        ...scalingOf(meta),
      });
      const host = await knownFeatures(chooseClasses(sensed, args.classes), meta, args.features, output);
      const backend = await chosenBackend(args);
      const bars = new Map<SyncStage, (done: number, total: number) => void>();
      const start = context.now();
      const report = await synchronize(target.sync, {
        known,
        host,
        pool: pool ?? 1,
        backend,
        seed,
        hides: args.covered ?? false,
        items,
        allWeights: args.model === undefined,
        random: new Random(Math.floor(1e6 * context.now()) ^ seed),
        save: args.save,
        onProgress: (stage, done) => {
          const bar = bars.get(stage) ?? output.progress(stage.padEnd(8));
          bars.set(stage, bar);
          bar(done, 1);
        },
      });
      const seconds = (context.now() - start) / 1000;
      const { answer, pulled, patchBytes, saved } = report;
      // All that went over the line since it was opened, greetings and questions included.
      const { up: bytesUp, down: bytesDown } = target.sync.traffic;
      if (args.out !== undefined) await writeWhole(args.out, encodeImage(answer.model));
      if (args.statistics !== undefined && pulled.statistics !== undefined) {
        await writeWhole(args.statistics, encodeClassStatistics(pulled.statistics));
      }
      if (pulled.statistics === undefined) {
        output.warn(
          'the device told nothing about its inputs, so its surroundings are unknown: have it keep statistics with `goodness learn --statistics 2`',
        );
      }
      const { plan, proxy, proxyErrorBefore, proxyError, deviceError, doubt } = answer.report;
      if (proxy !== undefined && doubt > CREDIBLE) {
        output.warn(
          `the device errs ${doubt.toFixed(0)} points more on its own samples than on the proxy: its world is not what its statistics say, and this sync may not help yet. ` +
            'Let it learn on and sync again; if a part of its view is covered, say --covered',
        );
      }
      output.result(
        {
          port: target.port,
          samples: pulled.t,
          bytesUp,
          bytesDown,
          patchBytes,
          steps: plan.steps,
          proxy,
          proxyErrorBefore,
          proxyError,
          deviceError,
          doubt,
          baseId: answer.model.state.baseId,
          saved,
          seconds,
          telemetry: travels,
        },
        [
          `${pulled.t} samples learned since the last sync; ${bytesUp} bytes up, ${bytesDown} down, ${plan.steps} steps, ${seconds.toFixed(1)} s`,
          proxy === undefined
            ? 'no proxy: thresholds are those of the host’s own data'
            : `proxy (${proxy.family}): misfit ${proxy.misfitBefore.toFixed(1)} before, ${proxy.misfit.toFixed(1)} after (1 is perfect); ` +
              `error on it ${proxyErrorBefore.toFixed(2)}% before, ${proxyError.toFixed(2)}% after`,
          saved ? 'saved on the device' : 'in RAM of the device: it is lost with its power',
        ].join('\n'),
      );
    });
  },
});
