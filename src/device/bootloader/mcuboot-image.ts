import { createHash } from 'node:crypto';
import { GoodnessError } from '../../base/errors.js';

/** A version in MCUboot's order of significance. Build numbers tell builds apart; bootloaders don't compare them. */
export interface McubootVersion {
  /** 0 to 255. */
  readonly major: number;
  /** 0 to 255. */
  readonly minor: number;
  /** 0 to 65,535. */
  readonly revision: number;
  /** 0 to 2^32 - 1; 0 if left out. */
  readonly build?: number;
}

export interface WrapOptions {
  readonly version: McubootVersion;
  /** Bytes in front of the code, 32 to 65,535: as far behind the start of the slot as the firmware is linked. */
  readonly headerSize: number;
  /** Bytes that the slot has for an image, without what the bootloader keeps for itself at its end. */
  readonly slotBytes: number;
}

/** What an image says of itself. */
export interface McubootImage {
  readonly version: McubootVersion;
  readonly headerSize: number;
  readonly flags: number;
  /** The firmware without header and tags: a view into the image. */
  readonly code: Uint8Array;
  /** SHA-256 of header, code and protected tags: by it bootloaders name the image. */
  readonly hash: Uint8Array;
  /** Bytes of header, code and tags. */
  readonly bytes: number;
}

const MAGIC = 0x96f3b83d;
const LEAST_HEADER = 32;
const TAGS = 0x6907;
const PROTECTED_TAGS = 0x6908;
const TAG_HEADER = 4;
const TAG_SHA256 = 0x10;
const HASH_BYTES = 32;
const AT = { headerSize: 8, protectedBytes: 10, codeBytes: 12, flags: 16, version: 20 } as const;

/** Whether these bytes begin as an image does. */
export function isMcubootImage(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(0, true) === MAGIC;
}

/**
 * Puts MCUboot's header in front of a firmware and its tags with the SHA-256 behind it (docs.mcuboot.com, "Bootloader", image
 * format): what imgtool makes without a key.
 *
 * @param code the firmware as linked for the slot's start plus `headerSize`
 * @throws GoodnessError `mcuboot.version`, `mcuboot.header`, `mcuboot.size` if it doesn't fit the slot
 */
export function wrapImage(code: Uint8Array, { version, headerSize, slotBytes }: WrapOptions): Uint8Array {
  if (!Number.isInteger(headerSize) || headerSize < LEAST_HEADER || headerSize > 65535 || headerSize % 4 !== 0) {
    throw new GoodnessError('mcuboot.header', 'an image can not have a header of this size', {
      expected: `a multiple of 4 from ${LEAST_HEADER} to 65,535`,
      got: `${headerSize}`,
    });
  }
  const hashed = headerSize + code.length;
  const total = hashed + 2 * TAG_HEADER + HASH_BYTES;
  if (code.length === 0 || total > slotBytes) {
    throw new GoodnessError('mcuboot.size', 'the firmware does not fit the slot', {
      expected: `1 to ${slotBytes - total + code.length} bytes of code`,
      got: `${code.length}`,
      fix: 'Build it smaller: fewer layers (FF_MAX_LAYERS), or without learning (FF_LEARN=0).',
    });
  }
  const image = new Uint8Array(total);
  const view = viewOf(image);
  view.setUint32(0, MAGIC, true);
  view.setUint16(AT.headerSize, headerSize, true);
  view.setUint32(AT.codeBytes, code.length, true);
  view.setUint8(AT.version, part(version.major, 0xff, 'major'));
  view.setUint8(AT.version + 1, part(version.minor, 0xff, 'minor'));
  view.setUint16(AT.version + 2, part(version.revision, 0xffff, 'revision'), true);
  view.setUint32(AT.version + 4, part(version.build ?? 0, 0xffffffff, 'build'), true);
  image.set(code, headerSize);
  view.setUint16(hashed, TAGS, true);
  view.setUint16(hashed + 2, 2 * TAG_HEADER + HASH_BYTES, true);
  view.setUint16(hashed + 4, TAG_SHA256, true);
  view.setUint16(hashed + 6, HASH_BYTES, true);
  image.set(sha256(image.subarray(0, hashed)), hashed + 8);
  return image;
}

/**
 * Takes an image apart after checking every length in it and its hash. Bytes behind its tags are ignored.
 *
 * @throws GoodnessError `mcuboot.magic`, `mcuboot.truncated`, `mcuboot.tags`, `mcuboot.hash`
 */
export function readImage(bytes: Uint8Array): McubootImage {
  if (!isMcubootImage(bytes)) {
    const got = bytes.length < 4 ? `${bytes.length} bytes` : `0x${viewOf(bytes).getUint32(0, true).toString(16)}`;
    throw new GoodnessError('mcuboot.magic', 'this is no MCUboot image', {
      expected: `0x${MAGIC.toString(16)}`,
      got,
      fix: 'Wrap the firmware first (imgtool sign, or wrapImage).',
    });
  }
  const view = viewOf(bytes);
  need(bytes, LEAST_HEADER);
  const headerSize = view.getUint16(AT.headerSize, true);
  const protectedBytes = view.getUint16(AT.protectedBytes, true);
  const end = headerSize + view.getUint32(AT.codeBytes, true);
  const hashed = end + protectedBytes;
  need(bytes, hashed + TAG_HEADER);
  if (headerSize < LEAST_HEADER) {
    throw tagError(`a header of at least ${LEAST_HEADER} bytes`, `${headerSize}`);
  }
  if (protectedBytes > 0) {
    expectTags(view, end, PROTECTED_TAGS, protectedBytes);
  }
  expectTags(view, hashed, TAGS, undefined);
  const tagBytes = view.getUint16(hashed + 2, true);
  need(bytes, hashed + tagBytes);
  const hash = findHash(bytes.subarray(hashed, hashed + tagBytes));
  const sum = sha256(bytes.subarray(0, hashed));
  if (hash.some((byte, i) => byte !== sum[i])) {
    throw new GoodnessError('mcuboot.hash', 'the image is damaged: its hash is wrong', {
      expected: hex(hash),
      got: hex(sum),
      fix: 'Build it again, or get the file again.',
    });
  }
  return {
    version: {
      major: view.getUint8(AT.version),
      minor: view.getUint8(AT.version + 1),
      revision: view.getUint16(AT.version + 2, true),
      build: view.getUint32(AT.version + 4, true),
    },
    headerSize,
    flags: view.getUint32(AT.flags, true),
    code: bytes.subarray(headerSize, end),
    hash,
    bytes: hashed + tagBytes,
  };
}

/** As bootloaders write it: `1.2.3`, with `.4` behind if there is a build number. */
export function formatVersion({ major, minor, revision, build = 0 }: McubootVersion): string {
  return `${major}.${minor}.${revision}${build === 0 ? '' : `.${build}`}`;
}

function part(value: number, most: number, name: string): number {
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new GoodnessError('mcuboot.version', `the ${name} number of the version is out of range`, {
    expected: `0 to ${most}`,
    got: `${value}`,
  });
}

function need(bytes: Uint8Array, count: number): void {
  if (bytes.length >= count) return;
  throw new GoodnessError('mcuboot.truncated', 'the image ends too early', {
    expected: `at least ${count} bytes`,
    got: `${bytes.length}`,
    fix: 'Get the file again.',
  });
}

function expectTags(view: DataView, at: number, magic: number, length: number | undefined): void {
  const got = view.getUint16(at, true);
  if (got !== magic) throw tagError(`0x${magic.toString(16)} at offset ${at}`, `0x${got.toString(16)}`);
  const bytes = view.getUint16(at + 2, true);
  if (bytes < TAG_HEADER || (length !== undefined && bytes !== length)) {
    throw tagError(`${length ?? `at least ${TAG_HEADER}`} bytes of tags`, `${bytes}`);
  }
}

/** The one hash among tags, their header included. */
function findHash(tags: Uint8Array): Uint8Array {
  const view = viewOf(tags);
  let hash: Uint8Array | undefined;
  let at = TAG_HEADER;
  while (at < tags.length) {
    if (at + TAG_HEADER > tags.length) throw tagError('whole tags', 'the end within one');
    const tag = view.getUint16(at, true);
    const length = view.getUint16(at + 2, true);
    at += TAG_HEADER;
    if (length > tags.length - at) throw tagError(`a tag of at most ${tags.length - at} bytes`, `${length}`);
    if (tag === TAG_SHA256) {
      if (hash !== undefined || length !== HASH_BYTES) throw tagError('one SHA-256 of 32 bytes', 'another');
      hash = tags.slice(at, at + length);
    }
    at += length;
  }
  if (hash === undefined) throw tagError('a SHA-256', 'none');
  return hash;
}

function tagError(expected: string, got: string): GoodnessError {
  return new GoodnessError('mcuboot.tags', 'header and tags of the image do not fit together', { expected, got });
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
