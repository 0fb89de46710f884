import { decodeImage } from '../format/image.js';
import type { Model } from '../format/model.js';
import { readWhole } from './files.js';
import type { Output } from './output.js';
import type { Target } from './target.js';

/** A model image as it lies in a file, and what it holds. */
export interface ModelFile {
  readonly image: Uint8Array;
  readonly model: Model;
}

/**
 * Reads a model image from a file.
 * @throws GoodnessError `file.read`, and `image.*` if it is no valid image
 */
export async function readModel(path: string): Promise<ModelFile> {
  const image = await readWhole(path, 'a model image (.ffm) made by `goodness train` or `goodness quantize`');
  return { image, model: decodeImage(image) };
}

/** Puts the model of the option `--model` on a device before a command works with it; nothing without one. */
export async function flashFirst(target: Target, file: ModelFile | undefined, output: Output): Promise<void> {
  if (file === undefined) return;
  await target.flash(file, output.progress('flash'));
}
