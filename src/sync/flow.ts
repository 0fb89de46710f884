import type { Geometry } from '../data/dataset.js';
import type { MomentTarget } from './moment-images.js';

/**
 * A smooth displacement of every pixel of the device: it reads at its own place plus (x, y), in pixels of the host's
 * resolution. Shape (height, width) of the device.
 */
export interface Flow {
  readonly geometry: Geometry;
  readonly x: Float32Array;
  readonly y: Float32Array;
}

export interface FlowOptions {
  /** Weight of the squared differences between neighbouring displacements. */
  readonly smoothness: number;
  /** Deviations of the blurs of each round, in pixels of the host's resolution. */
  readonly blurs: readonly number[];
  readonly iterations: number;
}

export const FLOW: FlowOptions = { smoothness: 0.02, blurs: [4, 2, 1, 0], iterations: 250 };

/**
 * Fits a dense flow to class moments from coarse to fine: weighted squared distance plus smoothness, by Adam.
 * @param predicted moments that the device would see without the flow, at every pixel of the host's resolution:
 *   (hostHeight, hostWidth, channels)
 * @param host size of `predicted`: the host's image and any margin
 * @param device size of the device's image
 * @param factor pixels of the host per pixel of the device
 * @param target every pixel of the device, row by row, at its place in `predicted`
 */
export function fitFlow(
  predicted: Float32Array,
  host: Geometry,
  device: Geometry,
  factor: number,
  target: MomentTarget,
  options: FlowOptions = FLOW,
): Flow {
  const pixels = device.width * device.height;
  const flow: Flow = { geometry: device, x: new Float32Array(pixels), y: new Float32Array(pixels) };
  const { channels, weights } = target;
  const slopes = { x: new Float32Array(pixels), y: new Float32Array(pixels) };
  for (const deviation of options.blurs) {
    const source = gaussian(predicted, host, channels, deviation);
    const wanted = gaussian(target.values, device, channels, deviation / factor);
    const adam = new FlowAdam(pixels);
    for (let i = 0; i < options.iterations; i++) {
      slopes.x.fill(0);
      slopes.y.fill(0);
      dataSlopes(source, host, target, wanted, weights, channels, flow, slopes);
      smoothSlopes(flow.x, slopes.x, device, options.smoothness);
      smoothSlopes(flow.y, slopes.y, device, options.smoothness);
      adam.step(flow, slopes, 0.1 * (1 - i / options.iterations) + 0.005);
    }
  }
  return flow;
}

/** The flow at any position of the host's resolution, bilinear between the device's pixels. */
export function flowAt(flow: Flow, factor: number, x: number, y: number): readonly [number, number] {
  const { width, height } = flow.geometry;
  const centre = (factor - 1) / 2;
  const u = Math.max(0, Math.min(width - 1.001, (x - centre) / factor));
  const v = Math.max(0, Math.min(height - 1.001, (y - centre) / factor));
  const k = Math.floor(v) * width + Math.floor(u);
  const [fu, fv] = [u - Math.floor(u), v - Math.floor(v)];
  const mix = (f: Float32Array): number =>
    (1 - fv) * ((1 - fu) * f[k]! + fu * f[k + 1]!) + fv * ((1 - fu) * f[k + width]! + fu * f[k + width + 1]!);
  return [mix(flow.x), mix(flow.y)];
}

/** Slope of the weighted squared distance over each displacement. */
function dataSlopes(
  source: Float32Array,
  { width, height }: Geometry,
  target: MomentTarget,
  wanted: Float32Array,
  weights: Float32Array,
  channels: number,
  flow: Flow,
  slopes: { readonly x: Float32Array; readonly y: Float32Array },
): void {
  for (let p = 0; p < flow.x.length; p++) {
    const sx = Math.max(0, Math.min(width - 1.001, target.x[p]! + flow.x[p]!));
    const sy = Math.max(0, Math.min(height - 1.001, target.y[p]! + flow.y[p]!));
    const x0 = sx | 0;
    const y0 = sy | 0;
    const fx = sx - x0;
    const fy = sy - y0;
    let a = (y0 * width + x0) * channels;
    let b = a + width * channels;
    let gx = 0;
    let gy = 0;
    for (let k = 0, t = p * channels; k < channels; k++, a++, b++, t++) {
      const [v00, v01, v10, v11] = [source[a]!, source[a + channels]!, source[b]!, source[b + channels]!];
      const top = v00 + fx * (v01 - v00);
      const bottom = v10 + fx * (v11 - v10);
      const r = 2 * weights[k]! * (top + fy * (bottom - top) - wanted[t]!);
      gx += r * ((1 - fy) * (v01 - v00) + fy * (v11 - v10));
      gy += r * (bottom - top);
    }
    slopes.x[p] = gx;
    slopes.y[p] = gy;
  }
}

/** Adds the slope of smoothness / pixels times the sum of squared differences between neighbours. */
function smoothSlopes(field: Float32Array, slope: Float32Array, { width, height }: Geometry, smoothness: number): void {
  const factor = (2 * smoothness) / field.length;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const k = y * width + x;
      if (x + 1 < width) {
        const d = factor * (field[k]! - field[k + 1]!);
        slope[k]! += d;
        slope[k + 1]! -= d;
      }
      if (y + 1 < height) {
        const d = factor * (field[k]! - field[k + width]!);
        slope[k]! += d;
        slope[k + width]! -= d;
      }
    }
  }
}

/** Adam (Kingma and Ba 2015) over both components. */
class FlowAdam {
  private readonly first: Float32Array;
  private readonly second: Float32Array;
  private steps = 0;

  constructor(pixels: number) {
    this.first = new Float32Array(2 * pixels);
    this.second = new Float32Array(2 * pixels);
  }

  step(flow: Flow, slopes: { readonly x: Float32Array; readonly y: Float32Array }, rate: number): void {
    this.steps++;
    const n = flow.x.length;
    const [c1, c2] = [1 - 0.9 ** this.steps, 1 - 0.999 ** this.steps];
    for (let k = 0; k < 2 * n; k++) {
      const g = k < n ? slopes.x[k]! : slopes.y[k - n]!;
      this.first[k] = 0.9 * this.first[k]! + 0.1 * g;
      this.second[k] = 0.999 * this.second[k]! + 0.001 * g * g;
      const move = (rate * (this.first[k]! / c1)) / (Math.sqrt(this.second[k]! / c2) + 1e-12);
      if (k < n) flow.x[k]! -= move;
      else flow.y[k - n]! -= move;
    }
  }
}

/** Gaussian blur of an image of many channels; the edge is repeated. */
function gaussian(
  values: Float32Array,
  { width, height }: Geometry,
  channels: number,
  deviation: number,
): Float32Array {
  if (deviation < 0.3) return values;
  const reach = Math.ceil(2.5 * deviation);
  const kernel = Float32Array.from({ length: 2 * reach + 1 }, (_, k) =>
    Math.exp(-(((k - reach) / deviation) ** 2) / 2),
  );
  const total = kernel.reduce((s, v) => s + v, 0);
  const pass = (from: Float32Array, horizontal: boolean): Float32Array => {
    const to = new Float32Array(from.length);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = (y * width + x) * channels;
        for (let k = -reach; k <= reach; k++) {
          const xx = horizontal ? Math.max(0, Math.min(width - 1, x + k)) : x;
          const yy = horizontal ? y : Math.max(0, Math.min(height - 1, y + k));
          const w = kernel[k + reach]! / total;
          const source = (yy * width + xx) * channels;
          for (let c = 0; c < channels; c++) to[at + c]! += w * from[source + c]!;
        }
      }
    }
    return to;
  };
  return pass(pass(values, true), false);
}
