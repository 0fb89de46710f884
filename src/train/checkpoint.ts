import type { Dataset } from '../data/dataset.js';
import { encodeSafetensors, type Tensor } from '../format/safetensors.js';
import type { TrainConfig } from './config.js';
import { type Network, shapeOf } from './network.js';
import type { Best, StopConfig } from './schedule/early-stop.js';

/** What a model must know of the data that it was trained on. */
export type DataInfo = Pick<
  Dataset,
  'name' | 'classes' | 'scaling' | 'geometry' | 'features' | 'others' | 'extractor' | 'oneClass'
>;

/** Where a run of training stands. */
export interface Run {
  readonly epochs: number;
  /** Of these, with rounded weights, after those in floating point; 0 where left out. */
  readonly rounded?: number;
  /** Samples per step. */
  readonly batch: number;
  readonly steps: number;
  /** Steps done. */
  readonly step: number;
  /** Seed of the order of the samples, and of what is held out. */
  readonly orderSeed: number;
  readonly stop?: StopConfig;
  /** Result on the held-out part after the last whole epoch, in percent, and the best one so far. */
  readonly heldOut?: number;
  readonly best?: Best;
}

/** All that a trainer needs, beside network and recipe, to go on as if it had never stopped. */
export interface TrainingState {
  readonly run?: Run;
  /** State of the generator of random numbers. */
  readonly random: readonly number[];
  readonly layers: readonly LayerState[];
  readonly readout?: Pick<LayerState, 'updates' | 'moments'>;
  /** The best network on the held-out part of the data so far. */
  readonly best?: Network;
}

export interface LayerState {
  /** Steps of the optimizer so far. */
  readonly updates: number;
  /** Value of one step of rounded weights; 0 if there is none yet. */
  readonly scale: number;
  /** The threshold, and the running means of positive and negative goodness that it may follow (NaN before the first). */
  readonly threshold: readonly [value: number, positive: number, negative: number];
  /** What the optimizer and other parts keep, by name: as many values as weights, inputs or outputs. */
  readonly moments: ReadonlyMap<string, Float32Array>;
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

export const CHECKPOINT_FORMAT = 'goodness-checkpoint';
export const CHECKPOINT_VERSION = '1';

/** A checkpoint as a safetensors file; texts in the metadata are JSON, except `format` and `version`. */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const { network, data, seed, config, state } = checkpoint;
  const tensors = new Map<string, Tensor>();
  addNetwork(tensors, network, '');
  const addMoments = (prefix: string, { moments }: Pick<LayerState, 'moments'>): void => {
    for (const [name, moment] of moments) {
      tensors.set(`${prefix}.moment.${name}`, { shape: [moment.length], data: moment });
    }
  };
  state?.layers.forEach((layer, index) => {
    addMoments(`layer.${index}`, layer);
  });
  if (state?.readout !== undefined) addMoments('readout', state.readout);
  if (state?.best !== undefined) addNetwork(tensors, state.best, 'best.');
  const metadata: Record<string, string> = {
    format: CHECKPOINT_FORMAT,
    version: CHECKPOINT_VERSION,
    shape: JSON.stringify(shapeOf(network)),
    ...(network.thresholds === undefined ? {} : { thresholds: JSON.stringify(network.thresholds) }),
    ...(network.readout === undefined ? {} : { readout: JSON.stringify(network.readout.from) }),
    data: JSON.stringify({
      name: data.name,
      classes: data.classes,
      scaling: { offset: [...data.scaling.offset], step: [...data.scaling.step] },
      geometry: data.geometry,
      features: data.features,
      others: data.others,
      extractor: data.extractor,
      oneClass: data.oneClass,
    }),
    seed: JSON.stringify(seed),
    recipe: JSON.stringify(config),
  };
  if (state !== undefined) {
    const { run, random, layers, readout, best } = state;
    const kept = ({ updates, moments }: Pick<LayerState, 'updates' | 'moments'>) => ({
      updates,
      moments: [...moments.keys()],
    });
    metadata.state = JSON.stringify({
      run,
      random,
      layers: layers.map((layer) => ({ ...kept(layer), scale: layer.scale, threshold: layer.threshold })),
      readout: readout && kept(readout),
      best: best && { thresholds: best.thresholds },
    });
  }
  return encodeSafetensors({ tensors, metadata });
}

function addNetwork(tensors: Map<string, Tensor>, network: Network, prefix: string): void {
  network.layers.forEach((layer, index) => {
    const shape = [layer.inputs, layer.outputs];
    tensors.set(`${prefix}layer.${index}.weight`, { shape, data: layer.weights });
    if (layer.mask !== undefined) tensors.set(`${prefix}layer.${index}.mask`, { shape, data: layer.mask });
  });
  if (network.readout === undefined) return;
  const { inputs, outputs, weights } = network.readout.layer;
  tensors.set(`${prefix}readout.weight`, { shape: [inputs, outputs], data: weights });
}
