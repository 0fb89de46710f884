import { defineCommand } from 'citty';
import { GoodnessError } from '../base/errors.js';
import { COMMON, numberOf } from './arguments.js';
import type { CliContext } from './context.js';
import { readRecipe } from './recipe-file.js';
import { RECIPE_OPTIONS, withOptions } from './recipe-options.js';
import { folderOf, resumeTraining, trainRecipe } from './train-run.js';
import { openWatch } from './watch.js';

export default defineCommand({
  meta: {
    name: 'train',
    description:
      'Trains a Forward-Forward network and, where a device can run it, quantizes it. Writes recipe.json, checkpoint.safetensors and model.ffm; a CSV has numbers, and the label in its last column. Ctrl-C stops after the current step and keeps a checkpoint.',
  },
  args: {
    data: { type: 'positional', required: false, description: 'mnist, a CSV file, or a folder of IDX or CSV files' },
    ...RECIPE_OPTIONS,
    out: { type: 'string', valueHint: 'folder', description: 'Where to write; goodness-out/<data> if left out' },
    'checkpoint-every': {
      type: 'string',
      valueHint: 'epochs',
      description: 'Write a checkpoint after every so many epochs, to go on from if the machine stops',
    },
    resume: {
      type: 'string',
      valueHint: 'folder',
      description: 'Go on with the training of this folder: the result is the same as if it had never stopped',
    },
    watch: {
      type: 'string',
      valueHint: 'terminal|browser',
      description: 'Plot goodness and error as they change, in the terminal (with no value) or in a browser',
    },
    ...COMMON,
  },
  async run({ args, data: given, rawArgs }) {
    const context = given as CliContext;
    const checkpointEvery = numberOf('checkpoint-every', args['checkpoint-every'], { least: 1 });
    if (args.resume !== undefined) checkAlone(args.data, rawArgs);
    const recipe =
      args.resume === undefined
        ? withOptions(
            {
              ...(args.config === undefined ? {} : await readRecipe(args.config)),
              ...(args.data === undefined ? {} : { data: args.data }),
            },
            args,
          )
        : undefined;
    const watch = await openWatch(args.watch, context);
    try {
      const options = {
        ...(checkpointEvery === undefined ? {} : { checkpointEvery }),
        ...(watch === undefined ? {} : { watch }),
      };
      if (recipe === undefined) await resumeTraining({ ...options, folder: args.resume! }, context);
      else await trainRecipe(recipe, { ...options, folder: args.out ?? folderOf(recipe) }, context);
    } finally {
      await watch?.end();
    }
  },
});

/** Options that may stand beside `--resume`: everything else is in the folder. */
const BESIDE_RESUME = new Set(['--resume', '--checkpoint-every', '--watch', '--json', '--quiet', '-q']);

function checkAlone(data: string | undefined, rawArgs: readonly string[]): void {
  const other = data ?? rawArgs.find((arg) => arg.startsWith('-') && !BESIDE_RESUME.has(arg.split('=', 1)[0]!));
  if (other === undefined) return;
  throw new GoodnessError('usage.resume', `${other} can not change a training that goes on`, {
    expected: [...BESIDE_RESUME].join(', '),
    fix: 'Leave it out, or train from the start with --config and the folder’s recipe.json.',
  });
}
