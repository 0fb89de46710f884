import { GoodnessError } from '../base/errors.js';
import type { Dataset, Scaling } from '../data/dataset.js';
import { loadData } from '../data/load.js';
import { pool } from '../data/pool.js';
import { applyShift, parseShift } from '../data/shift.js';
import type { Session } from '../device/session.js';
import { readRegion } from '../device/transfer.js';
import { REGION } from '../format/message.js';
import { type ExtractorMeta, type Meta, parseMeta } from '../format/meta.js';
import { LIMIT } from '../format/model.js';
import { numberOf } from './arguments.js';
import { chooseClasses } from './class-choice.js';
import { knownFeatures } from './features.js';
import type { Output } from './output.js';

export interface DataArguments {
  readonly data: string;
  readonly shift: string;
  readonly seed: string;
  readonly classes?: string | undefined;
  readonly features?: string | undefined;
}

/**
 * Data as the sensor of a model would deliver them: encoded with the model's scaling and classes, shifted, pooled, and gone through the
 * extractor in front of the model, if there is one.
 * @param part which half of the data set
 */
export async function dataForModel(
  args: DataArguments,
  meta: Meta,
  part: 'train' | 'test',
  output: Output,
): Promise<Dataset> {
  const seed = numberOf('seed', args.seed)!;
  const shift = parseShift(args.shift);
  const { oneClass } = meta;
  const classes = oneClass?.classes ?? meta.classes;
  const loaded = await loadData(args.data, { seed, classes, ...scalingOf(meta) });
  const data = loaded[part];
  if (data.classes.some((name, c) => name !== classes[c])) {
    throw new GoodnessError('data.classes', `the classes of ${data.name} are not those of the model`, {
      expected: classes.join(', '),
      got: data.classes.join(', '),
    });
  }
  const chosen = chooseClasses(data, args.classes ?? oneClass?.normal.join(','));
  const sensed = pool(applyShift(chosen, shift, seed), meta.pool ?? 1);
  const seen = await knownFeatures(sensed, meta, args.features, output);
  // To a network of one class all samples are of that class; it says itself which are novel.
  return oneClass === undefined ? seen : { ...seen, labels: new Uint8Array(seen.count), classes: meta.classes };
}

/** What a model, or its checkpoint, says of its data. */
export interface ScaledData {
  readonly scaling?: { readonly offset: ArrayLike<number>; readonly step: ArrayLike<number> };
  readonly extractor?: ExtractorMeta;
}

/** The scaling of a model's data as an option of `loadData`, or none: that of what goes into its extractor, if it has one. */
export function scalingOf(meta: ScaledData): { readonly scaling?: Scaling } {
  const scaling = meta.extractor?.scaling ?? meta.scaling;
  if (scaling === undefined) return {};
  return { scaling: { offset: Float32Array.from(scaling.offset), step: Float32Array.from(scaling.step) } };
}

/** Refuses a choice of samples that leaves none: an error rate of nothing would look like success. */
export function checkNotEmpty(chosen: Dataset, all: Dataset, from: number): void {
  if (chosen.count > 0) return;
  throw new GoodnessError('data.empty', `there are no samples to use in ${all.name}`, {
    expected: `--from below ${all.count}`,
    got: String(from),
  });
}

/** What the model on a device says about itself (SPEC.md, "Meta"). */
export async function metaOnDevice(session: Session): Promise<Meta> {
  const head = await readRegion(session, REGION.image, 0, 48);
  const view = new DataView(head.buffer, head.byteOffset);
  const [offset, length] = [view.getUint32(24, true), view.getUint32(28, true)];
  const shape = { classes: session.hello.classes, rawInputs: session.hello.rawInputs };
  if (length > LIMIT.metaBytes || offset + length > session.hello.imageLength) {
    throw new GoodnessError('device.meta', 'the device tells of a model whose meta section can not be', {
      expected: `at most ${LIMIT.metaBytes} bytes, within ${session.hello.imageLength}`,
      got: `${length} bytes at ${offset}`,
      fix: 'Flash the model again.',
    });
  }
  if (length === 0) return { classes: Array.from({ length: shape.classes }, (_, c) => String(c)) };
  const text = new TextDecoder().decode(await readRegion(session, REGION.image, offset, length));
  return parseMeta(text, shape);
}
