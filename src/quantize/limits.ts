import { GoodnessError } from '../base/errors.js';
import { INPUT_BITS, WEIGHT_BITS } from '../format/layout.js';
import { LIMIT } from '../format/model.js';
import type { PerLayer } from '../train/layers/fake-quantization.js';

/** @throws GoodnessError `quantize.bits` unless weights and inputs of so many bits can be made */
export function checkBits(weights: PerLayer, inputs: PerLayer = 8): void {
  for (const [name, option, values, allowed] of [
    ['weights', '--bits', weights, WEIGHT_BITS],
    ['inputs', '--input-bits', inputs, INPUT_BITS],
  ] as const) {
    const given = typeof values === 'number' ? [values] : values;
    if (given.length > 0 && given.every((bits) => (allowed as readonly number[]).includes(bits))) continue;
    throw new GoodnessError('quantize.bits', `${name} of this many bits are not supported`, {
      expected: `${allowed.join(', ')}; one number, or one per layer`,
      got: given.join(', '),
      fix: `Leave ${option} out for 8 bits.`,
    });
  }
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
