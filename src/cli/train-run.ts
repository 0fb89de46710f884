import { basename, join } from 'node:path';
import { GoodnessError } from '../base/errors.js';
import { isSparse } from '../data/dataset.js';
import { encodeImage } from '../format/image.js';
import { hostOnly } from '../quantize/device-network.js';
import { checkBits, checkDeviceLimits } from '../quantize/limits.js';
import { type Backend, selectBackend } from '../train/backend.js';
import { encodeCheckpoint } from '../train/checkpoint.js';
import { decodeCheckpoint } from '../train/checkpoint-reader.js';
import { type FitPlan, type ShapeOptions, shapeFor } from '../train/config.js';
import { inputCount } from '../train/network.js';
import type { Progress } from '../train/progress.js';
import { deviceBits, parseRecipe, type Recipe, trainConfigOf } from '../train/recipe.js';
import type { FitResult } from '../train/run.js';
import { Trainer, type TrainerOptions } from '../train/trainer.js';
import type { CliContext } from './context.js';
import { readWhole, writeWhole } from './files.js';
import { type RecipeData, recipeData } from './recipe-data.js';
import { describeTraining, judge, type Training } from './train-result.js';
import { hiddenOf } from './training.js';
import type { Watch } from './watch.js';

/** For vectors that are mostly nothing: their complements would drown what there is. */
const PLAIN = { subtractMin: false, encoding: 'plain' } as const;

/** What a training writes into its folder. */
const FILES = { recipe: 'recipe.json', checkpoint: 'checkpoint.safetensors', model: 'model.ffm' } as const;

export interface TrainRunOptions {
  readonly folder: string;
  /** Epochs between checkpoints; none before the end where left out. */
  readonly checkpointEvery?: number;
  readonly watch?: Watch;
}

/** Where a recipe's files go if nobody says. */
export function folderOf({ data = '' }: Recipe): string {
  return join('goodness-out', basename(data, '.csv'));
}

/** Trains by a recipe, from the start. */
export async function trainRecipe(recipe: Recipe, options: TrainRunOptions, context: CliContext): Promise<void> {
  const data = await recipeData(recipe, context.output);
  const backend = await backendOf(recipe);
  const trainer = newTrainer(recipe, data, backend);
  // What was left to find out must not be found out anew by a run that goes on.
  const whole: Recipe = { ...recipe, backend: backend.name };
  await writeWhole(join(options.folder, FILES.recipe), `${JSON.stringify(whole, null, 2)}\n`);
  const { epochs, batch, stop } = recipe;
  const plan = defined<FitPlan>({ epochs, batch, stop });
  await finish({ recipe: whole, data, trainer, backend }, options, context, (hooks) =>
    trainer.fit(data.train, { ...plan, ...hooks }),
  );
}

/** Goes on with a training that was stopped: the result is the same, byte for byte, as without the stop. */
export async function resumeTraining(options: TrainRunOptions, context: CliContext): Promise<void> {
  const read = (name: string): Promise<Uint8Array> => readWhole(join(options.folder, name), 'the folder of a training');
  const text = new TextDecoder().decode(await read(FILES.recipe));
  const recipe = parseRecipe(JSON.parse(text), join(options.folder, FILES.recipe));
  const checkpoint = decodeCheckpoint(await read(FILES.checkpoint));
  if (checkpoint.state?.run === undefined) {
    throw new GoodnessError('train.run', 'the checkpoint holds no run to go on with', {
      fix: 'Train from the start, with --config and this folder’s recipe.json.',
    });
  }
  const data = await recipeData(recipe, context.output);
  const backend = await backendOf(recipe);
  const trainer = Trainer.restore(checkpoint, backend, data.negatives);
  const { step, steps } = checkpoint.state.run;
  context.output.note(`going on at step ${step} of ${steps}`);
  await finish({ recipe, data, trainer, backend }, options, context, (hooks) => trainer.resume(data.train, hooks));
}

function backendOf({ backend = 'auto', threads }: Recipe): Promise<Backend> {
  return selectBackend(backend, threads === undefined ? {} : { threads });
}

function newTrainer(recipe: Recipe, { small, pool, negatives }: RecipeData, backend: Backend): Trainer {
  const {
    seed = 1,
    layers,
    fields,
    recurrent,
    objective,
    goodness,
    scoredFrom,
    labelValue,
    inputBits = 8,
    loss,
  } = recipe;
  const text = layers === undefined || typeof layers === 'string' ? layers : layers.join('-');
  const hidden = hiddenOf(text, small.width, small, objective ?? 'partitioned');
  const sparse = small.geometry === undefined && isSparse(small);
  const shape = shapeFor(small, {
    hidden,
    ...(sparse ? { preprocessing: PLAIN } : {}),
    ...defined<ShapeOptions>({ fields, recurrent, objective, goodness, scoredFrom, labelValue, theta: loss?.theta }),
  });
  if (recipe.device !== false && hostOnly(shape) === undefined) {
    checkBits(deviceBits(recipe), inputBits);
    checkDeviceLimits({ inputs: inputCount(shape), hidden, classes: shape.classes });
  }
  return new Trainer({
    backend,
    seed,
    shape,
    config: { ...trainConfigOf(recipe), pool },
    ...defined<TrainerOptions>({ geometry: small.geometry, negatives }),
  });
}

type FitHooks = Parameters<Trainer['resume']>[1];

/** Runs a training to its end or to Ctrl-C, and writes and says what came of it. */
async function finish(
  task: Pick<Training, 'recipe' | 'data' | 'trainer' | 'backend'>,
  options: TrainRunOptions,
  context: CliContext,
  start: (hooks: FitHooks) => Promise<FitResult>,
): Promise<void> {
  const { recipe, data, trainer } = task;
  const { output, now } = context;
  const { folder, checkpointEvery, watch } = options;
  const files = { checkpoint: join(folder, FILES.checkpoint), model: join(folder, FILES.model) };
  const save = (): Promise<void> => writeWhole(files.checkpoint, encodeCheckpoint(trainer.checkpoint(data.small)));
  const stop = new AbortController();
  void context.interrupted().then(() => stop.abort());
  const bar = watch?.replacesBar === true ? undefined : output.progress('train');
  const began = now();
  const result = await start({
    signal: stop.signal,
    reportsPerEpoch: REPORTS_PER_EPOCH,
    onProgress: (progress) => {
      bar?.(progress.step, progress.steps, remark(progress));
      watch?.show(progress);
    },
    ...(checkpointEvery === undefined ? {} : { checkpointEvery, onCheckpoint: save }),
  });
  await save();
  await watch?.end();
  if (!result.finished) {
    throw new GoodnessError('train.interrupted', `stopped at step ${result.step} of ${result.steps}`, {
      fix: `Go on with goodness train --resume ${folder}`,
    });
  }
  const seconds = (now() - began) / 1000;
  const judged = judge(recipe, trainer, data);
  if (judged.model !== undefined) await writeWhole(files.model, encodeImage(judged.model));
  output.result(...describeTraining({ ...task, seconds, judged, files }));
}

/** Reports in an epoch: a bar that moves, without its cost. */
const REPORTS_PER_EPOCH = 20;

function remark({ epoch, layers, samplesPerSecond, heldOut }: Progress): string {
  const goodness = layers.map((l) => `${shown(l.positive)}/${shown(l.negative)}`).join(' ');
  const held = heldOut === undefined ? '' : `, held out ${heldOut.toFixed(2)}%`;
  return `epoch ${epoch}: goodness ${goodness}${held}, ${Math.round(samplesPerSecond)}/s`;
}

function shown(goodness: number): string {
  if (Number.isNaN(goodness)) return '-';
  return Math.abs(goodness) < 100 ? goodness.toFixed(2) : goodness.toFixed(0);
}

/** Without what is undefined. */
function defined<T extends object>(values: { [K in keyof T]?: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
