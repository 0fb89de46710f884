import { GoodnessError } from '../base/errors.js';
import { Random } from '../base/random.js';
import { type Dataset, select, slice } from '../data/dataset.js';
import type { TrainTest } from '../data/mnist.js';

/** Data of a run of the loop: what the host has, what comes out of the device's sensor, and what is tested on. */
export interface LoopData {
  readonly host: Dataset;
  readonly stream: Dataset;
  readonly test: Dataset;
}

/** Part of the training data that the host keeps; the device gets the rest, which the host never sees. */
const HOST_PART = 2 / 3;
const LEAST = 10;

/**
 * Splits training data between host and device. Data that come with a split of their own (images) are cut in their own
 * order; rows of a table are drawn by `seed`.
 * @throws GoodnessError `loop.data` if there are too few samples for both
 */
export function splitForLoop({ train, test }: TrainTest, seed: number): LoopData {
  const kept = Math.round(HOST_PART * train.count);
  if (train.count - kept < LEAST || kept < LEAST) {
    throw new GoodnessError('loop.data', `${train.name} has too few samples for host and device`, {
      expected: `at least ${3 * LEAST} training samples`,
      got: String(train.count),
    });
  }
  const ordered = train.geometry === undefined ? select(train, new Random(seed).permutation(train.count)) : train;
  return { host: slice(ordered, 0, kept), stream: slice(ordered, kept, train.count), test };
}
