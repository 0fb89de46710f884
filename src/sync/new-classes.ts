import { Random } from '../base/random.js';
import type { Dataset } from '../data/dataset.js';
import { type ClassStatistics, gatherStatistics, variance } from './statistics.js';

/** Known classes that lend their variation to a new one: those with the nearest means. */
const RELATIVES = 3;
/** A new class that the device has seen less often than this is too uncertain to be drawn. */
const LEAST_SAMPLES = 8;

/**
 * Samples of classes that the host has none of, from their mean and deviation on the device: each is a sample of a related
 * class whose inputs were moved and stretched, one by one, to the new class's moments. So neighbouring inputs vary together
 * as they do in real samples.
 * @param data host samples as the device would see them
 * @param perClass samples to make of each new class
 * @returns `data` in its order, with the new samples evenly in between
 */
export function withNewClasses(
  data: Dataset,
  device: ClassStatistics,
  newClasses: readonly number[],
  perClass: number,
  seed: number,
): Dataset {
  const drawn = newClasses.filter((c) => device.count[c]! >= LEAST_SAMPLES);
  if (drawn.length === 0 || data.count === 0) return data;
  const { width } = data;
  const random = new Random(seed);
  const here = gatherStatistics(data);
  const members = membersOf(data);
  const relatives = drawn.map((c) => nearest(here, device, c));
  const made = drawn.length * perClass;
  const count = data.count + made;
  const inputs = new Uint8Array(count * width);
  const labels = new Uint8Array(count);
  for (let at = 0, old = 0; at < count; at++) {
    const to = inputs.subarray(at * width, (at + 1) * width);
    const next = Math.floor((at * made) / count);
    if (next === Math.floor(((at + 1) * made) / count)) {
      to.set(data.inputs.subarray(old * width, (old + 1) * width));
      labels[at] = data.labels[old++]!;
      continue;
    }
    const c = drawn[next % drawn.length]!;
    const lenders = relatives[next % drawn.length]!;
    const source = lenders[random.integer(lenders.length)]!;
    const from = members[source]![random.integer(members[source]!.length)]! * width;
    labels[at] = c;
    for (let p = 0; p < width; p++) {
      const deviation = Math.sqrt(variance(here, source, p));
      const z =
        deviation < 0.5 ? random.normal() : (data.inputs[from + p]! - here.mean[source * width + p]!) / deviation;
      const v = device.mean[c * width + p]! + z * Math.sqrt(variance(device, c, p));
      to[p] = Math.max(0, Math.min(255, Math.floor(v + 0.5)));
    }
  }
  return { ...data, inputs, labels, count };
}

function membersOf(data: Dataset): readonly number[][] {
  const members = data.classes.map((): number[] => []);
  for (let i = 0; i < data.count; i++) members[data.labels[i]!]!.push(i);
  return members;
}

function nearest(here: ClassStatistics, device: ClassStatistics, c: number): number[] {
  const { width } = device;
  const order: { readonly k: number; readonly distance: number }[] = [];
  for (let k = 0; k < here.classes; k++) {
    if (here.count[k] === 0) continue;
    let distance = 0;
    for (let p = 0; p < width; p++) distance += (here.mean[k * width + p]! - device.mean[c * width + p]!) ** 2;
    order.push({ k, distance });
  }
  order.sort((a, b) => a.distance - b.distance);
  return order.slice(0, RELATIVES).map(({ k }) => k);
}
