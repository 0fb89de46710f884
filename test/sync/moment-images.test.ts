import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { BYTE_SCALING, type Dataset } from '../../src/data/dataset.js';
import { pool } from '../../src/data/pool.js';
import { applyShift } from '../../src/data/shift.js';
import { changeAppearance, PLAIN } from '../../src/sync/appearance.js';
import { fitFlow, flowAt } from '../../src/sync/flow.js';
import { distance, momentImages, momentTarget, predict } from '../../src/sync/moment-images.js';
import { CENTRED, evenStances, poseAffine, UPRIGHT } from '../../src/sync/pose.js';
import { backgroundOf, clampedMoments, FAITHFUL, respond, tabulate } from '../../src/sync/response.js';
import { gatherStatistics } from '../../src/sync/statistics.js';

const SIDE = 24;

/** Soft blots at places that depend on the class, with some scatter. */
function blots(count: number, seed: number): Dataset {
  const random = new Random(seed);
  const inputs = new Uint8Array(count * SIDE * SIDE);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 4);
  for (let i = 0; i < count; i++) {
    const spots = Array.from({ length: 3 }, (_, s) => ({
      x: 12 + 5 * Math.cos(labels[i]! + 2 * s) + 0.7 * random.normal(),
      y: 12 + 5 * Math.sin(2 * labels[i]! + s) + 0.7 * random.normal(),
    }));
    for (let p = 0; p < SIDE * SIDE; p++) {
      let v = 0;
      for (const { x, y } of spots) v += 180 * Math.exp(-(((p % SIDE) - x) ** 2 + (Math.floor(p / SIDE) - y) ** 2) / 5);
      inputs[i * SIDE * SIDE + p] = Math.min(255, v);
    }
  }
  const geometry = { width: SIDE, height: SIDE };
  return {
    name: 'blots',
    inputs,
    labels,
    count,
    width: SIDE * SIDE,
    classes: ['a', 'b', 'c', 'd'],
    geometry,
    scaling: BYTE_SCALING,
  };
}

const data = blots(400, 1);
const classes = [0, 1, 2, 3];

describe('moment images', () => {
  it.each([
    ['none', 1, UPRIGHT],
    ['rot25', 1, { ...UPRIGHT, angle: 25 }],
    ['rot25', 2, { ...UPRIGHT, angle: 25 }],
    ['translate3,-2', 2, { ...UPRIGHT, moveX: 3 / SIDE, moveY: -2 / SIDE }],
    ['scale80', 3, { ...UPRIGHT, scaleX: Math.log(0.8), scaleY: Math.log(0.8) }],
    ['shear30', 1, { ...UPRIGHT, shear: 0.3 }],
    ['jitter30', 1, { ...UPRIGHT, spread: 30 }],
  ])('predict what a device sees after %s with pooling %i', (shift, factor, pose) => {
    const seen = gatherStatistics(pool(applyShift(data, shift, 3), factor));
    const images = momentImages(data, classes, factor, PLAIN, FAITHFUL);
    const target = momentTarget(seen, classes, data.geometry!, factor, 1);
    const predicted = new Float32Array(target.values.length);
    predict(images, pose, pose.spread > 0 ? evenStances(16) : [CENTRED], target.x, target.y, predicted);
    const right = distance(target, predicted, images.fill, 1);
    predict(images, { ...pose, angle: pose.angle + 25 }, [CENTRED], target.x, target.y, predicted);
    expect(right).toBeLessThan(0.1 * distance(target, predicted, images.fill, 1));
  });

  it('predict noise, contrast and inversion of the sensor', () => {
    for (const response of [
      { gain: 1, offset: 0, noise: 40 },
      { gain: -1, offset: 255, noise: 0 },
      { gain: 0.5, offset: 30, noise: 10 },
    ]) {
      const random = new Random(4);
      const noisy = { ...data, inputs: data.inputs.map((v) => respond(response, v, random)) };
      const seen = gatherStatistics(pool(noisy, 2));
      const images = momentImages(data, classes, 2, PLAIN, response);
      const target = momentTarget(seen, classes, data.geometry!, 2, 1);
      const predicted = new Float32Array(target.values.length);
      predict(images, UPRIGHT, [CENTRED], target.x, target.y, predicted);
      expect(distance(target, predicted, images.fill, 1)).toBeLessThan(1.2);
    }
  });
});

describe('a pose', () => {
  it('does the same as the shift of that name', () => {
    const m = poseAffine({ ...UPRIGHT, angle: 90 }, CENTRED, SIDE);
    expect([m.a, m.b, m.c, m.d].map((v) => Math.round(v))).toEqual([0, -1, 1, 0]);
  });

  it('spreads its stances evenly about the middle', () => {
    const turns = evenStances(5).map((s) => s.turn);
    [-0.8, -0.4, 0, 0.4, 0.8].forEach((turn, k) => {
      expect(turns[k]).toBeCloseTo(turn);
    });
  });
});

describe('a response', () => {
  it('has the clamped moments that drawing shows', () => {
    const random = new Random(9);
    for (const [mean, deviation] of [
      [0, 40],
      [250, 30],
      [100, 20],
      [-50, 60],
    ] as const) {
      let [sum, squares] = [0, 0];
      const n = 40000;
      for (let i = 0; i < n; i++) {
        const v = Math.max(0, Math.min(255, mean + deviation * random.normal()));
        sum += v / n;
        squares += (v * v) / n;
      }
      const m = clampedMoments(mean, deviation);
      expect(Math.abs(m.mean - sum)).toBeLessThan(0.5);
      expect(Math.abs(Math.sqrt(m.variance) - Math.sqrt(squares - sum * sum))).toBeLessThan(0.5);
    }
    expect(tabulate({ gain: -1, offset: 255, noise: 0 }).mean[200]).toBe(55);
  });

  it.each([
    ['noise50', 1, 0, 50],
    ['noise50', 2, 0, 50],
    ['offset40', 1, 40, 0],
    ['none', 1, 0, 0],
    ['scale130+thick', 1, 0, 0],
  ])('is read off the background after %s with pooling %i', (shift, factor, offset, noise) => {
    const host = gatherStatistics(pool(data, factor));
    const seen = gatherStatistics(pool(applyShift(data, shift, 3), factor));
    const background = backgroundOf(host, seen, factor)!;
    expect(Math.abs(background.offset - offset)).toBeLessThanOrEqual(8);
    expect(Math.abs(background.noise - noise)).toBeLessThanOrEqual(8);
  });
});

describe('an appearance', () => {
  it('thickens, thins and blurs', () => {
    const sum = (d: Dataset): number => d.inputs.reduce((s, v) => s + v, 0);
    const thick = sum(changeAppearance(data, { stroke: 1, blur: 0 }));
    const half = sum(changeAppearance(data, { stroke: 0.5, blur: 0 }));
    expect(applyShift(data, 'thick', 1).inputs).toEqual(changeAppearance(data, { stroke: 1, blur: 0 }).inputs);
    expect(applyShift(data, 'blur3', 1).inputs).toEqual(changeAppearance(data, { stroke: 0, blur: 3 }).inputs);
    expect(half / ((sum(data) + thick) / 2)).toBeCloseTo(1, 1);
    expect(sum(changeAppearance(data, { stroke: -1, blur: 0 }))).toBeLessThan(sum(data));
    expect(changeAppearance(data, PLAIN)).toBe(data);
  });
});

describe('a flow', () => {
  it.each([1, 2])('finds a bend that it is shown, with pooling %i', (factor) => {
    const seen = gatherStatistics(pool(applyShift(data, 'warp1.5', 8), factor));
    const images = momentImages(data, classes, factor, PLAIN, FAITHFUL);
    const target = momentTarget(seen, classes, data.geometry!, factor, 1);
    const all = Float32Array.from({ length: SIDE * SIDE }, (_, k) => k % SIDE);
    const down = Float32Array.from({ length: SIDE * SIDE }, (_, k) => Math.floor(k / SIDE));
    const flat = new Float32Array(SIDE * SIDE * target.channels);
    predict(images, UPRIGHT, [CENTRED], all, down, flat);
    const still = new Float32Array(target.values.length);
    predict(images, UPRIGHT, [CENTRED], target.x, target.y, still);
    const side = SIDE / factor;
    const flow = fitFlow(flat, data.geometry!, { width: side, height: side }, factor, target);
    const bent = new Float32Array(target.values.length);
    const xs = target.x.map((v, p) => v + flow.x[p]!);
    const ys = target.y.map((v, p) => v + flow.y[p]!);
    predict(images, UPRIGHT, [CENTRED], xs, ys, bent);
    expect(distance(target, bent, images.fill, 1)).toBeLessThan(0.1 * distance(target, still, images.fill, 1));
    const [dx] = flowAt(flow, factor, target.x[0]!, target.y[0]!);
    expect(dx).toBeCloseTo(flow.x[0]!, 4);
  });
});
