import { gunzipSync } from 'node:zlib';
import { GoodnessError } from '../base/errors.js';

/** An array of unsigned bytes as an IDX file holds it: the last dimension varies fastest. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

/** The largest array taken from a file, in bytes: a broken or hostile header must not make us ask for more. */
const MAX_BYTES = 1 << 30;
const TYPE_UINT8 = 0x08;

/**
 * Decodes an IDX file of unsigned bytes (the format of MNIST: http://yann.lecun.com/exdb/mnist/), packed with gzip or not.
 * `name` stands in the messages. The values are a view on `file` where it was not packed.
 * @throws GoodnessError idx.gzip, idx.magic, idx.type, idx.shape, idx.length
 */
export function decodeIdx(file: Uint8Array, name = 'the IDX file'): IdxArray {
  const bytes = unpack(file, name);
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) {
    throw new GoodnessError('idx.magic', `${name} is not an IDX file`, {
      expected: 'two zero bytes, a type and a number of dimensions first',
      got: `${bytes.length} bytes starting with ${hex(bytes.subarray(0, 4))}`,
      fix: 'Check that the download is whole and is no web page.',
    });
  }
  if (bytes[2] !== TYPE_UINT8) {
    throw new GoodnessError('idx.type', `${name} holds another type than unsigned bytes`, {
      expected: 'type 0x08',
      got: `0x${bytes[2]!.toString(16).padStart(2, '0')}`,
    });
  }
  const dimensions = bytes[3]!;
  const header = 4 + 4 * dimensions;
  if (dimensions === 0 || dimensions > 4 || bytes.length < header) {
    throw new GoodnessError('idx.shape', `${name} has no usable shape`, {
      expected: '1 to 4 dimensions, each in 4 bytes',
      got: `${dimensions} dimensions in a file of ${bytes.length} bytes`,
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape: number[] = [];
  let size = 1;
  for (let d = 0; d < dimensions; d++) {
    shape.push(view.getUint32(4 + 4 * d));
    size *= shape[d]!;
  }
  if (size > MAX_BYTES) {
    throw new GoodnessError('idx.shape', `${name} is too large`, {
      expected: `at most ${MAX_BYTES} values`,
      got: shape.join(' x '),
    });
  }
  if (bytes.length !== header + size) {
    throw new GoodnessError('idx.length', `${name} is ${bytes.length < header + size ? 'cut off' : 'too long'}`, {
      expected: `${header + size} bytes for ${shape.join(' x ')}`,
      got: `${bytes.length} bytes`,
      fix: 'Download it again.',
    });
  }
  return { shape, values: bytes.subarray(header) };
}

/** The inverse of `decodeIdx`, not packed. */
export function encodeIdx(array: IdxArray): Uint8Array {
  const header = 4 + 4 * array.shape.length;
  const bytes = new Uint8Array(header + array.values.length);
  bytes[2] = TYPE_UINT8;
  bytes[3] = array.shape.length;
  const view = new DataView(bytes.buffer);
  array.shape.forEach((n, d) => {
    view.setUint32(4 + 4 * d, n);
  });
  bytes.set(array.values, header);
  return bytes;
}

function unpack(file: Uint8Array, name: string): Uint8Array {
  if (file[0] !== 0x1f || file[1] !== 0x8b) return file;
  try {
    return gunzipSync(file, { maxOutputLength: MAX_BYTES + 64 });
  } catch (cause) {
    throw new GoodnessError('idx.gzip', `${name} is packed with gzip, but can't be unpacked`, {
      got: cause instanceof Error ? cause.message : String(cause),
      fix: 'Download it again.',
      cause,
    });
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join(' ');
}
