import { beforeAll, describe, expect, it } from 'vitest';
import { GoodnessError } from '../../src/base/errors.js';
import { Random } from '../../src/base/random.js';
import { WasmCore } from '../../src/device/wasm/core.js';
import { crc32 } from '../../src/format/crc32.js';
import { decodeImage, encodeImage, imageLayout, sealImage } from '../../src/format/image.js';
import { INPUT_BITS, LAYOUTS, WEIGHT_BITS, type WeightBits, weightLimit } from '../../src/format/layout.js';
import { largestActivity, type Model } from '../../src/format/model.js';
import { applyPatch, decodePatch, diffPatch, encodePatch } from '../../src/format/patch.js';
import { Reference } from '../../src/reference/reference.js';
import { farCore, packedCore } from '../golden/core-builds.js';
import { randomInputs, randomModel } from '../golden/random-model.js';

const MODELS = 120;
const MOST = 0xffffffff;

/** A random model of any shape, whose parameters and counters often lie at the ends of their ranges. */
function anyModel(random: Random): Model {
  const one = (n: number): boolean => random.integer(n) === 0;
  const classes = 1 + random.integer(6);
  const depth = 1 + random.integer(4);
  const base = randomModel({
    seed: random.uint32(),
    rawInputs: 1 + random.integer(one(4) ? 300 : 40),
    classes,
    hidden: Array.from({ length: depth }, () => classes * (1 + random.integer(12))),
    objective: one(4) ? 'label' : 'partitioned',
    encoding: one(2) ? 'plain' : 'complement',
    subtractMin: one(2),
    lengthShift: 4 + random.integer(9),
    outputShift: random.integer(one(3) ? 25 : 14),
    extreme: one(4),
    bits: one(2) ? 8 : Array.from({ length: depth }, () => WEIGHT_BITS[random.integer(4)]!),
    inputBits: one(2) ? 8 : Array.from({ length: depth }, () => INPUT_BITS[random.integer(2)]!),
    layersBelow: one(2) ? 0 : random.integer(256),
    ...(one(2) ? {} : { above: { lengthShift: 4 + random.integer(9), inputBits: INPUT_BITS[random.integer(2)]! } }),
    counts: one(2),
    learns: Array.from({ length: depth }, () => !one(5)),
    meanShift: 1 + random.integer(8),
    thresholdShift: random.integer(16),
    reviveShift: random.integer(9),
    margin: random.integer(256),
    rate: random.integer(65536),
    thetaScale: [0, 0.01, 0.1, 1, 50][random.integer(5)]!,
    errorSpan: one(3) ? 0 : random.integer(256),
    meta: false,
  });
  const { state } = base;
  return {
    ...base,
    layers: base.layers.map((layer) =>
      one(3) ? { ...layer, activityMax: 1 + random.integer(largestActivity(layer.outputs)) } : layer,
    ),
    state: {
      ...state,
      t: one(3) ? MOST - random.integer(40) : state.t,
      samples: one(3) ? MOST - random.integer(40) : state.samples,
      updates: one(3) ? MOST - random.integer(10) : state.updates,
      errors: one(3) ? MOST - 1 : state.errors,
      tau: 1 + random.integer(65535),
      centring: random.integer(513),
      noveltyThreshold: one(3) ? random.uint32() : state.noveltyThreshold,
      layers: state.layers.map((layer) => ({
        ...layer,
        theta: one(4) ? 32 + random.integer(MOST - 32) : Math.min(MOST, layer.theta),
        learningShift: 1 + random.integer(24),
        reviveActivity: random.integer(65536),
        recentErrors: random.integer(65536),
        usualErrors: random.integer(256),
      })),
      thresholds: state.thresholds.map((threshold) => (one(3) ? random.uint32() : threshold)),
      counts: state.counts.map((count) => (one(3) ? MOST : count)),
      means: state.means.map((means) => means.map(() => random.integer(65281))),
    },
  };
}

/** The model with its weights laid out at random, where a layer can be. */
function anyLayout(model: Model, random: Random): Model {
  const layers = model.layers.map((layer) => {
    const able = LAYOUTS.filter((layout) => layout.takes(layer));
    return { ...layer, layout: able[random.integer(able.length)]!.tag };
  });
  return { ...model, layers };
}

/** Another set of weights, means and parameters, as a sync would send. */
function otherWeights(model: Model, random: Random): Model {
  return {
    ...model,
    layers: model.layers.map((layer) =>
      layer.learns ? { ...layer, weights: layer.weights.map(() => anyWeight(layer.weightBits, random)) } : layer,
    ),
    state: {
      ...model.state,
      baseId: random.uint32(),
      t: 0,
      means: model.state.means.map((means) => means.map(() => random.integer(65281))),
    },
  };
}

function anyWeight(bits: WeightBits, random: Random): number {
  const limit = weightLimit(bits);
  return random.integer(2 * limit + 1) - limit;
}

/** The image as the core has it, with the CRC that fits. */
function sealed(core: WasmCore): Buffer {
  const image = core.image().slice();
  sealImage(image);
  return Buffer.from(image);
}

function compareInference(reference: Reference, core: WasmCore, inputs: readonly Uint8Array[], random: Random): void {
  const { classes, layers } = reference.toModel();
  for (const x of inputs) {
    const label = random.integer(4) === 0 ? undefined : random.integer(classes);
    const { scores, goodness, onward, ...outcome } = reference.infer(x, label);
    expect(core.infer(x, label)).toEqual(outcome);
    expect(core.onward()).toEqual(onward ?? new Uint8Array(0));
    expect([...core.scores()]).toEqual([...scores]);
    const layer = random.integer(layers.length);
    expect([...core.trace(x, layer)]).toEqual([...reference.trace(x, layer)]);
  }
}

function compareLearning(reference: Reference, core: WasmCore, inputs: readonly Uint8Array[], random: Random): void {
  const classes = reference.toModel().classes;
  const level = (reference.toModel().layersBelow > 0 ? 0 : random.integer(3)) as 0 | 1 | 2;
  reference.statistics(level);
  core.statistics(level);
  for (let step = 0; step < 40; step++) {
    const x = inputs[random.integer(inputs.length)]!;
    const label = random.integer(classes);
    const { scores, goodness, onward, ...outcome } = reference.learn(x, label);
    expect(core.learn(x, label)).toEqual(outcome);
    expect(core.onward()).toEqual(onward ?? new Uint8Array(0));
  }
  expect(sealed(core).equals(reference.image())).toBe(true);
  if (level > 0) expect(Buffer.from(core.read(1, 0, 65535)).equals(reference.statisticsBytes())).toBe(true);
  const now = reference.toModel();
  const { patch } = diffPatch(now, otherWeights(now, random), 7);
  reference.applyPatch(patch, 7);
  core.applyPatch(encodePatch(patch), 7);
  expect(sealed(core).equals(reference.image())).toBe(true);
}

let far: WebAssembly.Module;
let packed: WebAssembly.Module;
beforeAll(async () => {
  far = await farCore();
  packed = await packedCore();
}, 360_000);

describe('the reference and the firmware core', () => {
  it.each([
    [1, 'near'],
    [2, 'near'],
    [3, 'near'],
    [4, 'near'],
    [1, 'far'],
    [2, 'far'],
    [1, 'packed'],
    [2, 'packed'],
    [3, 'packed'],
    [4, 'packed'],
  ] as const)(
    'agree on every byte of random models of all shapes (seed %i, build %s)',
    async (seed, build) => {
      const random = new Random(seed);
      const module = { near: undefined, far, packed }[build];
      for (let k = 0; k < MODELS / 4; k++) {
        const model = build === 'packed' ? anyLayout(anyModel(random), random) : anyModel(random);
        const reference = new Reference(model);
        const core = await WasmCore.withModel(encodeImage(model), module);
        const inputs = randomInputs(seed * MODELS + k, 8, model.rawInputs);
        compareInference(reference, core, inputs, random);
        if (model.layers.some((layer) => layer.learns)) compareLearning(reference, core, inputs, random);
      }
    },
    60_000,
  );
});

const VALUES = [0, 1, 2, 3, 4, 7, 13, 32, 64, 127, 128, 200, 254, 255];

/** Each byte of an object set to each of a few values, with the CRC made to fit where it covers the byte. */
function* mutants(object: Uint8Array): Generator<{ at: number; bytes: Uint8Array }> {
  for (let at = 0; at < object.length; at++) {
    for (const value of [...VALUES, object[at]! + 1, object[at]! - 1]) {
      const bytes = object.slice();
      bytes[at] = value;
      if (at >= 16) new DataView(bytes.buffer).setUint32(12, crc32(bytes.subarray(16)), true);
      yield { at, bytes };
    }
  }
}

/** The status that it is refused with, or 'taken'. */
function verdict(attempt: () => unknown): string {
  try {
    attempt();
    return 'taken';
  } catch (error) {
    if (!(error instanceof GoodnessError)) throw error;
    return error.code.split('.')[1]!;
  }
}

/** Whether some record of a patch (SPEC.md 7) has padding other than zeros. */
function hasUncleanPadding(patch: Uint8Array): boolean {
  const view = new DataView(patch.buffer, patch.byteOffset);
  for (let at = 32; at < patch.length; ) {
    const end = at + 12 + view.getUint32(at + 4, true);
    at = Math.ceil(end / 4) * 4;
    if (patch.subarray(end, at).some((byte) => byte !== 0)) return true;
  }
  return false;
}

describe.each(['near', 'far'] as const)('damaged objects are judged alike by host and device (%s flash):', (build) => {
  let core: WasmCore;
  beforeAll(async () => {
    core = await WasmCore.create(build === 'far' ? { module: far } : {});
  });

  it.each([
    ['partitioned', 8],
    ['label', 8],
    ['partitioned', 4],
  ] as const)('an image (%s, %i bits)', (objective, bits) => {
    const model = randomModel({
      seed: 1,
      rawInputs: 5,
      classes: 3,
      hidden: [6, 3],
      learns: [true, false],
      objective,
      bits,
      inputBits: bits,
    });
    const image = encodeImage(model);
    const { weightsOffsets, stateOffset } = imageLayout(model);
    const differ = new Set<string>();
    for (const { at, bytes } of mutants(image)) {
      const host = verdict(() => decodeImage(bytes));
      const device = verdict(() => core.load(bytes));
      if (host === device) continue;
      // What SPEC.md 2.6 leaves to the host: the text of meta, weights beyond what their bits say, padding.
      const metaLength = at === 28;
      const meta = at >= 112 && at < weightsOffsets[0]!;
      const weights = at >= weightsOffsets[0]! && at < stateOffset;
      const padding = at >= image.length - (objective === 'partitioned' ? 2 : 0);
      const fewerBits = at === 54 || at === 86;
      if (device === 'taken' && (metaLength || meta || weights || fewerBits || padding)) continue;
      differ.add(`offset ${at}: host ${host}, device ${device}`);
    }
    expect([...differ]).toEqual([]);
  });

  it('a patch, with the same outcome where it is taken', () => {
    const model = randomModel({ seed: 5, rawInputs: 7, classes: 3, hidden: [6, 9, 3], learns: [true, false, true] });
    const to: Model = {
      ...model,
      layers: model.layers.map((l) => (l.learns ? { ...l, weights: l.weights.map((w) => Math.min(127, w + 1)) } : l)),
      state: {
        ...model.state,
        baseId: 5,
        t: 0,
        tau: 7,
        meanShift: 3,
        thresholds: model.state.thresholds.map((threshold) => threshold + 1),
      },
    };
    const image = encodeImage(model);
    const differ = new Set<string>();
    for (const { at, bytes } of mutants(encodePatch(diffPatch(model, to, 9).patch))) {
      core.load(image);
      let wanted: Uint8Array | undefined;
      const host = verdict(() => {
        wanted = encodeImage(applyPatch(model, decodePatch(bytes), 9));
      });
      const device = verdict(() => core.applyPatch(bytes, 9));
      if (host === 'field' && device === 'taken' && hasUncleanPadding(bytes)) continue; // SPEC.md 2.6
      if (host !== device) differ.add(`offset ${at}: host ${host}, device ${device}`);
      else if (wanted !== undefined && !sealed(core).equals(wanted)) differ.add(`offset ${at}: other bytes`);
    }
    expect([...differ]).toEqual([]);
  });

  it('a patch that touches the padding of the state, or stands behind it', () => {
    const model = randomModel({ seed: 7, rawInputs: 5, classes: 2, hidden: [4], learns: [true] });
    const image = encodeImage(model);
    const end = image.length - 2; // an odd number of means
    const verdicts = [
      [end - 2, 2],
      [end, 0],
      [end - 1, 2],
      [end, 1],
      [end + 1, 0],
    ].map(([offset, count]) => {
      const records = [{ offset: offset!, operation: 'replace' as const, bytes: new Uint8Array(count!) }];
      const patch = { baseId: model.state.baseId, nextBaseId: 9, ticket: 7, records };
      core.load(image);
      return [verdict(() => applyPatch(model, patch, 7)), verdict(() => core.applyPatch(encodePatch(patch), 7))];
    });
    expect(verdicts).toEqual([['taken', 'taken'], ['taken', 'taken'], ...Array(3).fill(['field', 'field'])]);
  });
});
