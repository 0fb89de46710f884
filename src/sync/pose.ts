import type { Random } from '../base/random.js';
import { type Affine, compose, IDENTITY, rotation } from '../data/raster.js';

/**
 * How a sensor sees its world, and how much that differs from sample to sample. Order of changes: mirrored, scaled, sheared,
 * turned, moved.
 */
export interface Pose {
  /** Degrees anticlockwise, -180 to 180. */
  readonly angle: number;
  /** Natural logarithm of the size, horizontally and vertically. */
  readonly scaleX: number;
  readonly scaleY: number;
  /** Sideways move per unit of height. */
  readonly shear: number;
  /** Fraction of the image's side, to the right and down. */
  readonly moveX: number;
  readonly moveY: number;
  readonly mirrored: boolean;
  /** Each sample is turned by its own angle within +- this many degrees. */
  readonly spread: number;
  /** Each sample is moved by up to this fraction of the side, both ways. */
  readonly wander: number;
  /** Side of a square that hides a random place of each sample, as a fraction of the image's side: 0 to 0.9. */
  readonly hidden: number;
}

export const UPRIGHT: Pose = {
  angle: 0,
  scaleX: 0,
  scaleY: 0,
  shear: 0,
  moveX: 0,
  moveY: 0,
  mirrored: false,
  spread: 0,
  wander: 0,
  hidden: 0,
};

/** Where one sample stands within the spread: each number from -1 to 1. */
export interface Stance {
  readonly turn: number;
  readonly x: number;
  readonly y: number;
}

export const CENTRED: Stance = { turn: 0, x: 0, y: 0 };

/** The sampling of an image of side `side` in this pose. */
export function poseAffine(pose: Pose, stance: Stance, side: number): Affine {
  const mirror: Affine = pose.mirrored ? { ...IDENTITY, a: -1 } : IDENTITY;
  const scale: Affine = { ...IDENTITY, a: Math.exp(-pose.scaleX), d: Math.exp(-pose.scaleY) };
  const shear: Affine = { ...IDENTITY, b: pose.shear };
  const turn = rotation(pose.angle + pose.spread * stance.turn);
  const move: Affine = {
    ...IDENTITY,
    e: -side * (pose.moveX + pose.wander * stance.x),
    f: -side * (pose.moveY + pose.wander * stance.y),
  };
  return compose(compose(compose(compose(mirror, scale), shear), turn), move);
}

/**
 * `count` stances that fill the spread evenly: the angles at the middle of equal parts, the moves by a low-discrepancy
 * sequence (R2: Roberts 2018, "The unreasonable effectiveness of quasirandom sequences").
 */
export function evenStances(count: number): Stance[] {
  return Array.from({ length: count }, (_, q) => ({
    turn: (2 * q + 1) / count - 1,
    x: 2 * ((0.5 + 0.7548776662466927 * (q + 1)) % 1) - 1,
    y: 2 * ((0.5 + 0.5698402909980532 * (q + 1)) % 1) - 1,
  }));
}

/** A stance drawn at random. */
export function randomStance(random: Random): Stance {
  return { turn: random.between(-1, 1), x: random.between(-1, 1), y: random.between(-1, 1) };
}

/**
 * A pose to start a search from: mostly near upright, now and then anywhere on the circle or mirrored.
 * @param hides whether things may stand in the way
 */
export function randomPose(random: Random, hides: boolean): Pose {
  const far = random.uniform() < 0.4;
  return {
    angle: far ? random.between(-180, 180) : 30 * random.normal(),
    scaleX: 0.15 * random.normal(),
    scaleY: 0.15 * random.normal(),
    shear: 0.15 * random.normal(),
    moveX: 0.05 * random.normal(),
    moveY: 0.05 * random.normal(),
    mirrored: random.uniform() < 0.08,
    spread: random.uniform() < 0.5 ? 0 : random.between(5, 60),
    wander: random.uniform() < 0.7 ? 0 : random.between(0, 0.1),
    hidden: hides && random.uniform() < 0.4 ? random.between(0.15, 0.6) : 0,
  };
}

/** A pose near another one; `step` 1 is as far as random poses differ, and smaller steps move fewer numbers at a time. */
export function nearbyPose(pose: Pose, step: number, random: Random, hides: boolean): Pose {
  const move = (size: number): number => (random.uniform() < 0.5 ? size * step * random.normal() : 0);
  return {
    ...pose,
    angle: pose.angle + move(30),
    scaleX: clamp(pose.scaleX + move(0.15), -1.2, 1.2),
    scaleY: clamp(pose.scaleY + move(0.15), -1.2, 1.2),
    shear: clamp(pose.shear + move(0.2), -1.5, 1.5),
    moveX: clamp(pose.moveX + move(0.06), -0.6, 0.6),
    moveY: clamp(pose.moveY + move(0.06), -0.6, 0.6),
    spread: clamp(pose.spread + move(30), 0, 180),
    wander: clamp(pose.wander + move(0.06), 0, 0.3),
    hidden: hides ? clamp(pose.hidden + move(0.2), 0, 0.9) : 0,
  };
}

/** Chance that a square of side `size`, anywhere within an image of side `side`, covers the place `at` along one axis. */
export function coverage(size: number, side: number, at: number): number {
  const room = side - size;
  const covered = Math.min(at + 0.5, room) - Math.max(0, at + 0.5 - size);
  return room <= 0 ? 1 : clamp(covered / room, 0, 1);
}

function clamp(v: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, v));
}
