import { type Dataset, sample } from '../data/dataset.js';
import { inputLimit } from '../format/layout.js';
import { encodedInputs, largestActivity, type Model, type ModelLayer } from '../format/model.js';
import { activate, encodeInput, type InputShape, isqrt, product, rescale } from '../reference/forward.js';

/** Activities of a unit of 1.0 stay below this. */
const MAX_UNIT = 512;
/** Activities up to this many times 1.0 must not saturate, whatever the calibration data show. */
const HEADROOM = 8;
/** Part of the non-zero inputs of a layer that may be clipped at the largest input. */
const CLIPPED = 1e-3;
/** Part of the non-zero activities that may saturate. */
const SATURATED = 1e-4;
const MIN_LENGTH_SHIFT = 4;
const MAX_OUTPUT_SHIFT = 24;

/** Integers of one layer, and what they cost on the calibration data. */
export interface LayerRanges {
  readonly lengthShift: number;
  readonly outputShift: number;
  readonly activityMax: number;
  readonly outputUnit: number;
  /** Part of the non-zero inputs that is clipped at the largest input. */
  readonly clippedInputs: number;
  /** Part of the non-zero activities that saturates. */
  readonly saturated: number;
}

/** What a layer sees of the calibration data: whole numbers and the squared length of each sample. */
interface Source {
  readonly rows: readonly (Uint8Array | Uint16Array)[];
  readonly squares: readonly number[];
}

/** Integer activity that stands for 1.0: acc * scale * sqrt(n) / 2^k is the float activity, and y = acc / 2^s. */
export function outputUnit(inputs: number, scale: number, lengthShift: number, outputShift: number): number {
  return 2 ** (lengthShift - outputShift) / (scale * Math.sqrt(inputs));
}

/**
 * Chooses length and output shifts layer by layer, each on what the integer layers below really put out.
 * @param shape everything about the model that doesn't depend on the shifts
 * @param layers weights and scales
 * @param dataset some hundred samples suffice
 * @param longest largest length shift to try, per layer
 */
export function chooseRanges(
  shape: InputShape & Pick<Model, 'rawInputs'>,
  layers: readonly Pick<ModelLayer, 'inputs' | 'outputs' | 'weights' | 'scale' | 'inputBits'>[],
  dataset: Dataset,
  longest: (layer: number) => number,
): LayerRanges[] {
  const first = Array.from({ length: dataset.count }, (_, s) => {
    const encoded = new Uint8Array(encodedInputs(shape));
    encodeInput(shape, sample(dataset, s), encoded, dataset.labels[s]!);
    return encoded;
  });
  let source: Source = { rows: first, squares: first.map(squareSum) };
  return layers.map((layer, l) => {
    const { lengthShift, clippedInputs } = chooseLength(source, longest(l), inputLimit(layer.inputBits));
    const accumulators = source.rows.map((row, s) => {
      const input = new Uint8Array(row.length);
      rescale(row, source.squares[s]!, lengthShift, input, inputLimit(layer.inputBits));
      const target = new Int32Array(layer.outputs);
      product(layer, input, target);
      return target;
    });
    const output = chooseOutput(layer, lengthShift, accumulators);
    const rows = accumulators.map((acc) => {
      const target = new Uint16Array(layer.outputs);
      activate(output, acc, target);
      return target;
    });
    source = { rows, squares: rows.map(squareSum) };
    return { lengthShift, clippedInputs, ...output };
  });
}

/** The longest length at which hardly any input is clipped. */
function chooseLength(
  source: Source,
  longest: number,
  most: number,
): Pick<LayerRanges, 'lengthShift' | 'clippedInputs'> {
  for (let k = longest; ; k--) {
    const limit = (most + 0.5) / 2 ** k;
    let clipped = 0;
    let active = 0;
    source.rows.forEach((row, s) => {
      const edge = limit * isqrt(source.squares[s]!);
      for (let i = 0; i < row.length; i++) {
        if (row[i]! > 0) active++;
        if (row[i]! > edge) clipped++;
      }
    });
    const clippedInputs = active === 0 ? 0 : clipped / active;
    if (clippedInputs < CLIPPED || k === MIN_LENGTH_SHIFT) {
      return { lengthShift: k, clippedInputs };
    }
  }
}

/** The finest output that leaves headroom. */
function chooseOutput(
  layer: Pick<ModelLayer, 'inputs' | 'outputs' | 'scale'>,
  lengthShift: number,
  accumulators: readonly Int32Array[],
): Pick<LayerRanges, 'outputShift' | 'activityMax' | 'outputUnit' | 'saturated'> {
  const activityMax = largestActivity(layer.outputs);
  for (let s = 0; ; s++) {
    const unit = outputUnit(layer.inputs, layer.scale, lengthShift, s);
    const last = s === MAX_OUTPUT_SHIFT;
    if (!last && (unit >= MAX_UNIT || HEADROOM * unit > activityMax)) continue;
    const edge = activityMax * 2 ** s;
    let saturated = 0;
    let active = 0;
    for (const row of accumulators) {
      for (let j = 0; j < row.length; j++) {
        if (row[j]! > 0) active++;
        if (row[j]! > edge) saturated++;
      }
    }
    const part = active === 0 ? 0 : saturated / active;
    if (part < SATURATED || last) return { outputShift: s, activityMax, outputUnit: unit, saturated: part };
  }
}

function squareSum(row: Uint8Array | Uint16Array): number {
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += row[i]! * row[i]!;
  return sum;
}
