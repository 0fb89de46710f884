import type { Run } from '../checkpoint.js';

/** A stretch of a run, over which the learning rate rises and falls once. */
export interface Stage {
  /** Layers in floating point (or rounded from the first step on), layers with rounded weights, or the read-out alone. */
  readonly learns: 'layers' | 'rounded layers' | 'readout';
  /** First step of it ... */
  readonly from: number;
  /** ... and of what comes after. */
  readonly to: number;
}

/**
 * The stage that a step belongs to.
 * @param readoutEpochs epochs in the end that train the read-out alone
 * @param step 0 to steps - 1
 */
export function stageAt(
  { epochs, rounded = 0, steps }: Pick<Run, 'epochs' | 'rounded' | 'steps'>,
  readoutEpochs: number,
  step: number,
): Stage {
  const perEpoch = steps / epochs;
  const readout = steps - readoutEpochs * perEpoch;
  const grid = readout - rounded * perEpoch;
  if (step < grid) return { learns: 'layers', from: 0, to: grid };
  if (step < readout) return { learns: 'rounded layers', from: grid, to: readout };
  return { learns: 'readout', from: readout, to: steps };
}
