import { Random } from '../base/random.js';
import type { Dataset, Geometry } from '../data/dataset.js';
import { pool as poolImages } from '../data/pool.js';
import { affineMap, resample } from '../data/raster.js';
import { AppearanceFilter } from './appearance.js';
import type { Domain } from './domain.js';
import { flowAt } from './flow.js';
import { CENTRED, poseAffine, randomStance } from './pose.js';
import { isFaithful, respond } from './response.js';

/** Host images as the device of a domain would see them, at the device's resolution; every sample gets a stance of its own. */
export function render(host: Dataset, domain: Domain, pool: number, seed: number): Dataset {
  const geometry = host.geometry!;
  const { width } = host;
  const random = new Random(seed);
  const filter = new AppearanceFilter(domain.appearance, geometry);
  const inputs = new Uint8Array(host.inputs.length);
  const { pose, response } = domain;
  const moves = pose.spread > 0 || pose.wander > 0;
  const size = Math.min(geometry.height, Math.round(pose.hidden * geometry.width));
  const positions = readingPlaces(domain, host, pool);
  const map = { x: new Float32Array(width), y: new Float32Array(width) };
  const fixed = affineMap(poseAffine(pose, CENTRED, geometry.width), geometry);
  const [cx, cy] = [(geometry.width - 1) / 2, (geometry.height - 1) / 2];
  const place = (m: ReturnType<typeof poseAffine>): void => {
    for (let k = 0; k < width; k++) {
      const dx = positions.x[k]! - cx;
      const dy = positions.y[k]! - cy;
      map.x[k] = m.a * dx + m.b * dy + cx + m.e;
      map.y[k] = m.c * dx + m.d * dy + cy + m.f;
    }
  };
  if (domain.flow === undefined) {
    map.x.set(fixed.x);
    map.y.set(fixed.y);
  } else {
    place(poseAffine(pose, CENTRED, geometry.width));
  }
  for (let i = 0; i < host.count; i++) {
    if (moves) place(poseAffine(pose, randomStance(random), geometry.width));
    const to = inputs.subarray(i * width, (i + 1) * width);
    resample(filter.apply(host.inputs.subarray(i * width, (i + 1) * width)), geometry, map, to, 0.5);
    if (size > 0) hideSquare(to, geometry, size, random);
    if (!isFaithful(response)) for (let k = 0; k < width; k++) to[k] = respond(response, to[k]!, random);
  }
  return poolImages({ ...host, inputs }, pool);
}

/** Hides a square of `size` pixels at a random place. */
function hideSquare(image: Uint8Array, { width, height }: Geometry, size: number, random: Random): void {
  const left = random.integer(width - size + 1);
  const top = random.integer(height - size + 1);
  for (let y = top; y < top + size; y++) image.fill(0, y * width + left, y * width + left + size);
}

/** Where each pixel of full resolution reads, before the pose: its own place, moved by the flow. */
function readingPlaces(domain: Domain, host: Dataset, pool: number): { x: Float32Array; y: Float32Array } {
  const wide = host.geometry!.width;
  const x = new Float32Array(host.width);
  const y = new Float32Array(host.width);
  for (let k = 0; k < host.width; k++) {
    x[k] = k % wide;
    y[k] = Math.floor(k / wide);
    if (domain.flow === undefined) continue;
    const [dx, dy] = flowAt(domain.flow, pool, x[k]!, y[k]!);
    x[k]! += dx;
    y[k]! += dy;
  }
  return { x, y };
}
