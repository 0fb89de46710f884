import type { ArgsDef } from 'citty';
import { GoodnessError } from '../base/errors.js';
import type { Dataset } from '../data/dataset.js';
import type { BackendChoice } from '../train/backend.js';
import { oneOf } from './arguments.js';

/** Options of commands that train. */
export const TRAINING = {
  layers: {
    type: 'string',
    valueHint: '784-120-120',
    description:
      'Inputs and neurons per layer, or the neurons alone; 12 neurons per class and layer, two layers, if left out',
  },
  epochs: {
    type: 'string',
    description: 'Times that training goes through the data; what suits their size if left out',
  },
  pool: { type: 'string', default: '1', description: 'Images: mean over squares of this many pixels, before training' },
  backend: { type: 'string', default: 'auto', description: 'TensorFlow.js backend: auto, node or wasm' },
  headroom: {
    type: 'string',
    default: '0.25',
    description: 'CSV: part of its range that is left free on both sides of a column, for a sensor that drifts',
  },
} as const satisfies ArgsDef;

const PER_CLASS = 12;

/**
 * Neurons per layer from the option `--layers`.
 * @param inputs values per sample, pooled and before encoding
 * @throws GoodnessError `usage.layers`
 */
export function hiddenOf(text: string | undefined, inputs: number, data: Dataset): number[] {
  if (text === undefined) return [1, 2].map(() => PER_CLASS * data.classes.length);
  const sizes = text.split('-').map(Number);
  if (sizes.length === 0 || sizes.some((size) => !Number.isInteger(size) || size < 1)) {
    throw new GoodnessError('usage.layers', '--layers takes numbers with dashes between them', {
      expected: `such as ${inputs}-120-120`,
      got: JSON.stringify(text),
    });
  }
  const hidden = sizes[0] === inputs && sizes.length > 1 ? sizes.slice(1) : sizes;
  const wrong = hidden.find((size) => size % data.classes.length !== 0);
  // The number of inputs is easily mistaken, and then looks like a layer.
  if (wrong !== undefined && wrong === sizes[0] && sizes.length > 2) {
    throw new GoodnessError('usage.layers', '--layers begins with another number of inputs than the data have', {
      expected: `${inputs}-${sizes.slice(1).join('-')}`,
      got: text,
    });
  }
  return hidden;
}

export function backendChoice(text: string): BackendChoice {
  return oneOf('backend', text, ['auto', 'node', 'wasm']);
}
