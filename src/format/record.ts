import { weightsLength } from './layout.js';
import { type Model, padded } from './model.js';
import { stateLength } from './state.js';

/** Bytes of a record in front of the state: which image it belongs to. */
const RECORD_HEADER = 4;

/**
 * Bytes of what a device saves that gets its image with its firmware (SPEC.md 8.1): state and learned weights. With a slot's header it
 * must fit one of the device's slots.
 */
export function recordLength(model: Model): number {
  const learned = model.layers.filter((layer) => layer.learns).map((layer) => padded(weightsLength(layer)));
  return learned.reduce((sum, bytes) => sum + bytes, RECORD_HEADER + stateLength(model));
}
