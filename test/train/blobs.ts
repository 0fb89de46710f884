import { Random } from '../../src/base/random.js';
import { BYTE_SCALING, type Dataset } from '../../src/data/dataset.js';

/** Gaussian clouds of bytes: three classes, six features, some overlap. */
export function blobs(count: number, seed: number, deviation = 18): Dataset {
  const centres = [
    [60, 120, 200, 90, 128, 40],
    [120, 60, 200, 140, 128, 90],
    [90, 90, 140, 190, 128, 140],
  ];
  const random = new Random(seed);
  const inputs = new Uint8Array(count * 6);
  const labels = new Uint8Array(count);
  for (let s = 0; s < count; s++) {
    labels[s] = s % 3;
    for (let i = 0; i < 6; i++) {
      const value = Math.round(centres[s % 3]![i]! + deviation * random.normal());
      inputs[s * 6 + i] = Math.max(0, Math.min(255, value));
    }
  }
  return { name: 'blobs', inputs, labels, count, width: 6, classes: ['a', 'b', 'c'], scaling: BYTE_SCALING };
}

/** Small images (8 x 8) of a bright bar, horizontal or vertical or slanted, at a random place. */
export function bars(count: number, seed: number): Dataset {
  const random = new Random(seed);
  const inputs = new Uint8Array(count * 64);
  const labels = new Uint8Array(count);
  for (let s = 0; s < count; s++) {
    const label = s % 3;
    labels[s] = label;
    const place = 2 + random.integer(4);
    for (let k = 0; k < 8; k++) {
      const [x, y] = label === 0 ? [k, place] : label === 1 ? [place, k] : [k, Math.min(7, Math.max(0, k + place - 4))];
      inputs[s * 64 + y! * 8 + x!] = 150 + random.integer(100);
    }
  }
  return {
    name: 'bars',
    inputs,
    labels,
    count,
    width: 64,
    classes: ['-', '|', '\\'],
    geometry: { width: 8, height: 8 },
    scaling: BYTE_SCALING,
  };
}
