import { GoodnessError } from '../base/errors.js';
import { LIMIT } from '../format/model.js';

/** @throws GoodnessError `quantize.bits` unless weights of so many bits can be made */
export function checkBits(bits: number): void {
  if (bits === 8) return;
  throw new GoodnessError('quantize.bits', 'weights of this many bits are not supported', {
    expected: '8',
    got: String(bits),
    fix: 'Leave --bits out, or give 8.',
  });
}

/**
 * Checks sizes against what a model image can hold, before anybody trains a network of these sizes.
 * @throws GoodnessError `quantize.limit`
 */
export function checkDeviceLimits(sizes: {
  /** Inputs of the first layer, encoded. */
  readonly inputs: number;
  /** Neurons per layer. */
  readonly hidden: readonly number[];
  readonly classes: number;
}): void {
  const within = (name: string, value: number, most: number): void => {
    if (value <= most) return;
    throw new GoodnessError('quantize.limit', `the network has too many ${name} for a device`, {
      expected: `at most ${most}`,
      got: String(value),
      fix: 'Make it smaller.',
    });
  };
  within('layers', sizes.hidden.length, LIMIT.layers);
  within('classes', sizes.classes, LIMIT.classes);
  within('inputs', sizes.inputs, LIMIT.inputs);
  for (const neurons of sizes.hidden) within('neurons', neurons, LIMIT.neurons);
}
