import type { Random } from '../base/random.js';
import { distance, type MomentImages, type MomentTarget, predict } from './moment-images.js';
import { CENTRED, evenStances, nearbyPose, type Pose, randomPose, UPRIGHT } from './pose.js';

/** A pose with a change of contrast about the background, and how well it explains what the device saw. */
export interface Candidate {
  readonly pose: Pose;
  readonly gain: number;
  /** Distance to the device's moments: 1 is as good as sampling allows. */
  readonly distance: number;
}

/** Stances over which a spread is averaged: enough to make a difference of a fraction of a pixel. */
const STANCES = 12;
/** Stances for a first look. */
const FEW_STANCES = 5;

/** Judges poses of one set of moment images against one target. */
export class PoseJudge {
  private readonly images: MomentImages;
  private readonly target: MomentTarget;
  private readonly hides: boolean;
  private readonly predicted: Float32Array;
  private readonly stances = evenStances(STANCES);
  private readonly fewStances = evenStances(FEW_STANCES);

  /** @param hides whether things may stand in the way of the device */
  constructor(images: MomentImages, target: MomentTarget, hides = false) {
    this.hides = hides;
    this.images = images;
    this.target = target;
    this.predicted = new Float32Array(target.values.length);
  }

  /** @param roughly by fewer stances */
  judge(pose: Pose, gain: number, roughly = false): Candidate {
    const still = pose.spread === 0 && pose.wander === 0;
    const stances = still ? [CENTRED] : roughly ? this.fewStances : this.stances;
    predict(this.images, pose, stances, this.target.x, this.target.y, this.predicted);
    return { pose, gain, distance: distance(this.target, this.predicted, this.images.fill, gain) };
  }

  /** `count` poses from all over, and the upright one; the best `keep` of them, best first. */
  explore(count: number, keep: number, random: Random): Candidate[] {
    const found = [this.judge(UPRIGHT, 1)];
    for (let k = 0; k < count; k++)
      found.push(this.judge(randomPose(random, this.hides), Math.exp(0.15 * random.normal()), true));
    return found.sort((a, b) => a.distance - b.distance).slice(0, keep);
  }

  /**
   * Improves a candidate by `count` random moves whose size follows the success (the 1/5 rule of Rechenberg 1973).
   * @param still whether spread and contrast stay as they are
   */
  refine(from: Candidate, count: number, step: number, random: Random, still = false): Candidate {
    let best = this.judge(from.pose, from.gain);
    let size = step;
    for (let k = 0; k < count; k++) {
      const moved = nearbyPose(best.pose, size, random, this.hides);
      const { spread, wander } = best.pose;
      const pose = still ? { ...moved, spread, wander } : simplified(moved, size, random);
      const gain = still || random.uniform() < 0.6 ? best.gain : best.gain * Math.exp(0.3 * size * random.normal());
      const next = this.judge(pose, Math.max(0.2, Math.min(4, gain)));
      if (next.distance < best.distance) {
        best = next;
        size = Math.min(1, size * 1.4);
      } else {
        size = Math.max(0.003, size * 0.93);
      }
    }
    return best;
  }

  /** Puts back what hardly matters to its value in the upright pose: each time, the distance may grow by the factor `slack`. */
  simplify(from: Candidate, slack: number): Candidate {
    let best = from;
    for (const neutral of NEUTRAL) {
      const next = this.judge({ ...best.pose, ...neutral }, best.gain);
      if (next.distance < slack * best.distance) best = next;
    }
    const plain = this.judge(best.pose, 1);
    return plain.distance < slack * best.distance ? plain : best;
  }
}

const NEUTRAL: readonly Partial<Pose>[] = [
  { hidden: 0 },
  { wander: 0 },
  { spread: 0 },
  { moveX: 0 },
  { moveY: 0 },
  { scaleX: 0 },
  { scaleY: 0 },
  { shear: 0 },
  { angle: 0 },
];

/** Now and then tries without a spread: a spread of nearly 0 costs time and says nothing. */
function simplified(pose: Pose, size: number, random: Random): Pose {
  if (random.uniform() > 0.1) return pose;
  return random.uniform() < 0.5
    ? { ...pose, spread: pose.spread < 60 * size ? 0 : pose.spread }
    : { ...pose, wander: pose.wander < 0.1 * size ? 0 : pose.wander };
}
