import { GoodnessError } from '../../base/errors.js';
import type { Geometry } from '../../data/dataset.js';
import type { ObjectiveName } from '../network.js';
import type { AscentConfig } from './ascent.js';

/**
 * Where negative data come from.
 *
 * With the label in the input a negative is the same sample with another label:
 * - `random`: any wrong one, all equally likely;
 * - `hard`: a wrong one that the network finds likely (Hinton 2022, section 3.3), by its goodness or by its read-out;
 * - `self`: one drawn from the network's own predictions, right ones included: where it is right, the phases cancel.
 *
 * Else it is a sample of its own:
 * - `hybrid`: two images joined along a mask of blobs (section 3.2);
 * - `shuffled`: each input from another sample: every input looks right, and nothing fits together;
 * - `others`: samples of classes that are not to be learned;
 * - `data`: samples of a data set of its own;
 * - `proxy`: samples of a host's picture of what a device sees, with their classes: a class-partitioned layer's group of the own
 *   class is left alone, as the device has done that half itself;
 * - `self`: samples that the network itself finds good, found by climbing its goodness;
 * - `predicted`: windows of symbols that end in what the network itself would have them go on with;
 * - `none`: positive data only; something else must keep goodness from growing for everything (see `centring`).
 *
 * Class-partitioned layers need none: a sample is negative for the groups of all other classes (`rivals`). With one of the
 * above besides, its samples are negative for all groups.
 */
export type NegativesConfig =
  | { readonly kind: 'rivals' }
  | { readonly kind: 'random' }
  | { readonly kind: 'shuffled' }
  | { readonly kind: 'none' }
  | { readonly kind: 'hard'; readonly from: 'goodness' | 'readout' }
  | { readonly kind: 'hybrid'; readonly blurs: number }
  | { readonly kind: 'others'; readonly classes?: readonly string[] }
  | { readonly kind: 'data'; readonly path?: string }
  | { readonly kind: 'proxy'; readonly statistics?: string }
  | { readonly kind: 'predicted'; readonly symbols: number }
  | ({ readonly kind: 'self' } & AscentConfig);

export type NegativesKind = NegativesConfig['kind'];

/** Which kinds an objective can learn from; its default comes first. */
export const NEGATIVES_OF: Readonly<Record<ObjectiveName, readonly NegativesKind[]>> = {
  partitioned: ['rivals', 'hybrid', 'shuffled', 'data', 'proxy', 'self'],
  label: ['hard', 'random', 'self'],
  unsupervised: ['hybrid', 'shuffled', 'others', 'data', 'proxy', 'self', 'predicted', 'none'],
  'one-class': ['self', 'shuffled', 'hybrid', 'others', 'data', 'proxy', 'none'],
};

const DEFAULTS: Readonly<Record<NegativesKind, NegativesConfig>> = {
  rivals: { kind: 'rivals' },
  random: { kind: 'random' },
  hard: { kind: 'hard', from: 'goodness' },
  hybrid: { kind: 'hybrid', blurs: 6 },
  shuffled: { kind: 'shuffled' },
  others: { kind: 'others' },
  data: { kind: 'data' },
  proxy: { kind: 'proxy' },
  predicted: { kind: 'predicted', symbols: 1 },
  self: { kind: 'self', steps: 5, size: 0.1, noise: 0.02 },
  none: { kind: 'none' },
};

export const NEGATIVES_KINDS = Object.keys(DEFAULTS) as readonly NegativesKind[];

/** Negatives of which only the kind need be said. */
export type PartialNegatives =
  | NegativesKind
  | { [K in NegativesKind]: Partial<Extract<NegativesConfig, { kind: K }>> & { readonly kind: K } }[NegativesKind];

/**
 * The configuration with everything filled in.
 * @throws GoodnessError `train.config` if the objective can't learn from them
 */
export function completeNegatives(
  partial: PartialNegatives | undefined,
  objective: ObjectiveName,
  geometry: Geometry | undefined,
): NegativesConfig {
  const kinds = NEGATIVES_OF[objective];
  // Hybrid masks are for images.
  const usual = kinds[0] === 'hybrid' && geometry === undefined ? kinds[1]! : kinds[0]!;
  const given = typeof partial === 'string' ? { kind: partial } : (partial ?? { kind: usual });
  if (!kinds.includes(given.kind)) {
    throw new GoodnessError('train.config', `the objective ${objective} can not learn from these negatives`, {
      expected: kinds.join(', '),
      got: String(given.kind),
    });
  }
  return { ...DEFAULTS[given.kind], ...given } as NegativesConfig;
}

/** Whether negatives are samples of their own, in rows of their own. */
export function hasOwnRows(negatives: NegativesConfig, objective: ObjectiveName): boolean {
  return objective === 'label' || (negatives.kind !== 'rivals' && negatives.kind !== 'none');
}
