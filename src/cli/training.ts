import type { ArgsDef } from 'citty';
import { GoodnessError } from '../base/errors.js';
import type { Dataset } from '../data/dataset.js';
import { type Backend, selectBackend } from '../train/backend.js';
import type { ObjectiveName } from '../train/network.js';
import { numberOf, oneOf } from './arguments.js';

/** What training computes with. */
export const BACKEND = {
  backend: {
    type: 'string',
    default: 'auto',
    description:
      'What training computes with: simd (the own kernel), node or wasm (TensorFlow.js), or auto, the fastest that loads',
  },
  threads: { type: 'string', description: 'Threads of the backend simd; as many as processors, up to 4, if left out' },
} as const satisfies ArgsDef;

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
  ...BACKEND,
  headroom: {
    type: 'string',
    default: '0.25',
    description: 'CSV: part of its range that is left free on both sides of a column, for a sensor that drifts',
  },
} as const satisfies ArgsDef;

const PER_CLASS = 12;
/** Neurons of a layer that knows a single class. */
const ONE_CLASS = 60;

/**
 * Neurons per layer from the option `--layers`.
 * @param inputs values per sample, pooled and before encoding
 * @throws GoodnessError `usage.layers`
 */
export function hiddenOf(
  text: string | undefined,
  inputs: number,
  data: Dataset,
  objective: ObjectiveName = 'partitioned',
): number[] {
  const groups = objective === 'partitioned' ? data.classes.length : 1;
  const usual = objective === 'one-class' ? ONE_CLASS : PER_CLASS * data.classes.length;
  if (text === undefined) return [usual, usual];
  const sizes = text.split('-').map(Number);
  if (sizes.length === 0 || sizes.some((size) => !Number.isInteger(size) || size < 1)) {
    throw new GoodnessError('usage.layers', '--layers takes numbers with dashes between them', {
      expected: `such as ${inputs}-120-120`,
      got: JSON.stringify(text),
    });
  }
  const hidden = sizes[0] === inputs && sizes.length > 1 ? sizes.slice(1) : sizes;
  const wrong = hidden.find((size) => size % groups !== 0);
  // The number of inputs is easily mistaken, and then looks like a layer.
  if (wrong !== undefined && wrong === sizes[0] && sizes.length > 2) {
    throw new GoodnessError('usage.layers', '--layers begins with another number of inputs than the data have', {
      expected: `${inputs}-${sizes.slice(1).join('-')}`,
      got: text,
    });
  }
  return hidden;
}

/** The backend that the options `--backend` and `--threads` ask for. */
export function chosenBackend(args: { backend: string; threads?: string | undefined }): Promise<Backend> {
  const threads = numberOf('threads', args.threads, { least: 1, most: 64 });
  return selectBackend(
    oneOf('backend', args.backend, ['auto', 'simd', 'node', 'wasm']),
    threads === undefined ? {} : { threads },
  );
}
