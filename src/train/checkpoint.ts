import { GoodnessError } from '../base/errors.js';
import type { Dataset } from '../data/dataset.js';
import { decodeSafetensors, encodeSafetensors, type Safetensors, type Tensor } from '../format/safetensors.js';
import { type TrainConfig, validateConfig } from './config.js';
import { type Layer, type Network, type NetworkShape, shapeOf, validateNetwork } from './network.js';

/** What a model must know of the data that it was trained on. */
export type DataInfo = Pick<Dataset, 'name' | 'classes' | 'scaling' | 'geometry' | 'features' | 'others'>;

/** Where a run of training stands. */
export interface Run {
  readonly epochs: number;
  /** Samples per step. */
  readonly batch: number;
  readonly steps: number;
  /** Steps done. */
  readonly step: number;
  /** Seed of the order of the samples. */
  readonly orderSeed: number;
}

/** All that a trainer needs, beside network and recipe, to go on as if it had never stopped. */
export interface TrainingState {
  readonly run?: Run;
  /** State of the generator of random numbers. */
  readonly random: readonly number[];
  readonly layers: readonly LayerState[];
}

export interface LayerState {
  /** Steps of the optimizer so far. */
  readonly updates: number;
  /** Scale of fake quantization; 0 if there is none yet. */
  readonly scale: number;
  /** The optimizer's moments by name, each (inputs, outputs). */
  readonly moments: ReadonlyMap<string, Float32Array>;
  /** Running mean activity of each neuron. */
  readonly meanActivity: Float32Array;
}

/** A network with its history. */
export interface Checkpoint {
  readonly network: Network;
  readonly data: DataInfo;
  readonly seed: number;
  readonly config: TrainConfig;
  /** Left out if nobody is going to train on. */
  readonly state?: TrainingState;
}

const FORMAT = 'goodness-checkpoint';
const VERSION = '1';

/** A checkpoint as a safetensors file; texts in the metadata are JSON, except `format` and `version`. */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const { network, data, seed, config, state } = checkpoint;
  const tensors = new Map<string, Tensor>();
  network.layers.forEach((layer, index) => {
    const shape = [layer.inputs, layer.outputs];
    tensors.set(`layer.${index}.weight`, { shape, data: layer.weights });
    const own = state?.layers[index];
    if (own === undefined) return;
    for (const [name, moment] of own.moments) tensors.set(`layer.${index}.moment.${name}`, { shape, data: moment });
    tensors.set(`layer.${index}.mean_activity`, { shape: [layer.outputs], data: own.meanActivity });
  });
  const metadata: Record<string, string> = {
    format: FORMAT,
    version: VERSION,
    shape: JSON.stringify(shapeOf(network)),
    data: JSON.stringify({
      name: data.name,
      classes: data.classes,
      scaling: { offset: [...data.scaling.offset], step: [...data.scaling.step] },
      geometry: data.geometry,
      features: data.features,
      others: data.others,
    }),
    seed: JSON.stringify(seed),
    recipe: JSON.stringify(config),
  };
  if (state !== undefined) {
    metadata.state = JSON.stringify({
      run: state.run,
      random: state.random,
      layers: state.layers.map(({ updates, scale, moments }) => ({ updates, scale, moments: [...moments.keys()] })),
    });
  }
  return encodeSafetensors({ tensors, metadata });
}

/**
 * Reads a checkpoint from outside.
 * @throws GoodnessError `checkpoint.format`, `checkpoint.version`, `checkpoint.field`, and what safetensors, network and recipe
 *   throw when they don't hold together
 */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const file = decodeSafetensors(bytes);
  const { metadata } = file;
  if (metadata.format !== FORMAT) {
    throw new GoodnessError('checkpoint.format', 'the file is no checkpoint of a Forward-Forward network', {
      expected: `metadata with the format ${FORMAT}`,
      got: metadata.format ?? 'none',
    });
  }
  if (metadata.version !== VERSION) {
    throw new GoodnessError('checkpoint.version', 'the checkpoint has an unknown version', {
      expected: VERSION,
      got: metadata.version ?? 'none',
      fix: 'Use the release of goodness that wrote it, or train again.',
    });
  }
  const network = readNetwork(file);
  const seed = parse(metadata, 'seed');
  if (typeof seed !== 'number' || !Number.isInteger(seed)) throw fieldError('seed', 'a whole number');
  const config = parse(metadata, 'recipe') as TrainConfig;
  try {
    validateConfig(config);
  } catch (cause) {
    if (cause instanceof GoodnessError) throw cause;
    throw fieldError('recipe', 'a whole recipe', cause);
  }
  const state = metadata.state === undefined ? undefined : readState(file, network);
  return { network, data: readData(metadata, network), seed, config, ...(state === undefined ? {} : { state }) };
}

function readNetwork(file: Safetensors): Network {
  const shape = parse(file.metadata, 'shape') as NetworkShape;
  if (!Array.isArray(shape?.hidden) || shape.preprocessing === undefined)
    throw fieldError('shape', 'the shape of a network');
  if (shape.objective !== 'partitioned' && shape.objective !== 'label') throw fieldError('shape', 'a known objective');
  const { subtractMin, encoding } = shape.preprocessing;
  if (typeof subtractMin !== 'boolean' || (encoding !== 'plain' && encoding !== 'complement')) {
    throw fieldError('shape', 'a known preprocessing');
  }
  const { hidden, ...rest } = shape;
  const layers = hidden.map((_, index): Layer => {
    const name = `layer.${index}.weight`;
    const { shape: size, data } = floats(file, name);
    if (size.length !== 2) throw fieldError(name, 'a matrix (inputs, outputs)');
    return { inputs: size[0]!, outputs: size[1]!, weights: data };
  });
  const network = { ...rest, layers };
  validateNetwork(network);
  if (layers.some((layer, index) => layer.outputs !== hidden[index]))
    throw fieldError('shape', 'the sizes of the weights');
  return network;
}

function readData(metadata: Readonly<Record<string, string>>, network: Network): DataInfo {
  const data = parse(metadata, 'data') as {
    name?: unknown;
    classes?: unknown;
    scaling?: { offset?: unknown; step?: unknown };
    geometry?: { width?: unknown; height?: unknown };
    features?: unknown;
    others?: unknown;
  };
  const { name, classes, scaling, geometry, features, others } = data ?? {};
  if (typeof name !== 'string') throw fieldError('data.name', 'a text');
  if (!isTexts(classes) || classes.length !== network.classes)
    throw fieldError('data.classes', `${network.classes} names`);
  const { offset, step } = scaling ?? {};
  const fits = (values: unknown): values is number[] =>
    isFinites(values) && (values.length === 1 || values.length === network.width);
  if (!fits(offset) || !fits(step)) throw fieldError('data.scaling', `1 or ${network.width} numbers`);
  if (features !== undefined && !isTexts(features)) throw fieldError('data.features', 'texts');
  if (others !== undefined && !(typeof others === 'string' && classes.includes(others)))
    throw fieldError('data.others', 'the name of a class');
  const { width, height } = geometry ?? {};
  if (
    geometry !== undefined &&
    (typeof width !== 'number' || typeof height !== 'number' || width * height !== network.width)
  ) {
    throw fieldError('data.geometry', `width x height = ${network.width}`);
  }
  return {
    name,
    classes,
    scaling: { offset: Float32Array.from(offset), step: Float32Array.from(step) },
    ...(geometry === undefined ? {} : { geometry: { width: width as number, height: height as number } }),
    ...(features === undefined ? {} : { features }),
    ...(others === undefined ? {} : { others }),
  };
}

function readState(file: Safetensors, network: Network): TrainingState {
  const state = parse(file.metadata, 'state') as {
    run?: Run;
    random?: unknown;
    layers?: { updates: unknown; scale: unknown; moments: unknown }[];
  };
  const { run, random, layers } = state ?? {};
  if (!Array.isArray(random) || random.length !== 5) throw fieldError('state.random', 'five numbers');
  if (!Array.isArray(layers) || layers.length !== network.layers.length)
    throw fieldError('state.layers', 'one per layer');
  if (run !== undefined) {
    const { epochs, batch, steps, step, orderSeed } = run;
    if (![epochs, batch, steps, step, orderSeed].every((n) => Number.isSafeInteger(n) && n >= 0) || step > steps) {
      throw fieldError('state.run', 'whole numbers');
    }
  }
  return {
    ...(run === undefined ? {} : { run }),
    // JSON has no NaN, which stands for "no spare number".
    random: random.map((n) => (typeof n === 'number' ? n : Number.NaN)),
    layers: layers.map(({ updates, scale, moments }, index): LayerState => {
      const layer = network.layers[index]!;
      if (typeof updates !== 'number' || typeof scale !== 'number' || !isTexts(moments)) {
        throw fieldError(`state.layers.${index}`, 'updates, scale and the names of moments');
      }
      return {
        updates,
        scale,
        moments: new Map(
          moments.map((name) => [name, sized(file, `layer.${index}.moment.${name}`, layer.weights.length)]),
        ),
        meanActivity: sized(file, `layer.${index}.mean_activity`, layer.outputs),
      };
    }),
  };
}

function parse(metadata: Readonly<Record<string, string>>, key: string): unknown {
  const text = metadata[key];
  if (text === undefined) throw fieldError(key, 'JSON');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw fieldError(key, 'JSON', cause);
  }
}

function floats(file: Safetensors, name: string): { shape: readonly number[]; data: Float32Array } {
  const tensor = file.tensors.get(name);
  if (!(tensor?.data instanceof Float32Array)) throw fieldError(name, 'a tensor of type F32');
  return { shape: tensor.shape, data: tensor.data };
}

function sized(file: Safetensors, name: string, length: number): Float32Array {
  const { data } = floats(file, name);
  if (data.length !== length) throw fieldError(name, `${length} values`);
  return data;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((v) => typeof v === 'string');
}

function isFinites(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((v) => Number.isFinite(v));
}

function fieldError(field: string, expected: string, cause?: unknown): GoodnessError {
  return new GoodnessError('checkpoint.field', `${field} of the checkpoint is missing or malformed`, {
    expected,
    cause,
  });
}
