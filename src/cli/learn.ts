import { defineCommand } from 'citty';
import { slice } from '../data/dataset.js';
import { keepStatistics } from '../device/statistics.js';
import { MESSAGES } from '../format/message.js';
import { COMMON, DATA, numberOf, oneOf, PORT } from './arguments.js';
import type { CliContext } from './context.js';
import { checkNotEmpty, dataForModel, metaOnDevice } from './model-data.js';
import { flashFirst, readModel } from './model-file.js';
import { PIPELINE, withTarget } from './target.js';

export default defineCommand({
  meta: {
    name: 'learn',
    description:
      'Plays labelled data to a device as if it were its sensor: the device classifies each sample, then learns it, once. What it learned lies in RAM until it is saved.',
  },
  args: {
    ...PORT,
    ...PIPELINE,
    ...DATA,
    split: { type: 'string', default: 'train', description: 'Part of the data: train or test' },
    from: { type: 'string', default: '0', description: 'First sample' },
    samples: { type: 'string', description: 'How many samples; all if left out' },
    statistics: {
      type: 'string',
      description:
        'Statistics of its inputs per class, which the device keeps for a sync, from empty: 0 none, 1 means, 2 means and squares; left out: those it keeps, or new ones if it has the RAM',
    },
    save: { type: 'boolean', description: 'Write what was learned to the flash of the device in the end' },
    model: { type: 'string', valueHint: 'model.ffm', description: 'Put this model on the device first' },
    ...COMMON,
  },
  async run({ args, data }) {
    const context = data as CliContext;
    const { output } = context;
    const split = oneOf('split', args.split, ['train', 'test']);
    const from = numberOf('from', args.from)!;
    const samples = numberOf('samples', args.samples, { least: 1 });
    const level = numberOf('statistics', args.statistics, { most: 2 });
    const model = args.model === undefined ? undefined : await readModel(args.model);
    await withTarget(args, context, async (target) => {
      await flashFirst(target, model, output);
      const { lowest } = target;
      const stream = await dataForModel(args, await metaOnDevice(lowest), split, output);
      checkNotEmpty(slice(stream, from, stream.count), stream, from);
      if (level !== undefined) await lowest.request(MESSAGES.statistics, { level });
      else if (!(await keepStatistics(lowest))) {
        output.warn('the device has no RAM for statistics of its inputs: a sync will know less of its surroundings');
      }
      const bar = output.progress('learn');
      const start = context.now();
      const report = await target.learn(stream, {
        from,
        ...(samples === undefined ? {} : { samples }),
        onProgress: (done, total, wrong) =>
          bar(done, total, `${((100 * wrong) / done).toFixed(1)}% wrong before learning`),
      });
      const seconds = (context.now() - start) / 1000;
      const slot = args.save ? await target.save() : undefined;
      const status = await target.status();
      output.result(
        {
          port: target.port,
          target: target.target,
          data: args.data,
          split,
          shift: args.shift,
          from,
          ...report,
          samplesInAll: status.samples,
          baseId: status.baseId,
          ...(slot === undefined ? {} : { slot }),
          seconds,
        },
        `${report.samples} samples learned, ${report.error.toFixed(2)}% of them wrong before, ${report.updates} layer updates; ` +
          `${status.samples} samples in all${slot === undefined ? '' : '; saved'}`,
      );
      if (slot === undefined && report.samples > 0 && target.port !== 'sim') {
        output.note('it is lost when the device loses its power: --save keeps it');
      }
    });
  },
});
