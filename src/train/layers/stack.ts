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

/** The layers of a network in training, each on top of the one below. */
export class Stack {
  readonly layers: readonly TrainLayer[];
  readonly groups: number;
  private readonly config: TrainConfig;

  /** @param network its weights are copied */
  constructor(network: Network, config: TrainConfig, backend: Backend) {
    const { quantization, loss, stabilisers, threshold, online } = config;
    this.config = config;
    this.groups = groupCount(network);
    this.layers = network.layers.map((layer, index) => {
      const scale = quantization?.scales?.[index];
      const own = new LayerTrainer(
        layer,
        {
          groups: this.groups,
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

  /**
   * Passes a batch through all layers.
   * @param source (rows, inputs of the first layer)
   * @param drops whether inputs are dropped as the recipe says
   */
  forward(source: Values, rows: number, random: Random, drops = true): void {
    let below = source;
    const { config } = this;
    this.layers.forEach((layer, index) => {
      const { inputDropout, dropout } = (layer.rounds ? config.quantization : undefined) ?? config;
      layer.forward(below, rows, drops ? (index === 0 ? inputDropout : dropout) : 0, random);
      below = layer.activities;
    });
  }

  get activities(): readonly Float32Array[] {
    return this.layers.map((layer) => layer.activities);
  }
}
