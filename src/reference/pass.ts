import { inputLimit } from '../format/layout.js';
import { encodedInputs, type LayerAbove, type Model, modelGroups } from '../format/model.js';
import { activate, encodeInput, groupGoodness, product, rescale, sumOfSquares } from './forward.js';
import type { LayerActivity } from './learning.js';

interface LayerBuffers extends LayerActivity {
  readonly accumulators: Int32Array;
}

/** One way of a sample through all layers (SPEC.md, 4.1 to 4.4), with what each layer made of it. */
export class Pass {
  /** What each layer saw last; overwritten by the next run. */
  readonly layers: readonly LayerActivity[];
  private readonly buffers: readonly LayerBuffers[];
  private readonly encoded: Uint8Array;

  /** @param model decides the sizes; every run takes one of the same shape */
  constructor(model: Model) {
    const groups = modelGroups(model);
    this.encoded = new Uint8Array(encodedInputs(model));
    this.buffers = model.layers.map((layer) => ({
      input: new Uint8Array(layer.inputs),
      accumulators: new Int32Array(layer.outputs),
      activities: new Uint16Array(layer.outputs),
      goodness: new Uint32Array(groups),
    }));
    this.layers = this.buffers;
  }

  /**
   * @param raw the sensor's bytes (rawInputs)
   * @param label objective `label`: the label in front; else ignored
   * @param after runs when a layer's goodness is known and the layer above has no input yet
   */
  run(model: Model, raw: Uint8Array, label: number, after?: (layer: number) => void): void {
    // A stage gets what the layers below made of the sample: scores, and the input as it is.
    const rescaled = model.layersBelow > 0 ? raw.subarray(4 * model.classes) : undefined;
    if (rescaled === undefined) encodeInput(model, raw, this.encoded, label);
    let source: Uint8Array | Uint16Array = this.encoded;
    let squares = sumOfSquares(this.encoded);
    for (let l = 0; l < this.buffers.length; l++) {
      const layer = model.layers[l]!;
      const { input, accumulators, activities, goodness } = this.buffers[l]!;
      const limit = inputLimit(layer.inputBits);
      if (l === 0 && rescaled !== undefined) {
        for (let i = 0; i < input.length; i++) input[i] = Math.min(limit, rescaled[i]!);
      } else rescale(source, squares, layer.lengthShift, input, limit);
      product(layer, input, accumulators);
      activate(layer, accumulators, activities);
      squares = groupGoodness(activities, goodness);
      source = activities;
      after?.(l);
    }
  }

  /**
   * What the layer above the last one gets, where that is on another board.
   * @param target (outputs of the last layer)
   */
  onward(above: LayerAbove, target: Uint8Array): void {
    const { activities, goodness } = this.buffers.at(-1)!;
    const squares = goodness.reduce((sum, value) => sum + value, 0);
    rescale(activities, squares, above.lengthShift, target, inputLimit(above.inputBits));
  }
}
