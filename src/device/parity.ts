import { GoodnessError } from '../base/errors.js';
import { encodeImage, imageLayout } from '../format/image.js';
import { layoutFor, weightsLength } from '../format/layout.js';
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
  /** What differs: an activity, a field of the outcome, a byte of the model, or one that a board hands on to the next. */
  readonly what: 'activity' | 'class' | 'flags' | 'score' | 'labelScore' | 'model' | 'onward';
  /** Index of the sample; missing for the model. */
  readonly sample?: number;
  readonly layer?: number;
  readonly neuron?: number;
  /** Offset in the image, for the model; in what is handed on, for that. */
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
  /** Undefined if the sample was learned but the answer got lost on the line. */
  learn(index: number, input: Uint8Array, label: number): Promise<Outcome | undefined>;
  trace(input: Uint8Array, layer: number): Promise<Uint16Array>;
}

/** Bytes of each field on the wire. */
const WIDTH = { activity: 2, class: 1, flags: 1, score: 4, labelScore: 4, model: 1, onward: 1 } as const;

/** Collects differences; keeps the first. */
export class Ledger {
  mismatches = 0;
  first: Difference | undefined;
  firstActivity: Difference | undefined;
  /** Bytes compared, as they stand on the wire, and those that differ. */
  bytes = 0;
  bytesDifferent = 0;

  compare(expected: number, got: number, where: Omit<Difference, 'expected' | 'got'>): void {
    const width = WIDTH[where.what];
    this.bytes += width;
    if (expected === got) return;
    this.bytesDifferent += differentBytes(expected, got, width);
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
  const ledger = new Ledger();
  await compareModel(ledger, model, target, samples, onProgress);
  return ledger.report(samples.length);
}

/** What `verifyModel` does, with a ledger of the caller's. */
export async function compareModel(
  ledger: Ledger,
  model: Model,
  target: Session | WasmCore,
  samples: readonly ParitySample[],
  onProgress?: (done: number, total: number) => void,
): Promise<void> {
  const device = deviceOf(target, model);
  const reference = new Reference(model);
  compareImages(ledger, model, encodeImage(model), await device.image());
  for (const [n, { input, label }] of samples.entries()) {
    // All of a sample's requests at once: the session keeps as many under way as the device takes.
    const [outcome, ...traces] = await Promise.all([
      device.infer(input, label),
      ...model.layers.map((_, layer) => device.trace(input, layer)),
    ]);
    for (const [layer, got] of traces.entries()) {
      for (const [j, expected] of reference.trace(input, layer).entries()) {
        ledger.compare(expected, got[j]!, { what: 'activity', sample: n, layer, neuron: j });
      }
    }
    ledger.outcome(n, reference.infer(input, label), outcome);
    onProgress?.(n + 1, samples.length);
  }
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
  const ledger = new Ledger();
  await compareLearning(ledger, new Reference(model), target, samples, onProgress);
  return ledger.report(samples.length);
}

/**
 * What `verifyLearning` does, with a ledger and a reference of the caller's: the reference has learned what the device has.
 */
export async function compareLearning(
  ledger: Ledger,
  reference: Reference,
  target: Session | WasmCore,
  samples: readonly Required<ParitySample>[],
  onProgress?: (done: number, total: number) => void,
): Promise<void> {
  const model = reference.toModel();
  const device = deviceOf(target, model);
  if (target instanceof Session) await target.request(MESSAGES.stream, { index: 0 });
  for (const [n, { input, label }] of samples.entries()) {
    const got = await device.learn(n, input, label);
    const expected = reference.learn(input, label);
    // Undefined where the line lost the answer: the model, in the end, shows whether the device learned the right thing.
    if (got !== undefined) ledger.outcome(n, expected, got);
    onProgress?.(n + 1, samples.length);
  }
  compareImages(ledger, model, reference.image(), await device.image());
}

/** What a user needs to know of a difference. */
export function describeDifference(d: Difference): string {
  const numbers = `reference ${d.expected}, device ${d.got}`;
  switch (d.what) {
    case 'model':
      return `byte ${d.offset} of the model${d.layer === undefined ? '' : ` (weights of layer ${d.layer}, neuron ${d.neuron})`}: ${numbers}`;
    case 'onward':
      return `sample ${d.sample}, byte ${d.offset} of what layer ${d.layer} hands on: ${numbers}`;
    case 'activity':
      return `sample ${d.sample}, layer ${d.layer}, neuron ${d.neuron}: ${numbers}`;
    default:
      return `sample ${d.sample}, ${d.what}: ${numbers}`;
  }
}

/** How many of the `width` bytes of two numbers differ: one at least, since -1 stands for a byte that is missing. */
function differentBytes(expected: number, got: number, width: number): number {
  let different = 0;
  for (let i = 0; i < width; i++) if ((expected ^ got) & (255 << (8 * i))) different++;
  return Math.max(1, different);
}

function lostCount(expected: number, next: number): GoodnessError {
  return new GoodnessError('device.restarted', 'the device lost count of the samples that it learned', {
    expected: `sample ${expected}`,
    got: `sample ${next}`,
    fix: 'It restarted, or another program talks to it: check its supply voltage, close the other program, and try again.',
  });
}

/** Everything but the checksum, which stays that of the image in the store. */
export function compareImages(ledger: Ledger, model: Model, expected: Uint8Array, got: Uint8Array): void {
  for (let offset = 0; offset < expected.length; offset++) {
    if (offset === CRC_AT) offset = CRC_FROM;
    const tell = ledger.first === undefined && expected[offset] !== got[offset];
    const where = tell ? weightAt(model, expected, offset, got[offset] ?? 0) : undefined;
    ledger.compare(expected[offset]!, got[offset] ?? -1, { what: 'model', offset, ...where });
  }
}

/** Layer and neuron of the weight that another byte at an offset of the image changes, if it does. */
function weightAt(
  model: Model,
  image: Uint8Array,
  offset: number,
  got: number,
): { layer: number; neuron: number } | undefined {
  const { weightsOffsets } = imageLayout(model);
  const layer = model.layers.findIndex((one, l) => {
    const from = weightsOffsets[l]!;
    return offset >= from && offset < from + weightsLength(one);
  });
  const shape = model.layers[layer];
  if (shape === undefined) return undefined;
  const from = weightsOffsets[layer]!;
  const layout = layoutFor(shape.layout, shape);
  const bytes = image.slice(from, from + weightsLength(shape));
  const before = layout.unpack(shape, bytes);
  bytes[offset - from] = got;
  const at = layout.unpack(shape, bytes).findIndex((weight, k) => weight !== before[k]);
  return at < 0 ? undefined : { layer, neuron: at % shape.outputs };
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
  return {
    image: () => readRegion(target, REGION.image, 0, imageLayout(model).length),
    infer: (input, label) => target.request(MESSAGES.infer, label === undefined ? { input } : { input, label }),
    learn: async (index, input, label) => {
      const { retries } = target.line;
      const { next, outcome } = await target.request(MESSAGES.learn, { index, input, label });
      if (next !== index + 1) throw lostCount(index + 1, next);
      // A sample that is sent again because the answer was lost is not learned again, and the second answer is empty.
      const lost = target.line.retries > retries && outcome.score + outcome.flags + outcome.labelScore === 0;
      return lost ? undefined : outcome;
    },
    trace: (input, layer) => traceLayer(target, input, layer, model.layers[layer]!.outputs),
  };
}

/** Activities of a layer of a device, in as many pieces as its answers take. */
async function traceLayer(session: Session, input: Uint8Array, layer: number, neurons: number): Promise<Uint16Array> {
  const most = Math.max(1, (session.hello.maxResponse - 1) >> 1);
  const activities = new Uint16Array(neurons);
  const pieces: Promise<void>[] = [];
  for (let from = 0; from < neurons; from += most) {
    const count = Math.min(most, neurons - from);
    const piece = session.request(MESSAGES.trace, { layer, from, count, input });
    pieces.push(piece.then((values) => activities.set(values, from)));
  }
  await Promise.all(pieces);
  return activities;
}

/** Compares the activities of a layer of a device with those that are expected. */
export async function compareTrace(
  ledger: Ledger,
  session: Session,
  input: Uint8Array,
  layer: number,
  expected: Uint16Array,
  where: { readonly sample: number; readonly layer: number },
): Promise<void> {
  const got = await traceLayer(session, input, layer, expected.length);
  for (const [j, activity] of expected.entries()) {
    ledger.compare(activity, got[j]!, { what: 'activity', neuron: j, ...where });
  }
}
