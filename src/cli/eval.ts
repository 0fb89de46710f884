import { defineCommand } from 'citty';
import { slice } from '../data/dataset.js';
import { evaluate } from '../device/stream.js';
import { COMMON, DATA, numberOf, oneOf, PORT } from './arguments.js';
import type { CliContext } from './context.js';
import { withDevice } from './device-session.js';
import { evaluationJson, evaluationText } from './evaluation-text.js';
import { checkNotEmpty, dataForModel, metaOnDevice } from './model-data.js';
import { flashFirst, readModel } from './model-file.js';

export default defineCommand({
  meta: { name: 'eval', description: 'Has a device classify data, and counts its errors. Nothing is learned.' },
  args: {
    ...PORT,
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
    await withDevice(args, context, async (session) => {
      await flashFirst(session, model, output);
      const meta = await metaOnDevice(session);
      const all = await dataForModel(args, meta, split, output);
      const chosen = slice(all, from, from + (samples ?? all.count));
      checkNotEmpty(chosen, all, from);
      const start = context.now();
      const evaluation = await evaluate(session, chosen, output.progress('eval'));
      const seconds = (context.now() - start) / 1000;
      output.result(
        {
          port: session.transport.name,
          target: session.hello.target,
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
