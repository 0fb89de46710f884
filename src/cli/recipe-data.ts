import { GoodnessError } from '../base/errors.js';
import { type Dataset, slice } from '../data/dataset.js';
import { loadData, loadSamples } from '../data/load.js';
import { pool as poolImages } from '../data/pool.js';
import { type ClassStatistics, decodeClassStatistics } from '../format/class-statistics.js';
import { buildProxy } from '../sync/proxy.js';
import { gatherStatistics } from '../sync/statistics.js';
import { fromWire } from '../sync/wire-statistics.js';
import { asOneClass } from '../train/negatives/others.js';
import type { Recipe } from '../train/recipe.js';
import { chooseClasses, reserveClasses } from './class-choice.js';
import { madeFeatures } from './features.js';
import { readWhole } from './files.js';
import type { Output } from './output.js';

/** What a recipe trains on and is judged by. */
export interface RecipeData {
  /** What the trainer gets: at full resolution, where augmentation works best, if it can be. */
  readonly train: Dataset;
  /** Squares of so many pixels that the trainer pools. */
  readonly pool: number;
  /** The training data as the network takes them. */
  readonly small: Dataset;
  readonly test: Dataset;
  /** Samples of the negatives `data` and `proxy`, at the resolution of `train`. */
  readonly negatives?: Dataset;
}

const LEAST_SAMPLES = 10;

/** @throws GoodnessError `train.data`, `usage.data`, `usage.option`, and those of the loaders */
export async function recipeData(recipe: Recipe, output: Output): Promise<RecipeData> {
  const { data, seed = 1, headroom = 0.25, other, window, samples, pool = 1, classes, reserve, features } = recipe;
  if (data === undefined) {
    throw new GoodnessError('usage.data', 'there is nothing to train on', {
      expected:
        'mnist, a CSV file, a text, or a folder of IDX or CSV files: as an argument, or as `data` of the recipe',
    });
  }
  const negatives = asObject(recipe.negatives);
  checkFeatures(recipe, negatives);
  const loaded = await loadData(data, {
    seed,
    headroom,
    ...(other === true ? { others: 'other' } : {}),
    ...(window === undefined ? {} : { window }),
  });
  const prepare = (part: Dataset): Dataset =>
    chooseClasses(reserveClasses(part, reserve?.join(',')), classes?.join(','));
  const known = prepare(loaded.train);
  const normal = recipe.objective === 'one-class' ? normalClasses(known, recipe.normal) : [];
  const asTask = (part: Dataset): Dataset => (normal.length === 0 ? part : asOneClass(part, normal));
  const seen = { train: slice(asTask(known), 0, samples ?? known.count), test: asTask(prepare(loaded.test)) };
  const { train, test: tested } = await madeFeatures(
    seen,
    { features, 'features-range': recipe.featuresRange?.join(',') },
    output,
  );
  if (train.count < LEAST_SAMPLES) {
    throw new GoodnessError('train.data', `${train.name} has too few samples to train on`, {
      expected: `at least ${LEAST_SAMPLES}`,
      got: String(train.count),
    });
  }
  const small = poolImages(train, pool);
  const common = { train, pool, small, test: poolImages(tested, pool) };
  if (negatives?.kind === 'data') return { ...common, negatives: await otherSamples(negatives, known) };
  // A proxy has the resolution of its device, and so have the samples beside it.
  if (negatives?.kind === 'proxy')
    return { ...common, train: small, pool: 1, negatives: await proxySamples(negatives, known, pool, seed) };
  return common;
}

function checkFeatures({ features, pool = 1 }: Recipe, negatives: ReturnType<typeof asObject>): void {
  if (features === undefined) return;
  if (pool > 1) {
    throw new GoodnessError('usage.option', '--features takes images as they are', { fix: 'Leave --pool out.' });
  }
  if (negatives?.kind !== 'data' && negatives?.kind !== 'proxy') return;
  throw new GoodnessError('usage.option', `the negatives ${negatives.kind} do not go through an extractor`, {
    fix: 'Make features of both by `goodness features`, and train on those.',
  });
}

function asObject(negatives: Recipe['negatives']): Exclude<Recipe['negatives'], string> {
  return typeof negatives === 'string' ? ({ kind: negatives } as Exclude<Recipe['negatives'], string>) : negatives;
}

/** The classes that a one-class network takes for normal. */
function normalClasses({ classes, others, name }: Dataset, normal: readonly string[] | undefined): readonly string[] {
  if (normal !== undefined && normal.length > 0) return normal;
  if (others !== undefined) return classes.filter((c) => c !== others);
  throw new GoodnessError('usage.normal', 'a one-class network must know which classes are normal', {
    expected: `--normal with some of ${classes.join(', ')}`,
    got: `${name} without it`,
  });
}

async function otherSamples({ path }: { readonly path?: string }, known: Dataset): Promise<Dataset> {
  if (path !== undefined) return loadSamples(path, known);
  throw new GoodnessError('usage.negatives', 'the negatives `data` need a data set', {
    expected: 'negatives.path: a CSV file, or a folder of IDX files',
  });
}

async function proxySamples(
  { statistics: file }: { readonly statistics?: string },
  host: Dataset,
  pool: number,
  seed: number,
): Promise<Dataset> {
  if (file === undefined) {
    throw new GoodnessError('usage.negatives', 'the negatives `proxy` need what a device told of its inputs', {
      expected: 'negatives.statistics: a file that `goodness sync --statistics` wrote',
    });
  }
  const told = readStatistics(file, await readWhole(file, 'class statistics of a device'));
  const statistics = fromWire(told, gatherStatistics(poolImages(host, pool)));
  return (await buildProxy({ host, pool, statistics, seed })).data;
}

function readStatistics(file: string, bytes: Uint8Array): ClassStatistics {
  try {
    return decodeClassStatistics(bytes);
  } catch (cause) {
    throw new GoodnessError('train.statistics', `${file} holds no class statistics of a device`, {
      expected: 'a file that `goodness sync --statistics` wrote',
      cause,
    });
  }
}
