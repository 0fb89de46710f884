import { type LossConfig, partitionedLoss } from '../objectives/losses.js';
import type { Kernel } from './kernel.js';
import { Output, Staging } from './staging.js';

/** Most groups that the kernel's loss takes. */
const MOST_GROUPS = 256;

/** `partitionedLoss` in the kernel, where every row has a label. */
export function kernelLoss(kernel: Kernel): typeof partitionedLoss {
  const settings = kernel.memory.floats(6);
  const [measured, sums, truths] = [new Staging(kernel), new Staging(kernel), new Staging(kernel)];
  const output = new Output(kernel);
  return (config: LossConfig, goodness, total, labels, rows, groups, slopes, ...rest) => {
    if (labels.length !== rows || groups > MOST_GROUPS || goodness.length !== rows * groups) {
      return partitionedLoss(config, goodness, total, labels, rows, groups, slopes, ...rest);
    }
    const { theta, contrast, temperature, softness, negativeWeight, collaboration } = config;
    settings.set([theta, contrast, 1 / temperature, 1 / softness, negativeWeight, collaboration]);
    const from = measured.address(goodness);
    const all = collaboration === 0 ? from : sums.address(total);
    const named = truths.address(labels);
    let loss = 0;
    output.fill(slopes, (at) => {
      loss = kernel.code.partitioned_loss(settings.byteOffset, from, all, named, rows, groups, at);
    });
    return loss / rows;
  };
}
