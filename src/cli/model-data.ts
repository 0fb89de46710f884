import { GoodnessError } from '../base/errors.js';
import type { Dataset, Scaling } from '../data/dataset.js';
import { loadData } from '../data/load.js';
import { pool } from '../data/pool.js';
import { applyShift, parseShift } from '../data/shift.js';
import type { Session } from '../device/session.js';
import { readRegion } from '../device/transfer.js';
import { REGION } from '../format/message.js';
import { type Meta, parseMeta } from '../format/meta.js';
import { numberOf } from './arguments.js';
import { chooseClasses } from './class-choice.js';

export interface DataArguments {
  readonly data: string;
  readonly shift: string;
  readonly seed: string;
  readonly classes?: string | undefined;
}

/**
 * Data as the sensor of a model would deliver them: encoded with the model's scaling and classes, shifted, and pooled.
 * @param part which half of the data set
 */
export async function dataForModel(args: DataArguments, meta: Meta, part: 'train' | 'test'): Promise<Dataset> {
  const seed = numberOf('seed', args.seed)!;
  const shift = parseShift(args.shift);
  const { classes } = meta;
  const loaded = await loadData(args.data, { seed, classes, ...scalingOf(meta) });
  const data = loaded[part];
  if (data.classes.some((name, c) => name !== classes[c])) {
    throw new GoodnessError('data.classes', `the classes of ${data.name} are not those of the model`, {
      expected: classes.join(', '),
      got: data.classes.join(', '),
    });
  }
  return pool(applyShift(chooseClasses(data, args.classes), shift, seed), meta.pool ?? 1);
}

/** The scaling in a model's meta as options of `loadData`, or none. */
export function scalingOf({ scaling }: Meta): { readonly scaling?: Scaling } {
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
  if (length === 0) return { classes: Array.from({ length: shape.classes }, (_, c) => String(c)) };
  const text = new TextDecoder().decode(await readRegion(session, REGION.image, offset, length));
  return parseMeta(text, shape);
}
