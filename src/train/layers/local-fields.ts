import { GoodnessError } from '../../base/errors.js';
import type { Geometry } from '../../data/dataset.js';

/** The fields of a layer: squares of so many places of what lies below, a field every so many places. */
export interface FieldConfig {
  /** Places on a side (>= 1). */
  readonly size: number;
  /** Places from one field to the next (>= 1). */
  readonly stride: number;
}

/**
 * Local receptive fields without shared weights (Hinton 2022, section 3.2): the neurons of a layer lie on a grid, as many at each
 * place of it, and see a square of what lies below: pixels, or neurons on a grid of their own.
 */
export interface LocalFields {
  /** Of the images that the first layer sees. */
  readonly geometry: Geometry;
  /** For the lowest layers, one each; further layers see everything. */
  readonly layers: readonly FieldConfig[];
}

/** What the masks of a network depend on. */
export interface FieldShape {
  /** Inputs of the first layer ... */
  readonly inputs: number;
  /** ... of which so many are labels: everybody sees them. */
  readonly labels: number;
  readonly hidden: readonly number[];
  /** Groups that the neurons of a layer are split into: each has its neurons all over the grid. */
  readonly groups: number;
}

/**
 * Which weights there are, for each layer; undefined for layers that see everything.
 * @throws GoodnessError `network.fields`
 */
export function fieldMasks({ geometry, layers }: LocalFields, shape: FieldShape): (Uint8Array | undefined)[] {
  const { hidden, groups, labels } = shape;
  if (layers.length > hidden.length) {
    throw new GoodnessError('network.fields', 'there are more fields than layers', {
      expected: `at most ${hidden.length}`,
      got: String(layers.length),
    });
  }
  const pixels = geometry.width * geometry.height;
  let below: Geometry = geometry;
  // The place of each input: encodings repeat the image.
  let places: Int32Array = Int32Array.from({ length: shape.inputs }, (_, i) =>
    i < labels ? EVERYWHERE : (i - labels) % pixels,
  );
  return hidden.map((outputs, index) => {
    const field = layers[index];
    if (field === undefined) return undefined;
    const grid = gridOf(below, field, index);
    const own = placesOf(outputs, grid, groups, index);
    const mask = maskOf(places, own, below, grid, field);
    [below, places] = [grid, own];
    return mask;
  });
}

/** Stands for what lies at no place, and is seen from all. */
const EVERYWHERE = -1;

/** Places of the fields of a layer. */
function gridOf(below: Geometry, { size, stride }: FieldConfig, index: number): Geometry {
  if (size > below.width || size > below.height) {
    throw new GoodnessError('network.fields', `the fields of layer ${index + 1} are larger than what lies below`, {
      expected: `a size of at most ${Math.min(below.width, below.height)}`,
      got: String(size),
    });
  }
  const along = (places: number): number => Math.floor((places - size) / stride) + 1;
  return { width: along(below.width), height: along(below.height) };
}

/** The place of each neuron: those of a group lie side by side, place by place. */
function placesOf(outputs: number, grid: Geometry, groups: number, index: number): Int32Array {
  const count = grid.width * grid.height;
  if (outputs % (count * groups) !== 0) {
    const nearest = Math.max(1, Math.round(outputs / (count * groups))) * count * groups;
    throw new GoodnessError('network.fields', `layer ${index + 1} cannot be spread evenly over its fields`, {
      expected: `a multiple of ${count * groups}: ${grid.width} x ${grid.height} fields${groups > 1 ? ` for each of ${groups} groups` : ''}`,
      got: String(outputs),
      fix: `The nearest valid size is ${nearest}.`,
    });
  }
  const [size, each] = [outputs / groups, outputs / groups / count];
  return Int32Array.from({ length: outputs }, (_, j) => Math.floor((j % size) / each));
}

function maskOf(
  inputs: Int32Array,
  outputs: Int32Array,
  below: Geometry,
  grid: Geometry,
  { size, stride }: FieldConfig,
): Uint8Array {
  const mask = new Uint8Array(inputs.length * outputs.length);
  let at = 0;
  for (const from of inputs) {
    const [x, y] = [from % below.width, Math.floor(from / below.width)];
    for (const to of outputs) {
      const dx = x - (to % grid.width) * stride;
      const dy = y - Math.floor(to / grid.width) * stride;
      if (from === EVERYWHERE || (dx >= 0 && dx < size && dy >= 0 && dy < size)) mask[at] = 1;
      at++;
    }
  }
  return mask;
}
