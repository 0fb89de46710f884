import type { Dataset, Geometry } from '../data/dataset.js';
import { blur, morph } from '../data/raster.js';

/** How strokes and edges look, before the pose: what no movement of pixels can explain. */
export interface Appearance {
  /** Dilations (above 0) or erosions (below 0) over 3 x 3 pixels; halves are the mean of their neighbours. */
  readonly stroke: number;
  /** Passes of the binomial 3 x 3 filter. */
  readonly blur: number;
}

export const PLAIN: Appearance = { stroke: 0, blur: 0 };

/** The appearances that a search tries, the plain one first. */
export const APPEARANCES: readonly Appearance[] = [
  PLAIN,
  { stroke: -1, blur: 0 },
  { stroke: -0.5, blur: 0 },
  { stroke: 0.5, blur: 0 },
  { stroke: 1, blur: 0 },
  { stroke: 1.5, blur: 0 },
  { stroke: 2, blur: 0 },
  { stroke: 0, blur: 1 },
  { stroke: 0, blur: 2 },
  { stroke: 0, blur: 4 },
  { stroke: 0, blur: 8 },
];

/** Changes images one by one, with buffers of its own. */
export class AppearanceFilter {
  private readonly appearance: Appearance;
  private readonly geometry: Geometry;
  private readonly first: Uint8Array;
  private readonly second: Uint8Array;
  private readonly scratch: Float32Array;

  constructor(appearance: Appearance, geometry: Geometry) {
    this.appearance = appearance;
    this.geometry = geometry;
    const pixels = geometry.width * geometry.height;
    this.first = new Uint8Array(pixels);
    this.second = new Uint8Array(pixels);
    this.scratch = new Float32Array(pixels);
  }

  /** The changed image: valid until the next call; the image itself where nothing changes. */
  apply(image: Uint8Array): Uint8Array {
    const { stroke, blur: passes } = this.appearance;
    let now = image;
    const other = (): Uint8Array => (now === this.first ? this.second : this.first);
    for (let left = Math.abs(stroke); left > 0; left--) {
      const next = other();
      morph(now, this.geometry, stroke > 0, next);
      if (left < 1) for (let k = 0; k < next.length; k++) next[k] = (next[k]! + now[k]! + 1) >> 1;
      now = next;
    }
    for (let pass = 0; pass < passes; pass++) {
      const next = other();
      blur(now, this.geometry, next, this.scratch);
      now = next;
    }
    return now;
  }
}

/** All images of a data set in another appearance. */
export function changeAppearance(data: Dataset, appearance: Appearance): Dataset {
  if (appearance.stroke === 0 && appearance.blur === 0) return data;
  const filter = new AppearanceFilter(appearance, data.geometry!);
  const inputs = new Uint8Array(data.inputs.length);
  for (let i = 0; i < data.count; i++) {
    const at = i * data.width;
    inputs.set(filter.apply(data.inputs.subarray(at, at + data.width)), at);
  }
  return { ...data, inputs };
}
