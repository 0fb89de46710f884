import { GoodnessError } from '../../base/errors.js';
import type { Random } from '../../base/random.js';
import type { Dataset, Geometry } from '../../data/dataset.js';
import { HybridMasks } from './hybrid.js';
import type { NegativesConfig } from './negatives.js';

/** Samples to draw from, as they come: before augmentation and pooling. */
export interface Samples {
  /** (count, width) bytes */
  readonly inputs: Uint8Array;
  readonly count: number;
}

/** Makes negative samples of bytes. */
export interface NegativeFeed {
  /**
   * @param positives (count, width) the positive samples of the step, augmented
   * @param target (count, width), overwritten
   * @param partners samples to mix with: all that are trained on, or the step's own
   * @param classes (count), overwritten with the classes of the negative samples where they have some
   */
  fill(
    positives: Uint8Array,
    target: Uint8Array,
    count: number,
    partners: Samples,
    random: Random,
    classes?: Uint8Array,
  ): void;
}

/**
 * What makes negative samples before pooling and encoding; `self` starts from positive ones and goes on later.
 * @param width bytes per sample
 * @param negatives samples of the kinds `data`, `others` and `proxy`
 * @throws GoodnessError `train.negatives` if what the kind needs is not there
 */
export function feedOf(
  config: NegativesConfig,
  width: number,
  geometry: Geometry | undefined,
  negatives: Dataset | undefined,
): NegativeFeed {
  switch (config.kind) {
    case 'hybrid': {
      if (geometry === undefined) {
        throw new GoodnessError('train.negatives', 'hybrid negatives are made of images', {
          expected: 'image data',
          got: 'vectors',
          fix: 'Use shuffled negatives.',
        });
      }
      const masks = new HybridMasks(geometry, config.blurs);
      const row = (rows: Uint8Array, s: number): Uint8Array => rows.subarray(s * width, (s + 1) * width);
      return {
        fill: (positives, target, count, partners, random) => {
          for (let s = 0; s < count; s++) {
            const other = otherThan(s, partners, positives, random);
            masks.join(row(positives, s), row(partners.inputs, other), row(target, s), random);
          }
        },
      };
    }
    case 'shuffled':
      return {
        fill: (_positives, target, count, partners, random) => {
          for (let k = 0; k < count * width; k++) {
            target[k] = partners.inputs[random.integer(partners.count) * width + (k % width)]!;
          }
        },
      };
    case 'data':
    case 'others':
    case 'proxy':
      return fromData(config.kind, width, negatives);
    default:
      return {
        fill: (positives, target, count) => {
          target.set(positives.subarray(0, count * width));
        },
      };
  }
}

/** Place of a partner; another one than the sample itself, if there is another. */
function otherThan(sample: number, partners: Samples, positives: Uint8Array, random: Random): number {
  const chosen = random.integer(partners.count);
  return partners.inputs === positives && chosen === sample ? (chosen + 1) % partners.count : chosen;
}

function fromData(kind: string, width: number, data: Dataset | undefined): NegativeFeed {
  if (data === undefined || data.count === 0) {
    throw new GoodnessError('train.negatives', `there are no samples for the negatives ${kind}`, {
      expected: 'a data set of at least one sample',
      got: 'none',
    });
  }
  if (data.width !== width) {
    throw new GoodnessError('train.negatives', `the negatives of ${data.name} do not fit the network`, {
      expected: `${width} inputs`,
      got: String(data.width),
    });
  }
  return {
    fill: (_positives, target, count, _partners, random, classes) => {
      for (let s = 0; s < count; s++) {
        const chosen = random.integer(data.count);
        target.set(data.inputs.subarray(chosen * width, (chosen + 1) * width), s * width);
        if (classes !== undefined) classes[s] = data.labels[chosen]!;
      }
    },
  };
}
