/** What of a model's shape is needed to talk about samples: read from an image that the core has validated. */
export interface ModelShape {
  readonly imageBytes: number;
  /** Bytes that the sensor delivers per sample. */
  readonly rawInputs: number;
  readonly classes: number;
  /** Neurons of each layer. */
  readonly neurons: readonly number[];
}

/** Bytes from the start of an image that `shapeOf` looks at, at most (SPEC.md 2.1, 2.2). */
export const SHAPE_BYTES = 48 + 8 * 32;

/** @param image at least its header and layer records */
export function shapeOf(image: Uint8Array): ModelShape {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const neurons: number[] = [];
  for (let l = 0; l < view.getUint8(19); l++) neurons.push(view.getUint16(48 + 32 * l + 2, true));
  return {
    imageBytes: view.getUint32(8, true),
    rawInputs: view.getUint16(16, true),
    classes: view.getUint8(18),
    neurons,
  };
}
