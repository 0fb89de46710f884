import { encodeImage, imageLayout } from '../format/image.js';
import { MESSAGES, type Outcome, REGION } from '../format/message.js';
import type { Model } from '../format/model.js';
import { Reference } from '../reference/reference.js';
import { Session } from './session.js';
import { readRegion } from './transfer.js';
import { WasmCore } from './wasm/core.js';

/** Samples to compare on: bytes (rawInputs) each, with a label or none. */
export interface ParitySample {
  readonly input: Uint8Array;
  readonly label?: number;
}

/** The first place where device and reference differ. */
export interface Difference {
  /** What differs: an activity, a field of the outcome, or a byte of the model. */
  readonly what: 'activity' | 'class' | 'flags' | 'score' | 'labelScore' | 'model';
  /** Index of the sample; missing for the model. */
  readonly sample?: number;
  readonly layer?: number;
  readonly neuron?: number;
  /** Offset in the image, for the model. */
  readonly offset?: number;
  readonly expected: number;
  readonly got: number;
}

export interface ParityReport {
  /** Samples compared. */
  readonly samples: number;
  /** Numbers that differ: activities, fields of outcomes, bytes of the model. */
  readonly mismatches: number;
  readonly first?: Difference;
  /** The first activity that differs: where the arithmetic goes apart, whatever the cause. */
  readonly firstActivity?: Difference;
}

/** Fields of the answer that are compared. */
const FIELDS = ['class', 'flags', 'score', 'labelScore'] as const;
const CRC_AT = 12;
const CRC_FROM = 16;

/** A device as far as parity goes: a session, or a core in this process. */
interface Device {
  image(): Promise<Uint8Array>;
  infer(input: Uint8Array, label: number | undefined): Promise<Outcome>;
  learn(index: number, input: Uint8Array, label: number): Promise<Outcome>;
  trace(input: Uint8Array, layer: number): Promise<Uint16Array>;
}

/** Collects differences; keeps the first. */
class Ledger {
  mismatches = 0;
  first: Difference | undefined;
  firstActivity: Difference | undefined;

  compare(expected: number, got: number, where: Omit<Difference, 'expected' | 'got'>): void {
    if (expected === got) return;
    this.mismatches++;
    const difference = { ...where, expected, got };
    this.first ??= difference;
    if (where.what === 'activity') this.firstActivity ??= difference;
  }

  outcome(sample: number, expected: Outcome, got: Outcome): void {
    for (const what of FIELDS) this.compare(expected[what], got[what], { what, sample });
  }

  report(samples: number): ParityReport {
    const { mismatches, first, firstActivity } = this;
    return {
      samples,
      mismatches,
      ...(first === undefined ? {} : { first }),
      ...(firstActivity === undefined ? {} : { firstActivity }),
    };
  }
}

/**
 * Checks that a device computes what the reference computes: the model that it holds, every activity of every layer, and the
 * outcome, sample by sample. Nothing is changed on the device.
 *
 * @param model what the device should hold
 */
export async function verifyModel(
  model: Model,
  target: Session | WasmCore,
  samples: readonly ParitySample[],
  onProgress?: (done: number, total: number) => void,
): Promise<ParityReport> {
  const device = deviceOf(target, model);
  const reference = new Reference(model);
  const ledger = new Ledger();
  compareImages(ledger, model, encodeImage(model), await device.image());
  for (const [n, { input, label }] of samples.entries()) {
    for (let layer = 0; layer < model.layers.length; layer++) {
      const expected = reference.trace(input, layer);
      const got = await device.trace(input, layer);
      for (let j = 0; j < expected.length; j++) {
        ledger.compare(expected[j]!, got[j]!, { what: 'activity', sample: n, layer, neuron: j });
      }
    }
    ledger.outcome(n, reference.infer(input, label), await device.infer(input, label));
    onProgress?.(n + 1, samples.length);
  }
  return ledger.report(samples.length);
}

/**
 * Checks that a device learns as the reference does: both learn all samples, every outcome is compared, and in the end every
 * byte of the model. It leaves the device with what it has learned.
 */
export async function verifyLearning(
  model: Model,
  target: Session | WasmCore,
  samples: readonly Required<ParitySample>[],
  onProgress?: (done: number, total: number) => void,
): Promise<ParityReport> {
  const device = deviceOf(target, model);
  const reference = new Reference(model);
  const ledger = new Ledger();
  if (target instanceof Session) await target.request(MESSAGES.stream, { index: 0 });
  for (const [n, { input, label }] of samples.entries()) {
    ledger.outcome(n, reference.learn(input, label), await device.learn(n, input, label));
    onProgress?.(n + 1, samples.length);
  }
  compareImages(ledger, model, reference.image(), await device.image());
  return ledger.report(samples.length);
}

/** What a user needs to know of a difference. */
export function describeDifference(d: Difference): string {
  const numbers = `reference ${d.expected}, device ${d.got}`;
  switch (d.what) {
    case 'model':
      return `byte ${d.offset} of the model${d.layer === undefined ? '' : ` (weights of layer ${d.layer}, neuron ${d.neuron})`}: ${numbers}`;
    case 'activity':
      return `sample ${d.sample}, layer ${d.layer}, neuron ${d.neuron}: ${numbers}`;
    default:
      return `sample ${d.sample}, ${d.what}: ${numbers}`;
  }
}

/** Everything but the checksum, which stays that of the image in the store. */
function compareImages(ledger: Ledger, model: Model, expected: Uint8Array, got: Uint8Array): void {
  for (let offset = 0; offset < expected.length; offset++) {
    if (offset === CRC_AT) offset = CRC_FROM;
    if (expected[offset] === got[offset]) continue;
    ledger.compare(expected[offset]!, got[offset] ?? -1, { what: 'model', offset, ...weightAt(model, offset) });
  }
}

/** Layer and neuron of the weight at an offset of the image, if it is one. */
function weightAt(model: Model, offset: number): { layer: number; neuron: number } | undefined {
  const { weightsOffsets } = imageLayout(model);
  const layer = model.layers.findIndex(
    ({ weights }, l) => offset >= weightsOffsets[l]! && offset < weightsOffsets[l]! + weights.length,
  );
  if (layer < 0) return undefined;
  return { layer, neuron: (offset - weightsOffsets[layer]!) % model.layers[layer]!.outputs };
}

function deviceOf(target: Session | WasmCore, model: Model): Device {
  if (target instanceof WasmCore) {
    return {
      image: async () => target.image(),
      infer: async (input, label) => target.infer(input, label),
      learn: async (_, input, label) => target.learn(input, label),
      trace: async (input, layer) => target.trace(input, layer),
    };
  }
  const most = Math.max(1, (target.hello.maxResponse - 1) >> 1);
  return {
    image: () => readRegion(target, REGION.image, 0, imageLayout(model).length),
    infer: (input, label) => target.request(MESSAGES.infer, label === undefined ? { input } : { input, label }),
    learn: async (index, input, label) => (await target.request(MESSAGES.learn, { index, input, label })).outcome,
    trace: async (input, layer) => {
      const activities = new Uint16Array(model.layers[layer]!.outputs);
      for (let from = 0; from < activities.length; from += most) {
        const count = Math.min(most, activities.length - from);
        activities.set(await target.request(MESSAGES.trace, { layer, from, count, input }), from);
      }
      return activities;
    },
  };
}
