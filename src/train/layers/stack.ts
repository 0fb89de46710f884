import type { Random } from '../../base/random.js';
import type { Backend } from '../backend.js';
import type { TrainConfig } from '../config.js';
import type { Values } from '../forward.js';
import { MEAN_SQUARES } from '../goodness/goodness.js';
import { groupCount, type Network } from '../network.js';
import { ofLayer } from './fake-quantization.js';
import type { TrainLayer } from './layer.js';
import { LayerTrainer } from './layer-trainer.js';
import type { OptimizerConfig } from './optimizer.js';

/** A closed-form step is a step of plain gradient descent. */
const PLAIN: OptimizerConfig = { kind: 'sgd', momentum: 0, weightDecay: 0 };

/** The layers of a network in training, and what goes through them. */
export interface LayerStack {
  readonly layers: readonly TrainLayer[];
  /** Groups that the neurons of a layer are split into. */
  readonly groups: number;
  /** Times that all layers move and learn after the pass of `forward`; 0 where they learn from that one. */
  readonly iterations: number;
  /** What the layers did last, (rows, outputs) each; learning may spend it. */
  readonly activities: readonly Float32Array[];
  /**
   * Passes a batch through all layers.
   * @param source (rows, inputs of a sample with its label, if the network reads labels)
   * @param drops whether inputs are dropped as the recipe says
   */
  forward(source: Uint8Array, rows: number, random: Random, drops?: boolean): void;
  /**
   * Moves all layers once more, on the batch of `forward`.
   * @param iteration from 0
   */
  iterate(iteration: number): void;
}

/**
 * The layers of a network, ready to be trained.
 * @param network its weights are copied
 */
export function createLayers(network: Network, config: TrainConfig, backend: Backend): TrainLayer[] {
  const { quantization, loss, stabilisers, threshold, online } = config;
  return network.layers.map((layer, index) => {
    const scale = quantization?.scales?.[index];
    const own = new LayerTrainer(
      layer,
      {
        groups: groupCount(network),
        goodness: network.goodness ?? MEAN_SQUARES,
        optimizer: online === undefined ? config.optimizer : PLAIN,
        threshold,
        theta: loss.theta,
        peer: config.peer / loss.softness,
        norm: stabilisers.norm,
        centring: stabilisers.centring,
        ...(quantization === undefined
          ? {}
          : {
              quantization: {
                bits: ofLayer(quantization.bits, index),
                always: quantization.epochs === 0,
                ...(scale === undefined ? {} : { scale }),
              },
            }),
      },
      backend,
    );
    const known = network.thresholds?.[index];
    if (known !== undefined) own.threshold.value = known;
    return own;
  });
}

/** Chance of an input of a layer to be dropped. */
export function dropoutOf(config: TrainConfig, layer: TrainLayer, index: number): number {
  const { inputDropout, dropout } = (layer.rounds ? config.quantization : undefined) ?? config;
  return index === 0 ? inputDropout : dropout;
}

/** Clears inputs from one place to another at random. For what a layer drops by itself there is no need of it; labels may not be dropped. */
export function dropInputs(x: Values, from: number, to: number, chance: number, random: Random): void {
  for (let i = from; i < to; i++) if (x[i] !== 0 && random.uniform() < chance) x[i] = 0;
}

/** Layers of which each is on top of the one below. */
export class Stack implements LayerStack {
  readonly layers: readonly TrainLayer[];
  readonly groups: number;
  readonly iterations = 0;
  private readonly config: TrainConfig;
  /** Inputs of the first layer that are labels: a sample that lost its label would be as positive as it is negative. */
  private readonly labels: number;
  private dropped = new Uint8Array(0);

  /** @param network its weights are copied */
  constructor(network: Network, config: TrainConfig, backend: Backend) {
    this.config = config;
    this.groups = groupCount(network);
    this.labels = network.objective === 'label' ? network.classes : 0;
    this.layers = createLayers(network, config, backend);
  }

  forward(source: Uint8Array, rows: number, random: Random, drops = true): void {
    let below: Values = source;
    this.layers.forEach((layer, index) => {
      let chance = drops ? dropoutOf(this.config, layer, index) : 0;
      if (index === 0 && chance > 0 && this.labels > 0) {
        below = this.drop(source, rows, layer.layer.inputs, chance, random);
        chance = 0;
      }
      layer.forward(below, rows, chance, random);
      below = layer.activities;
    });
  }

  /** A copy in which inputs are dropped, and labels are not. */
  private drop(source: Uint8Array, rows: number, inputs: number, chance: number, random: Random): Uint8Array {
    if (this.dropped.length !== rows * inputs) this.dropped = new Uint8Array(rows * inputs);
    const { dropped } = this;
    dropped.set(source.subarray(0, rows * inputs));
    for (let r = 0; r < rows; r++) dropInputs(dropped, r * inputs + this.labels, (r + 1) * inputs, chance, random);
    return dropped;
  }

  iterate(): void {}

  get activities(): readonly Float32Array[] {
    return this.layers.map((layer) => layer.activities);
  }
}
