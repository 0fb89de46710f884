import { type Dataset, type Scaling, SPARSE } from '../data/dataset.js';
import type { TrainTest } from '../data/mnist.js';
import { checkScaling, encodeValues, fitScaling } from '../data/scaling.js';
import type { ExtractorMeta } from '../format/meta.js';
import type { Extractor } from './extractor.js';

type Done = (samples: number, total: number) => void;

/**
 * What an extractor makes of a data set, as the data set that a network learns from. The training part decides how features become bytes. Sparse
 * ones, such as a relu gives, keep their proportions by one scaling for all: the smallest value is byte 0, the largest byte 255. Others get a
 * scaling each, as the columns of a table do.
 * @param range values of the bytes 0 and 255 in the extractor's input, for images
 */
export async function extractFeatures(
  extractor: Extractor,
  { train, test }: TrainTest,
  { range, onProgress }: { range?: readonly [number, number]; onProgress?: Done } = {},
): Promise<TrainTest> {
  const source = extractor.scalingFor(train, range);
  const meta = metaFor(extractor, source);
  const { width } = extractor;
  const total = train.count + test.count;
  const learned = await extractor.values(train, source, (done) => onProgress?.(done, total));
  const scaling = fitSparse(learned) ?? fitScaling(learned, width);
  const tested = await extractor.values(test, source, (done) => onProgress?.(train.count + done, total));
  return {
    train: asFeatures(train, learned, width, scaling, meta),
    test: asFeatures(test, tested, width, scaling, meta),
  };
}

/** The same for a model that was trained so: with the scalings that its meta says. */
export async function featuresAgain(
  extractor: Extractor,
  data: Dataset,
  { scaling, extractor: meta }: { readonly scaling: Scaling; readonly extractor: ExtractorMeta },
  onProgress?: Done,
): Promise<Dataset> {
  const { offset, step } = meta.scaling;
  const source = { offset: Float32Array.from(offset), step: Float32Array.from(step) };
  checkScaling(scaling, extractor.width);
  const values = await extractor.values(data, source, onProgress);
  return asFeatures(data, values, extractor.width, scaling, meta);
}

function metaFor({ file, sha256 }: Extractor, { offset, step }: Scaling): ExtractorMeta {
  return { file, sha256, scaling: { offset: [...offset], step: [...step] } };
}

/** Names and geometry are those of what went in, and no longer hold. */
function asFeatures(
  data: Dataset,
  values: Float32Array,
  width: number,
  scaling: Scaling,
  extractor: ExtractorMeta,
): Dataset {
  const { geometry: _, features: __, ...rest } = data;
  return { ...rest, inputs: encodeValues(values, width, scaling), width, scaling, extractor };
}

/** One scaling for all features, where so many values are the smallest one that they are sparse. */
function fitSparse(values: Float32Array): Scaling | undefined {
  let [low, high, lowest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let k = 0; k < values.length; k++) {
    const value = values[k]!;
    if (value > high) high = value;
    if (value > low) continue;
    if (value < low) lowest = 0;
    low = value;
    lowest++;
  }
  const step = Math.fround((high - low) / 255);
  if (lowest < SPARSE * values.length || !(step > 0)) return undefined;
  return { offset: Float32Array.of(low), step: Float32Array.of(step) };
}
