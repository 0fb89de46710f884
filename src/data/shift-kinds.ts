import type { Random } from '../base/random.js';
import type { Dataset, Geometry } from './dataset.js';
import { type Affine, affineMap, blur, IDENTITY, morph, resample, rotation } from './raster.js';
import { smoothWarp } from './warp.js';

/** A number behind the name of a shift. */
export interface ShiftParameter {
  readonly symbol: string;
  readonly unit: string;
  readonly low: number;
  readonly high: number;
  readonly whole?: boolean;
  /** Taken where the user gives none. */
  readonly initial?: number;
}

/** Turns one sample into its shifted self; `each` gives what differs from sample to sample. */
type ShiftSample = (from: Uint8Array, to: Uint8Array, each: Random) => void;

export interface ShiftKind {
  readonly name: string;
  readonly help: string;
  /** Whether it needs an image. */
  readonly image: boolean;
  readonly parameters: readonly ShiftParameter[];
  /** `shared` gives what all samples have in common. */
  prepare(values: readonly number[], data: Dataset, shared: Random): ShiftSample;
}

const PERCENT = { symbol: 'P', unit: 'percent' };
const DEGREES = { symbol: 'N', unit: 'degrees' };

function clampByte(v: number): number {
  return Math.max(0, Math.min(255, Math.floor(v + 0.5)));
}

/** A shift that reads every image at the same places. */
function fixedAffine(geometry: Geometry, m: Affine): ShiftSample {
  const map = affineMap(m, geometry);
  return (from, to) => resample(from, geometry, map, to, 0.5);
}

function imageKind(
  name: string,
  parameters: readonly ShiftParameter[],
  help: string,
  prepare: (values: readonly number[], geometry: Geometry, shared: Random) => ShiftSample,
): ShiftKind {
  return {
    name,
    help,
    image: true,
    parameters,
    prepare: (values, data, shared) => prepare(values, data.geometry!, shared),
  };
}

function anyKind(
  name: string,
  parameters: readonly ShiftParameter[],
  help: string,
  prepare: (values: readonly number[], width: number, shared: Random) => ShiftSample,
): ShiftKind {
  return {
    name,
    help,
    image: false,
    parameters,
    prepare: (values, data, shared) => prepare(values, data.width, shared),
  };
}

/** All shifts, in the order in which help shows them. */
export const SHIFTS: readonly ShiftKind[] = [
  imageKind('rot', [{ ...DEGREES, low: -360, high: 360 }], 'the sensor turned by N degrees, anticlockwise', ([n], g) =>
    fixedAffine(g, rotation(n!)),
  ),
  imageKind(
    'jitter',
    [{ ...DEGREES, low: 0, high: 180 }],
    'each sample turned by its own angle within +-N degrees',
    ([n], g) => {
      const map = affineMap(IDENTITY, g);
      return (from, to, each) => resample(from, g, affineMap(rotation(each.between(-n!, n!)), g, map), to, 0.5);
    },
  ),
  imageKind(
    'thick',
    [],
    'strokes one pixel wider on each side (3 x 3 dilation)',
    (_, g) => (from, to) => morph(from, g, true, to),
  ),
  imageKind(
    'thin',
    [],
    'strokes one pixel narrower on each side (3 x 3 erosion)',
    (_, g) => (from, to) => morph(from, g, false, to),
  ),
  imageKind('scale', [{ ...PERCENT, low: 10, high: 1000 }], 'images P percent of their size', ([p], g) =>
    fixedAffine(g, { ...IDENTITY, a: 100 / p!, d: 100 / p! }),
  ),
  imageKind(
    'shear',
    [{ ...PERCENT, low: -200, high: 200 }],
    'rows moved sideways by P percent of their height above the centre',
    ([p], g) => fixedAffine(g, { ...IDENTITY, b: p! / 100 }),
  ),
  imageKind(
    'translate',
    [
      { symbol: 'X', unit: 'pixels to the right', low: -1000, high: 1000 },
      { symbol: 'Y', unit: 'pixels down', low: -1000, high: 1000, initial: 0 },
    ],
    'images moved by X pixels to the right and Y down',
    ([x, y], g) => fixedAffine(g, { ...IDENTITY, e: -x!, f: -y! }),
  ),
  imageKind(
    'blur',
    [{ symbol: 'N', unit: 'passes', low: 1, high: 100, whole: true, initial: 2 }],
    'out of focus: N passes of a 3 x 3 binomial filter',
    ([n], g) => {
      const pixels = g.width * g.height;
      const scratch = new Float32Array(pixels);
      const buffer = new Uint8Array(pixels);
      return (from, to) => {
        blur(from, g, to, scratch);
        for (let pass = 1; pass < n!; pass++) {
          buffer.set(to);
          blur(buffer, g, to, scratch);
        }
      };
    },
  ),
  imageKind(
    'warp',
    [{ symbol: 'A', unit: 'pixels, root mean square', low: 0, high: 100, initial: 2 }],
    'a smooth distortion by A pixels, drawn from the seed, without an affine part',
    ([a], g, shared) => {
      const map = smoothWarp(g, a!, shared);
      return (from, to) => resample(from, g, map, to, 0.5);
    },
  ),
  imageKind(
    'occlude',
    [{ symbol: 'N', unit: 'pixels', low: 1, high: 1000, whole: true }],
    'a patch of N x N pixels hidden at a random place',
    ([n], g) => {
      const w = Math.min(n!, g.width);
      const h = Math.min(n!, g.height);
      return (from, to, each) => {
        to.set(from);
        const left = each.integer(g.width - w + 1);
        const top = each.integer(g.height - h + 1);
        for (let y = top; y < top + h; y++) to.fill(0, y * g.width + left, y * g.width + left + w);
      };
    },
  ),
  anyKind('invert', [], 'bytes b become 255 - b', () => (from, to) => {
    for (let k = 0; k < from.length; k++) to[k] = 255 - from[k]!;
  }),
  anyKind(
    'noise',
    [{ symbol: 'N', unit: 'bytes', low: 0, high: 255 }],
    'normal noise with deviation N added, clamped',
    ([n]) =>
      (from, to, each) => {
        for (let k = 0; k < from.length; k++) to[k] = clampByte(from[k]! + n! * each.normal());
      },
  ),
  anyKind(
    'gain',
    [{ ...PERCENT, low: 0, high: 1000 }],
    'values P percent of what they were, clamped',
    ([p]) =>
      (from, to) => {
        for (let k = 0; k < from.length; k++) to[k] = clampByte((from[k]! * p!) / 100);
      },
  ),
  anyKind(
    'offset',
    [{ symbol: 'N', unit: 'bytes', low: -255, high: 255 }],
    'N added to all values, clamped',
    ([n]) =>
      (from, to) => {
        for (let k = 0; k < from.length; k++) to[k] = clampByte(from[k]! + n!);
      },
  ),
  anyKind(
    'drift',
    [{ ...PERCENT, low: 0, high: 200 }],
    'each input gets a gain and an offset of its own, with deviations of P and P / 2 percent, drawn from the seed',
    ([p], width, shared) => {
      const gain = Float32Array.from({ length: width }, () => Math.exp((p! / 100) * shared.normal()));
      const offset = Float32Array.from({ length: width }, () => (p! / 200) * 128 * shared.normal());
      return (from, to) => {
        for (let k = 0; k < width; k++) to[k] = clampByte((from[k]! - 128) * gain[k]! + 128 + offset[k]!);
      };
    },
  ),
  anyKind(
    'swap',
    [{ symbol: 'N', unit: 'pairs', low: 1, high: 10000, whole: true }],
    'N pairs of inputs exchanged, drawn from the seed',
    ([n], width, shared) => {
      const order = shared.permutation(width);
      const source = Uint32Array.from({ length: width }, (_, k) => k);
      for (let pair = 0; pair < Math.min(n!, width >> 1); pair++) {
        const [i, j] = [order[2 * pair]!, order[2 * pair + 1]!];
        source[i] = j;
        source[j] = i;
      }
      return (from, to) => {
        for (let k = 0; k < width; k++) to[k] = from[source[k]!]!;
      };
    },
  ),
];
