import type { Message } from '../../format/message.js';

/** A request of any type with any payload, right or wrong; its answer as it comes. */
export function rawRequest(type: number, payload: Uint8Array): Message<undefined, Uint8Array> {
  return {
    type,
    name: `request 0x${type.toString(16).padStart(2, '0')} of ${payload.length} bytes`,
    encode: () => payload,
    decode: (reader) => reader.raw(reader.left),
  };
}
