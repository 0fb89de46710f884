import { GoodnessError } from '../base/errors.js';
import { LIMIT, type Model } from './model.js';

/** What an image carries for people and hosts (SPEC.md, "Meta"); the device ignores it. */
export interface Meta {
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** Names of the raw inputs. */
  readonly features?: readonly string[];
  readonly dataset?: string;
  /** Class whose samples the host makes up as negative data: everything that is like none of the others. */
  readonly others?: string;
  /** A network of a single class: the classes of its source, and those of them that are that class. */
  readonly oneClass?: { readonly classes: readonly string[]; readonly normal: readonly string[] };
  readonly geometry?: { readonly width: number; readonly height: number };
  /** The data set is mean-pooled by this factor before it is fed. */
  readonly pool?: number;
  /** value = offset + step * byte; one entry per raw input, or a single one. */
  readonly scaling?: { readonly offset: readonly number[]; readonly step: readonly number[] };
  /** The frozen model whose output the inputs are: the sensor's own values go into it, on the host. */
  readonly extractor?: ExtractorMeta;
  /** Program and version that made the image. */
  readonly created?: string;
  readonly [key: string]: unknown;
}

/** A frozen `.tflite` model in front of a network. */
export interface ExtractorMeta {
  /** Name of its file. */
  readonly file: string;
  /** Of the file, in lower-case hexadecimal. */
  readonly sha256: string;
  /** What its inputs are in terms of the data's bytes: value = offset + step * byte; one entry per input, or a single one. */
  readonly scaling: { readonly offset: readonly number[]; readonly step: readonly number[] };
}

type Shape = Pick<Model, 'classes' | 'rawInputs'>;

/** The meta section of a model; one without it gets its class numbers as names. */
export function metaOf(model: Pick<Model, 'metaText' | 'classes' | 'rawInputs'>): Meta {
  if (model.metaText === '') return { classes: Array.from({ length: model.classes }, (_, c) => String(c)) };
  return parseMeta(model.metaText, model);
}

/** The text that goes into an image. */
export function formatMeta(meta: Meta): string {
  return JSON.stringify(meta);
}

/**
 * Reads and checks the JSON of a meta section.
 * @throws GoodnessError `image.meta`
 */
export function parseMeta(text: string, shape: Shape): Meta {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new GoodnessError('image.meta', 'the meta section is no JSON', { fix: 'Make the image again.', cause });
  }
  if (!isObject(value)) fail('the meta section', 'a JSON object', value);
  const { classes, features, dataset, geometry, pool, scaling, created, others, extractor, oneClass } = value;
  if (!isStrings(classes, shape.classes)) fail('classes', `${shape.classes} names`, classes);
  if (features !== undefined && !isStrings(features, shape.rawInputs))
    fail('features', `${shape.rawInputs} names`, features);
  if (dataset !== undefined && typeof dataset !== 'string') fail('dataset', 'a string', dataset);
  if (others !== undefined && !(typeof others === 'string' && classes.includes(others))) {
    fail('others', 'the name of a class', others);
  }
  if (oneClass !== undefined && !(isObject(oneClass) && isNames(oneClass.classes) && isNames(oneClass.normal))) {
    fail('oneClass', 'lists of names: classes, and normal', oneClass);
  }
  if (created !== undefined && typeof created !== 'string') fail('created', 'a string', created);
  if (geometry !== undefined && !(isObject(geometry) && isSize(geometry.width) && isSize(geometry.height))) {
    fail('geometry', 'width and height, 1 or more', geometry);
  }
  if (pool !== undefined && !isSize(pool)) fail('pool', 'a whole number, 1 or more', pool);
  if (scaling !== undefined && !isScaling(scaling, shape.rawInputs)) {
    fail('scaling', `1 or ${shape.rawInputs} finite offsets, and as many steps above 0`, scaling);
  }
  if (extractor !== undefined && !isExtractor(extractor)) {
    fail('extractor', 'file, sha256 (64 digits) and scaling', extractor);
  }
  return value as unknown as Meta;
}

/** Whether a value from outside names an extractor. */
export function isExtractor(value: unknown): value is ExtractorMeta {
  if (!isObject(value)) return false;
  const { file, sha256, scaling } = value;
  if (typeof file !== 'string' || file === '' || typeof sha256 !== 'string') return false;
  return /^[0-9a-f]{64}$/.test(sha256) && isScaling(scaling);
}

/** UTF-8 bytes of the text, checked. */
export function encodeMetaText(text: string, shape: Shape): Uint8Array {
  if (text !== '') parseMeta(text, shape);
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > LIMIT.metaBytes) {
    throw new GoodnessError('image.meta', 'the meta section is too long', {
      expected: `at most ${LIMIT.metaBytes} bytes`,
      got: `${bytes.length}`,
    });
  }
  return bytes;
}

/** Text of UTF-8 bytes, checked. */
export function decodeMetaText(bytes: Uint8Array, shape: Shape): string {
  if (bytes.length === 0) return '';
  let text: string;
  try {
    // The mark is kept, so that the text has the bytes it came from; JSON then refuses it.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new GoodnessError('image.meta', 'the meta section is no UTF-8', { fix: 'Make the image again.', cause });
  }
  parseMeta(text, shape);
  return text;
}

function fail(key: string, expected: string, got: unknown): never {
  const text = JSON.stringify(got) ?? 'nothing';
  throw new GoodnessError('image.meta', `${key} of the image can't be used`, {
    expected,
    got: text.length > 60 ? `${text.slice(0, 57)}...` : text,
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStrings(value: unknown, count: number): value is string[] {
  return Array.isArray(value) && value.length === count && value.every((v) => typeof v === 'string');
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((v) => typeof v === 'string');
}

function isSize(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1;
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((v) => typeof v === 'number' && Number.isFinite(v));
}

function isScaling(value: unknown, inputs?: number): boolean {
  if (!isObject(value)) return false;
  const { offset, step } = value;
  if (!isNumbers(offset) || !isNumbers(step) || offset.length !== step.length) return false;
  const fits = inputs === undefined ? offset.length >= 1 : offset.length === 1 || offset.length === inputs;
  return fits && step.every((s) => s > 0);
}
