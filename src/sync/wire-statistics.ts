import type { ClassStatistics as WireStatistics } from '../format/class-statistics.js';
import type { ClassStatistics } from './statistics.js';

/**
 * The statistics as a device sent them, in plain numbers. Where it sent means only (level 1), deviations are taken from
 * `host`, the statistics of the host's own data.
 */
export function fromWire(wire: WireStatistics, host: ClassStatistics): ClassStatistics {
  const { rawInputs: width } = wire;
  const classes = wire.classes.length;
  const mean = new Float32Array(classes * width);
  const square = new Float32Array(classes * width);
  const count = Uint32Array.from(wire.classes, (summary) => summary.count);
  wire.classes.forEach((summary, c) => {
    for (let p = 0; p < width; p++) {
      const k = c * width + p;
      mean[k] = summary.means[p]! / 256;
      const variance = Math.max(0, (host.square[k] ?? 0) - (host.mean[k] ?? 0) ** 2);
      // Mean squares are rounded to whole numbers on the way: they are never below the square of the mean.
      const own = wire.level === 2 ? summary.squares[p]! : mean[k]! ** 2 + variance;
      square[k] = Math.max(own, mean[k]! ** 2);
    }
  });
  return { classes, width, count, mean, square };
}
