import type { Dataset } from '../data/dataset.js';
import { type ClassStatistics, gatherStatistics, variance } from './statistics.js';

/** Samples of a class on the device that count as much as the assumption that all classes moved alike. */
const TRUST = 4;
/** Deviations are stretched by at most this much: an input that never moved on the host has nothing to stretch. */
const MAX_STRETCH = 4;

/**
 * Moves every input of every class so that its mean and deviation become those that the device saw: x' = mean' +
 * (x - mean) deviation' / deviation, clamped to bytes. Classes of which the device has few samples, or none, move as all
 * classes together did.
 * @param amount 0 leaves the data as they are, 1 matches entirely
 */
export function matchMoments(data: Dataset, device: ClassStatistics, amount: number): Dataset {
  const here = gatherStatistics(data);
  const { width } = data;
  const common = commonMove(here, device);
  const size = device.classes * width;
  const factor = new Float32Array(size).fill(1);
  const shift = new Float32Array(size);
  for (let c = 0; c < device.classes; c++) {
    const n = device.count[c]!;
    const trust = here.count[c]! > 0 ? n / (n + TRUST) : 0;
    for (let p = 0; p < width; p++) {
      const k = c * width + p;
      const m = here.mean[k]!;
      const seen = trust > 0 ? device.mean[k]! : 0;
      const mean = trust * seen + (1 - trust) * (m + common.move[p]!);
      const own = trust > 0 ? stretch(variance(here, c, p), variance(device, c, p)) : 1;
      const f = Math.exp(trust * Math.log(own) + (1 - trust) * Math.log(common.stretch[p]!));
      factor[k] = 1 + amount * (f - 1);
      shift[k] = m + amount * (mean - m) - factor[k]! * m;
    }
  }
  const inputs = new Uint8Array(data.inputs.length);
  for (let i = 0, at = 0; i < data.count; i++) {
    let k = data.labels[i]! * width;
    for (let p = 0; p < width; p++, at++, k++) {
      const v = Math.floor(factor[k]! * data.inputs[at]! + shift[k]! + 0.5);
      inputs[at] = v < 0 ? 0 : Math.min(v, 255);
    }
  }
  return { ...data, inputs };
}

/** How inputs moved on average over the classes that both sides know, (width). */
function commonMove(here: ClassStatistics, device: ClassStatistics): { move: Float32Array; stretch: Float32Array } {
  const { width } = device;
  const move = new Float32Array(width);
  const stretches = new Float32Array(width);
  for (let p = 0; p < width; p++) {
    let [n, moved, before, after] = [0, 0, 0, 0];
    for (let c = 0; c < device.classes; c++) {
      const count = device.count[c]!;
      if (count === 0 || here.count[c]! === 0) continue;
      n += count;
      moved += count * (device.mean[c * width + p]! - here.mean[c * width + p]!);
      before += count * variance(here, c, p);
      after += count * variance(device, c, p);
    }
    move[p] = n > 0 ? moved / n : 0;
    stretches[p] = n > 0 ? stretch(before / n, after / n) : 1;
  }
  return { move, stretch: stretches };
}

/** Ratio of deviations, within bounds, and 1 where both are as small as rounding. */
function stretch(before: number, after: number): number {
  const ratio = Math.sqrt((after + 0.5) / (before + 0.5));
  return Math.max(1 / MAX_STRETCH, Math.min(MAX_STRETCH, ratio));
}
