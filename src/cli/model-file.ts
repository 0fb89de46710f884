import { readFile } from 'node:fs/promises';
import { GoodnessError } from '../base/errors.js';
import { decodeImage } from '../format/image.js';
import type { Model } from '../format/model.js';

/**
 * Reads a model image from a file.
 * @throws GoodnessError `file.read`, and `image.*` if it is no valid image
 */
export async function readModel(path: string): Promise<{ image: Uint8Array; model: Model }> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    const message = cause.code === 'ENOENT' ? `there is no file ${path}` : `${path} can not be read: ${cause.message}`;
    throw new GoodnessError('file.read', message, {
      fix: 'Name a model image (.ffm) made by `goodness train` or `goodness quantize`.',
      cause,
    });
  });
  const image = new Uint8Array(bytes);
  return { image, model: decodeImage(image) };
}
