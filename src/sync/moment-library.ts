import type { Random } from '../base/random.js';
import { type Dataset, select } from '../data/dataset.js';
import { type Appearance, PLAIN } from './appearance.js';
import { addDifference, type MomentImages, momentImages } from './moment-images.js';
import { FAITHFUL, isFaithful, type Response } from './response.js';

/** Samples of each class that tell roughly what an appearance or a response changes. */
const FEW = 150;
/** Samples of each class that tell it well. */
const MANY = 1000;

/** Moment images of one host for any appearance and response, each made once. */
export class MomentLibrary {
  /** Some of the host's samples, equally many of each class. */
  readonly sample: Dataset;
  private readonly host: Dataset;
  private readonly large: Dataset;
  private readonly classes: readonly number[];
  private readonly pool: number;
  private readonly made = new Map<string, MomentImages>();

  constructor(host: Dataset, classes: readonly number[], pool: number, random: Random) {
    this.host = host;
    this.classes = classes;
    this.pool = pool;
    this.sample = sampleOf(host, FEW, random);
    this.large = sampleOf(host, MANY, random);
  }

  /** Quickly: the moments of all samples, plus what changes in a few of them. */
  rough(appearance: Appearance, response: Response): MomentImages {
    if (isPlain(appearance) && isFaithful(response)) return this.exact(appearance, response);
    return this.once('rough', appearance, response, () => {
      const after = momentImages(this.sample, this.classes, this.pool, appearance, response);
      const before = this.once('few', PLAIN, FAITHFUL, () =>
        momentImages(this.sample, this.classes, this.pool, PLAIN, FAITHFUL),
      );
      return addDifference(this.exact(PLAIN, FAITHFUL), after, before);
    });
  }

  /** From many samples, all of them where nothing has to be changed. */
  exact(appearance: Appearance, response: Response): MomentImages {
    const data = isPlain(appearance) ? this.host : this.large;
    return this.once('exact', appearance, response, () =>
      momentImages(data, this.classes, this.pool, appearance, response),
    );
  }

  private once(kind: string, a: Appearance, r: Response, make: () => MomentImages): MomentImages {
    const key = [kind, a.stroke, a.blur, r.gain, r.offset, r.noise].join(' ');
    let images = this.made.get(key);
    if (images === undefined) {
      images = make();
      this.made.set(key, images);
    }
    return images;
  }
}

function isPlain(a: Appearance): boolean {
  return a.stroke === 0 && a.blur === 0;
}

function sampleOf(data: Dataset, perClass: number, random: Random): Dataset {
  const left = new Uint32Array(data.classes.length).fill(perClass);
  const chosen: number[] = [];
  for (const i of random.permutation(data.count)) {
    const label = data.labels[i]!;
    if (left[label]! === 0) continue;
    left[label]!--;
    chosen.push(i);
  }
  return chosen.length === data.count ? data : select(data, chosen);
}
