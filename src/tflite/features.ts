import type { Dataset, Scaling } from '../data/dataset.js';
import type { TrainTest } from '../data/mnist.js';
import { checkScaling, encodeValues } from '../data/scaling.js';
import type { ExtractorMeta } from '../format/meta.js';
import type { Extractor } from './extractor.js';

type Done = (samples: number, total: number) => void;

/**
 * What an extractor makes of a data set, as the data set that a network learns from. One scaling holds for all features, fitted to the training
 * part: the smallest value is byte 0, the largest byte 255, so that features keep their proportions.
 * @param range values of the bytes 0 and 255 in the extractor's input, for images
 */
export async function extractFeatures(
  extractor: Extractor,
  { train, test }: TrainTest,
  { range, onProgress }: { range?: readonly [number, number]; onProgress?: Done } = {},
): Promise<TrainTest> {
  const source = extractor.scalingFor(train, range);
  const total = train.count + test.count;
  const learned = await extractor.values(train, source, (done) => onProgress?.(done, total));
  const scaling = fitOne(learned);
  const tested = await extractor.values(test, source, (done) => onProgress?.(train.count + done, total));
  const meta = metaFor(extractor, source);
  return {
    train: asFeatures(train, learned, extractor.width, scaling, meta),
    test: asFeatures(test, tested, extractor.width, scaling, meta),
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

function fitOne(values: Float32Array): Scaling {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = 0; k < values.length; k++) {
    const value = values[k]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const step = Math.fround((high - low) / 255);
  return { offset: Float32Array.of(Number.isFinite(low) ? low : 0), step: Float32Array.of(step > 0 ? step : 1) };
}
