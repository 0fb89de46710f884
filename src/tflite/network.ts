import { GoodnessError } from '../base/errors.js';
import { encodedInputs, type Model, type ModelLayer } from '../format/model.js';
import { encodeTflite } from './encode.js';
import { Graph, type GraphTensor } from './graph.js';

export interface TfliteOptions {
  /** Bits of what goes into and comes out of the products; weights have 8. Default 8. */
  readonly activations?: 8 | 16;
}

/** Largest integer of a weight's or an input's int8. */
const INT8_ZERO = -128;
const BYTE_MAX = 255;
const INT16_MAX = 32767;
/** 2^16: the reciprocal of a length has as many fractional bits (SPEC.md, "Rescaling to length L"). */
const FRACTION = 65536;
/**
 * int8 holds activities up to that of a neuron which alone lifts its group to so many times the threshold, or, in groups of few neurons, to its
 * even part of a group at so many times the threshold. Beyond that goodness hardly decides any more; finer steps do (docs/tflite.md).
 */
const ALONE = 2;
const TOGETHER = 8;

/**
 * A class-partitioned network as a `.tflite` file: the sensor's bytes as int8 (byte - 128) in, the score of each class as float out, in
 * units of the score of SPEC.md. Products are int8 (or int16 by int8); what lies between them, SPEC.md 4.1 to 4.5, is float.
 * Weights of fewer bits are int8 there like all others.
 * @throws GoodnessError `tflite.objective` for a network with the label in its input, `tflite.stage` for a part of one
 */
export function exportTflite(model: Model, options: TfliteOptions = {}): Uint8Array {
  return encodeTflite(networkGraph(model, options));
}

/** The graph that `exportTflite` writes. */
export function networkGraph(model: Model, { activations = 8 }: TfliteOptions = {}): Graph {
  if (model.objective !== 'partitioned') {
    throw new GoodnessError('tflite.objective', 'a network with the label in its input needs one pass per class', {
      expected: 'a class-partitioned network, which one pass is enough for',
      fix: 'Train it with `--objective partitioned`.',
    });
  }
  if (model.layersBelow > 0) {
    throw new GoodnessError('tflite.stage', 'these are the upper layers of a network whose lower ones are elsewhere', {
      expected: 'a whole network',
      got: `${model.layersBelow} layers below`,
      fix: 'Export the network that it was split from.',
    });
  }
  const shape = [model.layers[0]!.inputs, ...model.layers.map((layer) => layer.outputs)].join('-');
  const graph = new Graph('goodness', `Forward-Forward network ${shape}, goodness of ${model.classes} classes`);
  let source = encodedInput(graph, model);
  let squares = sumOfSquares(graph, source, 'input', encodedInputs(model));
  let scores: number | undefined;
  model.layers.forEach((layer, l) => {
    const name = `layer${l}`;
    const activities = dense(graph, layer, rescaled(graph, layer, source, squares, name, activations), {
      name,
      activations,
      theta: model.state.layers[l]!.theta,
      classes: model.classes,
    });
    const goodness = groupGoodness(graph, activities, layer.outputs, model.classes, name);
    source = activities;
    if (l + 1 < model.layers.length) squares = total(graph, goodness, `${name}/squares`);
    const factor = graph.constant(`${name}/factor`, [model.state.layers[l]!.scoreFactor / 65536]);
    const part = graph.apply('mul', [goodness, factor], float(`${name}/score`, 1, model.classes));
    scores = scores === undefined ? part : graph.apply('add', [scores, part], float(`score${l}`, 1, model.classes));
  });
  graph.output(scores!);
  return graph;
}

function float(name: string, ...shape: number[]): GraphTensor {
  return { name, type: 'float32', shape };
}

/** SPEC.md 4.1. */
function encodedInput(graph: Graph, model: Model): number {
  const n = model.rawInputs;
  const quantization = { scale: [1], zeroPoint: [INT8_ZERO] };
  const sensor = graph.input({ name: 'sensor', type: 'int8', shape: [1, n], quantization });
  let bytes = graph.apply('dequantize', [sensor], float('bytes', 1, n), { version: 2 });
  if (model.subtractMin) {
    const low = graph.apply('reduceMin', [bytes, axis(graph, 1)], float('smallest', 1, 1), { keepDims: true });
    bytes = graph.apply('sub', [bytes, low], float('above_smallest', 1, n));
  }
  if (model.encoding === 'plain') return bytes;
  const rest = graph.apply('sub', [graph.constant('largest', [BYTE_MAX]), bytes], float('complement', 1, n));
  return graph.apply('concatenation', [bytes, rest], float('encoded', 1, 2 * n), { axis: 1 });
}

/** SPEC.md 4.2: r = floor(sqrt(S)), rec = floor(L * 2^16 / r), and the input times rec, whose unit is 2^16. */
function rescaled(
  graph: Graph,
  { inputs, inputBits, lengthShift }: ModelLayer,
  source: number,
  squares: number,
  name: string,
  activations: 8 | 16,
): number {
  const scalar = (part: string): GraphTensor => float(`${name}/${part}`, 1, 1);
  const root = graph.apply('floor', [graph.apply('sqrt', [squares], scalar('sqrt'))], scalar('root'));
  // Nothing but zeros has a root of 0, and zeros stay zeros by any factor.
  const divisor = graph.apply('maximum', [root, graph.constant(`${name}/one`, [1])], scalar('divisor'));
  const length = graph.constant(`${name}/length`, [2 ** lengthShift * FRACTION]);
  const quotient = graph.apply('div', [length, divisor], scalar('quotient'));
  const reciprocal = graph.apply('floor', [quotient], scalar('reciprocal'));
  let product = graph.apply('mul', [source, reciprocal], float(`${name}/rescaled`, 1, inputs));
  const largest = 2 ** inputBits - 1;
  // int8 ends at 255 by itself.
  if (activations === 16 || largest < BYTE_MAX) {
    const most = graph.constant(`${name}/largest_input`, [largest * FRACTION]);
    product = graph.apply('minimum', [product, most], float(`${name}/clamped`, 1, inputs));
  }
  const quantization = { scale: [FRACTION], zeroPoint: [activations === 8 ? INT8_ZERO : 0] };
  const type = activations === 8 ? 'int8' : 'int16';
  return graph.apply(
    'quantize',
    [product],
    { name: `${name}/input`, type, shape: [1, inputs], quantization },
    { version: activations === 8 ? 1 : 2 },
  );
}

interface DenseOptions {
  readonly name: string;
  readonly activations: 8 | 16;
  readonly theta: number;
  readonly classes: number;
}

/** SPEC.md 4.3 and 4.4: product, division by 2^s, and the activities as floats in the units of the SPEC. */
function dense(
  graph: Graph,
  layer: ModelLayer,
  input: number,
  { name, activations, theta, classes }: DenseOptions,
): number {
  const { inputs, outputs, outputShift, activityMax } = layer;
  const largest = largestActivity(layer);
  const scale = 2 ** -(16 + outputShift);
  const weights = graph.tensor({
    name: `${name}/weights`,
    type: 'int8',
    shape: [outputs, inputs],
    data: rowByRow(layer),
    quantization: { scale: [scale], zeroPoint: [0] },
  });
  const shape = [1, outputs];
  if (activations === 16) {
    const step = Math.max(1, Math.min(largest, activityMax) / INT16_MAX);
    const quantization = { scale: [step], zeroPoint: [0] };
    const y = { name: `${name}/activity`, type: 'int16', shape, quantization } as const;
    const product = graph.apply('fullyConnected', [input, weights], y, { activation: 'relu', version: 7 });
    const real = graph.apply('dequantize', [product], float(`${name}/real`, 1, outputs), { version: 3 });
    if (largest <= activityMax) return real;
    const most = graph.constant(`${name}/largest_activity`, [activityMax]);
    return graph.apply('minimum', [real, most], float(`${name}/clamped_activity`, 1, outputs));
  }
  const bias = graph.tensor({
    name: `${name}/bias`,
    type: 'int32',
    shape: [outputs],
    data: new Int32Array(outputs),
    quantization: { scale: [scale * FRACTION], zeroPoint: [0] },
  });
  const share = Math.max(ALONE, (TOGETHER * classes) / outputs);
  const step = Math.min(largest, activityMax, Math.sqrt(share * theta)) / BYTE_MAX;
  const quantization = { scale: [step], zeroPoint: [INT8_ZERO] };
  const y = { name: `${name}/activity`, type: 'int8', shape, quantization } as const;
  const product = graph.apply('fullyConnected', [input, weights, bias], y, { activation: 'relu', version: 4 });
  return graph.apply('dequantize', [product], float(`${name}/real`, 1, outputs), { version: 2 });
}

/** Activity that no input of the layer's length can exceed: its product with the positive weights of a neuron, by Cauchy and Schwarz. */
function largestActivity({ inputs, outputs, weights, lengthShift, outputShift }: ModelLayer): number {
  const squares = new Float64Array(outputs);
  for (let i = 0, at = 0; i < inputs; i++) {
    for (let j = 0; j < outputs; j++, at++) squares[j]! += Math.max(0, weights[at]!) ** 2;
  }
  const norm = squares.reduce((most, s) => Math.max(most, s), 1);
  return Math.sqrt(norm) * 2 ** (lengthShift - outputShift);
}

/** Goodness of each class's neurons: (1, classes). */
function groupGoodness(graph: Graph, activities: number, outputs: number, classes: number, name: string): number {
  const squared = graph.apply('square', [activities], float(`${name}/squared`, 1, outputs));
  const shape = [1, classes, outputs / classes];
  const to = graph.indices(`${name}/groups`, shape);
  const grouped = graph.apply('reshape', [squared, to], float(`${name}/grouped`, ...shape));
  return graph.apply('sum', [grouped, axis(graph, 2)], float(`${name}/goodness`, 1, classes));
}

function sumOfSquares(graph: Graph, source: number, name: string, width: number): number {
  return total(graph, graph.apply('square', [source], float(`${name}/squared`, 1, width)), `${name}/squares`);
}

/** The sum of a row, as (1, 1). */
function total(graph: Graph, source: number, name: string): number {
  return graph.apply('sum', [source, axis(graph, 1)], float(name, 1, 1), { keepDims: true });
}

/** The index of an axis as a constant, each once in a graph. */
function axis(graph: Graph, index: number): number {
  const name = `axis${index}`;
  const known = graph.tensors.findIndex((tensor) => tensor.name === name);
  return known >= 0 ? known : graph.indices(name, [index]);
}

/** Weights neuron by neuron, as TensorFlow Lite wants them. */
function rowByRow({ inputs, outputs, weights }: ModelLayer): Int8Array {
  const rows = new Int8Array(inputs * outputs);
  for (let i = 0, at = 0; i < inputs; i++) {
    for (let j = 0; j < outputs; j++, at++) rows[j * inputs + i] = weights[at]!;
  }
  return rows;
}
