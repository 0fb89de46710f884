import { join } from 'node:path';
import { defineCommand } from 'citty';
import { GoodnessError } from '../base/errors.js';
import { PRESETS, presetOf } from '../train/presets.js';
import type { Recipe } from '../train/recipe.js';
import { COMMON, numberOf } from './arguments.js';
import type { CliContext } from './context.js';
import { readRecipe } from './recipe-file.js';
import { RECIPE_OPTIONS, withOptions } from './recipe-options.js';
import { table } from './table.js';
import { folderOf, resumeTraining, trainRecipe } from './train-run.js';
import { openWatch } from './watch.js';

export default defineCommand({
  meta: {
    name: 'train',
    description:
      'Trains a Forward-Forward network and, where a device can run it, quantizes it. Writes recipe.json, checkpoint.safetensors and model.ffm; a CSV has numbers, and the label in its last column. Ctrl-C stops after the current step and keeps a checkpoint.',
  },
  args: {
    data: {
      type: 'positional',
      required: false,
      description: 'mnist, a CSV file, a text (*.txt), or a folder of IDX or CSV files',
    },
    preset: {
      type: 'string',
      valueHint: 'name',
      description: `A recipe whose model is known: ${Object.keys(PRESETS).join(', ')} (docs/presets.md); options stand above it`,
    },
    presets: { type: 'boolean', description: 'List the presets' },
    ...RECIPE_OPTIONS,
    out: {
      type: 'string',
      valueHint: 'folder',
      description: 'Where to write; goodness-out/<preset or data> if left out',
    },
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
    if (args.presets === true) {
      listPresets(context);
      return;
    }
    const checkpointEvery = numberOf('checkpoint-every', args['checkpoint-every'], { least: 1 });
    if (args.resume !== undefined) checkAlone(args.data, rawArgs);
    const recipe =
      args.resume === undefined
        ? withOptions(
            {
              ...(await baseRecipe(args)),
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
      else
        await trainRecipe(
          recipe,
          {
            ...options,
            folder: args.out ?? (args.preset === undefined ? folderOf(recipe) : join('goodness-out', args.preset)),
          },
          context,
        );
    } finally {
      await watch?.end();
    }
  },
});

/** What options stand above. */
async function baseRecipe(args: {
  readonly preset?: string | undefined;
  readonly config?: string | undefined;
}): Promise<Recipe> {
  const { preset, config } = args;
  if (preset === undefined) return config === undefined ? {} : readRecipe(config);
  if (config === undefined) return presetOf(preset).recipe;
  throw new GoodnessError('usage.option', 'a training has one recipe', {
    expected: '--preset or --config',
    got: 'both',
  });
}

function listPresets({ output }: CliContext): void {
  const presets = Object.entries(PRESETS);
  output.result(
    { presets: presets.map(([name, { what, recipe }]) => ({ name, what, recipe })) },
    table(
      [{ title: 'preset' }, { title: 'what' }],
      presets.map(([name, { what }]) => [name, what]),
      output.colors,
    ),
  );
}

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
