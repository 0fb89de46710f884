import { GoodnessError } from '../base/errors.js';
import { type Dataset, select } from '../data/dataset.js';
import type { ModelObjective } from '../format/model.js';
import { NORMAL } from '../train/negatives/others.js';
import { goodnessUnit, type Network, thresholdOf } from '../train/network.js';

/** A network as the integers of a device stand for it. */
export interface DeviceNetwork extends Omit<Network, 'objective'> {
  readonly objective: ModelObjective;
  /** Threshold of each layer in mean squares. */
  readonly thetas: readonly number[];
  /** How much the mean squares of each layer count for the score. */
  readonly shares: readonly number[];
}

/** Why a network can run on the host only; undefined if a device can run it. */
export function hostOnly(network: Pick<Network, 'objective' | 'goodness' | 'recurrent'>): string | undefined {
  const { objective, goodness, recurrent } = network;
  if (recurrent !== undefined) return 'its layers see those above them, in several passes, and devices pass once';
  if (objective === 'unsupervised') return 'its classes come from a softmax read-out, which devices do not have';
  const kind = goodness?.kind ?? 'mean-squares';
  if (kind === 'mean-squares' || kind === 'sum-squares') return undefined;
  return `devices compute sums of squares, and its goodness is ${kind}`;
}

/**
 * A network as a device computes it. One-class networks become class-partitioned ones of a single class: what lies below the
 * novelty threshold is novel.
 * @throws GoodnessError `quantize.host` if only a host can run it
 */
export function deviceNetwork(network: Network): DeviceNetwork {
  const reason = hostOnly(network);
  if (reason !== undefined) {
    throw new GoodnessError('quantize.host', `the network has no device image: ${reason}`, {
      expected: 'a class-partitioned, label or one-class network with a goodness of squares',
      got: `objective ${network.objective}, goodness ${network.goodness?.kind ?? 'mean-squares'}`,
      fix: 'Train one of those, or use its checkpoint on the host.',
    });
  }
  const { goodness, thresholds, readout, scoredFrom = 0, objective, ...rest } = network;
  return {
    ...rest,
    objective: objective === 'label' ? 'label' : 'partitioned',
    thetas: network.layers.map((_, l) => thresholdOf(network, l) / goodnessUnit(network, l)),
    shares: network.layers.map((_, l) => (l < scoredFrom ? 0 : goodnessUnit(network, l))),
  };
}

/** The samples that a device's thresholds come from: for one-class networks the normal ones, as a class of their own. */
export function deviceData(network: Network, data: Dataset): Dataset {
  if (network.objective !== 'one-class' || data.classes.length === 1) return data;
  const normal: number[] = [];
  data.labels.forEach((label, i) => {
    if (label === NORMAL) normal.push(i);
  });
  return { ...select(data, normal), classes: data.classes.slice(0, 1) };
}
