import { defineCommand } from 'citty';
import { slice } from '../data/dataset.js';
import { COMMON, DATA, numberOf, oneOf, PORT } from './arguments.js';
import type { CliContext } from './context.js';
import { evaluationJson, evaluationText } from './evaluation-text.js';
import { checkNotEmpty, dataForModel, metaOnDevice } from './model-data.js';
import { flashFirst, readModel } from './model-file.js';
import { PIPELINE, withTarget } from './target.js';

export default defineCommand({
  meta: { name: 'eval', description: 'Has a device classify data, and counts its errors. Nothing is learned.' },
  args: {
    ...PORT,
    ...PIPELINE,
    ...DATA,
    split: { type: 'string', default: 'test', description: 'Part of the data: test or train' },
    from: { type: 'string', default: '0', description: 'First sample' },
    samples: { type: 'string', description: 'How many samples; all if left out' },
    model: { type: 'string', valueHint: 'model.ffm', description: 'Put this model on the device first' },
    ...COMMON,
  },
  async run({ args, data }) {
    const context = data as CliContext;
    const { output } = context;
    const split = oneOf('split', args.split, ['test', 'train']);
    const from = numberOf('from', args.from)!;
    const samples = numberOf('samples', args.samples, { least: 1 });
    const model = args.model === undefined ? undefined : await readModel(args.model);
    await withTarget(args, context, async (target) => {
      await flashFirst(target, model, output);
      const meta = await metaOnDevice(target.lowest);
      const all = await dataForModel(args, meta, split, output);
      const chosen = slice(all, from, from + (samples ?? all.count));
      checkNotEmpty(chosen, all, from);
      const start = context.now();
      const evaluation = await target.evaluate(chosen, output.progress('eval'));
      const seconds = (context.now() - start) / 1000;
      output.result(
        {
          port: target.port,
          target: target.target,
          data: args.data,
          split,
          shift: args.shift,
          ...evaluationJson(evaluation, meta.classes),
          seconds,
        },
        evaluationText(evaluation, meta.classes),
      );
      output.note(`${Math.round(chosen.count / Math.max(seconds, 1e-3))} samples a second`);
    });
  },
});
