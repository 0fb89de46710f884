import * as v from 'valibot';
import { GoodnessError } from '../base/errors.js';
import { checked } from '../base/schema.js';
import type { OneClass } from '../data/dataset.js';
import { isExtractor } from '../format/meta.js';
import { decodeSafetensors, type Safetensors } from '../format/safetensors.js';
import {
  CHECKPOINT_FORMAT,
  CHECKPOINT_VERSION,
  type Checkpoint,
  type DataInfo,
  type LayerState,
  type TrainingState,
} from './checkpoint.js';
import { completeConfig, type PartialTrainConfig, surroundingsOf } from './config.js';
import { GOODNESS, whole } from './config-schema.js';
import {
  type Layer,
  labelCount,
  type Network,
  type NetworkShape,
  OBJECTIVES,
  type Readout,
  validateNetwork,
} from './network.js';

/**
 * Reads a checkpoint from outside.
 * @throws GoodnessError `checkpoint.format`, `checkpoint.version`, `checkpoint.field`, and what safetensors, network and recipe
 *   throw when they don't hold together
 */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const file = decodeSafetensors(bytes);
  const { metadata } = file;
  if (metadata.format !== CHECKPOINT_FORMAT) {
    throw new GoodnessError('checkpoint.format', 'the file is no checkpoint of a Forward-Forward network', {
      expected: `metadata with the format ${CHECKPOINT_FORMAT}`,
      got: metadata.format ?? 'none',
    });
  }
  if (metadata.version !== CHECKPOINT_VERSION) {
    throw new GoodnessError('checkpoint.version', 'the checkpoint has an unknown version', {
      expected: CHECKPOINT_VERSION,
      got: metadata.version ?? 'none',
      fix: 'Use the release of goodness that wrote it, or train again.',
    });
  }
  const network = readNetwork(file, metadata, '');
  const seed = parse(metadata, 'seed');
  if (typeof seed !== 'number' || !Number.isInteger(seed)) throw fieldError('seed', 'a whole number');
  const data = readData(metadata, network);
  const recipe = parse(metadata, 'recipe');
  if (typeof recipe !== 'object' || recipe === null) throw fieldError('recipe', 'a recipe');
  const config = completeConfig(recipe as PartialTrainConfig, surroundingsOf(network, data.geometry));
  const state = metadata.state === undefined ? undefined : readState(file, network);
  return { network, data, seed, config, ...(state === undefined ? {} : { state }) };
}

const POSITIVE = v.pipe(v.number(), v.finite(), v.gtValue(0));
const SHAPE = v.strictObject({
  width: whole(1),
  classes: whole(1),
  objective: v.picklist(OBJECTIVES),
  preprocessing: v.strictObject({ subtractMin: v.boolean(), encoding: v.picklist(['plain', 'complement']) }),
  labelValue: whole(0, 255),
  theta: POSITIVE,
  goodness: v.exactOptional(GOODNESS),
  scoredFrom: v.exactOptional(whole(0)),
  recurrent: v.exactOptional(
    v.strictObject({
      iterations: whole(1),
      damping: v.number(),
      scored: v.tuple([whole(1), whole(1)]),
      frames: whole(1),
    }),
  ),
  hidden: v.array(whole(1)),
});

/** @param metadata with thresholds and read-out, if there are some */
function readNetwork(file: Safetensors, metadata: Readonly<Record<string, string>>, prefix: string): Network {
  const given = parse(file.metadata, 'shape');
  if (typeof given !== 'object' || given === null) throw fieldError('shape', 'the shape of a network');
  const shape = checked(SHAPE, given, 'checkpoint.field', 'the shape of the checkpoint') as NetworkShape;
  const { hidden, ...rest } = shape;
  const readLayer = (name: string): Layer => {
    const { shape: size, data } = floats(file, `${name}.weight`);
    if (size.length !== 2) throw fieldError(`${name}.weight`, 'a matrix (inputs, outputs)');
    const mask = file.tensors.get(`${name}.mask`)?.data;
    if (mask !== undefined && !(mask instanceof Uint8Array)) throw fieldError(`${name}.mask`, 'a tensor of type U8');
    return { inputs: size[0]!, outputs: size[1]!, weights: data, ...(mask === undefined ? {} : { mask }) };
  };
  const layers = hidden.map((_, index) => readLayer(`${prefix}layer.${index}`));
  const thresholds = metadata.thresholds === undefined ? undefined : parse(metadata, 'thresholds');
  if (thresholds !== undefined && !isFinites(thresholds)) throw fieldError('thresholds', 'numbers');
  const from = metadata.readout === undefined ? undefined : parse(metadata, 'readout');
  const readout: Readout | undefined =
    from === undefined ? undefined : { from: from as number, layer: readLayer(`${prefix}readout`) };
  const network: Network = {
    ...rest,
    layers,
    ...(thresholds === undefined ? {} : { thresholds }),
    ...(readout === undefined ? {} : { readout }),
  };
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
    extractor?: unknown;
    oneClass?: { classes?: unknown; normal?: unknown };
  };
  const { name, classes, scaling, geometry, features, others, extractor, oneClass } = data ?? {};
  if (typeof name !== 'string') throw fieldError('data.name', 'a text');
  if (!isTexts(classes) || classes.length !== labelCount(network))
    throw fieldError('data.classes', `${labelCount(network)} names`);
  const { offset, step } = scaling ?? {};
  const fits = (values: unknown): values is number[] =>
    isFinites(values) && (values.length === 1 || values.length === network.width);
  if (!fits(offset) || !fits(step)) throw fieldError('data.scaling', `1 or ${network.width} numbers`);
  if (features !== undefined && !isTexts(features)) throw fieldError('data.features', 'texts');
  if (others !== undefined && !(typeof others === 'string' && classes.includes(others)))
    throw fieldError('data.others', 'the name of a class');
  if (extractor !== undefined && !isExtractor(extractor)) throw fieldError('data.extractor', 'an extractor');
  const known = oneClass?.classes;
  const normal = oneClass?.normal;
  if (oneClass !== undefined && !(isTexts(known) && isTexts(normal) && normal.every((n) => known.includes(n))))
    throw fieldError('data.oneClass', 'names of classes, and of those that are normal');
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
    ...(extractor === undefined ? {} : { extractor }),
    ...(oneClass === undefined ? {} : { oneClass: oneClass as OneClass }),
  };
}

const NUMBER_OR_NULL = v.nullable(v.number());
const KEPT = { updates: whole(0), moments: v.array(v.string()) };
const STATE = v.strictObject({
  run: v.exactOptional(
    v.strictObject({
      epochs: whole(1),
      rounded: v.exactOptional(whole(1)),
      batch: whole(1),
      steps: whole(1),
      step: whole(0),
      orderSeed: whole(0, 0xffffffff),
      stop: v.exactOptional(v.strictObject({ holdout: POSITIVE, patience: v.exactOptional(whole(1)) })),
      heldOut: v.exactOptional(v.number()),
      best: v.exactOptional(v.strictObject({ score: v.number(), epoch: v.number() })),
    }),
  ),
  random: v.pipe(v.array(NUMBER_OR_NULL), v.length(5)),
  layers: v.array(
    v.strictObject({ ...KEPT, scale: v.number(), threshold: v.tuple([v.number(), NUMBER_OR_NULL, NUMBER_OR_NULL]) }),
  ),
  readout: v.exactOptional(v.strictObject(KEPT)),
  best: v.exactOptional(v.strictObject({ thresholds: v.exactOptional(v.array(v.number())) })),
});

function readState(file: Safetensors, network: Network): TrainingState {
  const given = parse(file.metadata, 'state');
  if (typeof given !== 'object' || given === null) throw fieldError('state', 'the state of a training');
  const state = checked(STATE, given, 'checkpoint.field', 'the state of the checkpoint');
  const { run, random, layers, readout, best } = state;
  if (layers.length !== network.layers.length) throw fieldError('state.layers', 'one per layer');
  if (run !== undefined && run.step > run.steps) throw fieldError('state.run', 'a step within the run');
  const momentsOf = (prefix: string, names: readonly string[]): Map<string, Float32Array> =>
    new Map(names.map((name) => [name, floats(file, `${prefix}.moment.${name}`).data]));
  const { thresholds: _, ...plain } = file.metadata;
  const own = best?.thresholds === undefined ? {} : { thresholds: JSON.stringify(best.thresholds) };
  return {
    ...(run === undefined ? {} : { run }),
    // JSON has no NaN, which stands for "no spare number".
    random: random.map((n) => n ?? Number.NaN),
    layers: layers.map(({ updates, scale, threshold: [value, positive, negative], moments }, index): LayerState => {
      return {
        updates,
        scale,
        threshold: [value, positive ?? Number.NaN, negative ?? Number.NaN],
        moments: momentsOf(`layer.${index}`, moments),
      };
    }),
    ...(readout === undefined
      ? {}
      : { readout: { updates: readout.updates, moments: momentsOf('readout', readout.moments) } }),
    ...(best === undefined ? {} : { best: readNetwork(file, { ...plain, ...own }, 'best.') }),
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
