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
   */
  fill(positives: Uint8Array, target: Uint8Array, count: number, partners: Samples, random: Random): void;
}

/**
 * What makes negative samples before pooling and encoding; `self` starts from positive ones and goes on later.
 * @param width bytes per sample
 * @param negatives samples of kinds `data` and `others`
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
      return {
        fill: (positives, target, count, partners, random) => {
          for (let s = 0; s < count; s++) {
            const from = partners.inputs.subarray(...other(partners, positives, s, width, random));
            const to = target.subarray(s * width, (s + 1) * width);
            masks.join(positives.subarray(s * width, (s + 1) * width), from, to, random);
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
      return fromData(config.kind, width, negatives);
    default:
      return {
        fill: (positives, target, count) => {
          target.set(positives.subarray(0, count * width));
        },
      };
  }
}

/** Where a partner lies; another one than the sample itself, if there is another. */
function other(
  partners: Samples,
  positives: Uint8Array,
  sample: number,
  width: number,
  random: Random,
): [number, number] {
  let p = random.integer(partners.count);
  if (partners.inputs === positives && p === sample) p = (p + 1) % partners.count;
  return [p * width, (p + 1) * width];
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
    fill: (_positives, target, count, _partners, random) => {
      for (let s = 0; s < count; s++) {
        const from = random.integer(data.count) * width;
        target.set(data.inputs.subarray(from, from + width), s * width);
      }
    },
  };
}
