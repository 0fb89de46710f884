import { GoodnessError } from '../../base/errors.js';

/** Codes that every group of MCUmgr answers with (`MGMT_ERR_*`): what they mean, and what to do. */
const CODES: Readonly<Record<number, { readonly name: string; readonly text: string; readonly fix?: string }>> = {
  1: {
    name: 'EUNKNOWN',
    text: 'it failed, for a reason that the board does not tell',
    fix: 'Try again; worn flash fails like this.',
  },
  2: { name: 'ENOMEM', text: 'it does not fit', fix: 'Take a smaller image, or one for this board.' },
  3: { name: 'EINVAL', text: 'the board does not accept a value in the request' },
  4: { name: 'ETIMEOUT', text: 'the board took too long' },
  5: { name: 'ENOENT', text: 'there is no such image' },
  6: { name: 'EBADSTATE', text: 'not in this state', fix: 'Its version may be older than the one on the board.' },
  7: { name: 'EMSGSIZE', text: 'the answer would be too long' },
  8: { name: 'ENOTSUP', text: 'the board does not know this command' },
  9: {
    name: 'ECORRUPT',
    text: 'the image is damaged, or for another board',
    fix: 'The firmware that was there stays. Get the file again.',
  },
  10: { name: 'EBUSY', text: 'the board is busy', fix: 'Try again.' },
  11: { name: 'EACCESSDENIED', text: 'the board does not allow it' },
  12: { name: 'UNSUPPORTED_TOO_OLD', text: 'the board speaks a newer version of the protocol' },
  13: { name: 'UNSUPPORTED_TOO_NEW', text: 'the board speaks an older version of the protocol' },
};

/** Names of the image group's own codes (`IMG_MGMT_ERR_*`), in their order from 1 on. */
const IMAGE_CODES = [
  'UNKNOWN',
  'FLASH_CONFIG_QUERY_FAIL',
  'NO_IMAGE',
  'NO_TLVS',
  'INVALID_TLV',
  'TLV_MULTIPLE_HASHES_FOUND',
  'TLV_INVALID_SIZE',
  'HASH_NOT_FOUND',
  'NO_FREE_SLOT',
  'FLASH_OPEN_FAILED',
  'FLASH_READ_FAILED',
  'FLASH_WRITE_FAILED',
  'FLASH_ERASE_FAILED',
  'INVALID_SLOT',
  'NO_FREE_MEMORY',
  'FLASH_CONTEXT_ALREADY_SET',
  'FLASH_CONTEXT_NOT_SET',
  'FLASH_AREA_DEVICE_NULL',
  'INVALID_PAGE_OFFSET',
  'INVALID_OFFSET',
  'INVALID_LENGTH',
  'INVALID_IMAGE_HEADER',
  'INVALID_IMAGE_HEADER_MAGIC',
  'INVALID_HASH',
  'INVALID_FLASH_ADDRESS',
  'VERSION_GET_FAILED',
  'CURRENT_VERSION_IS_NEWER',
  'IMAGE_ALREADY_PENDING',
  'INVALID_IMAGE_VECTOR_TABLE',
  'INVALID_IMAGE_TOO_LARGE',
  'INVALID_IMAGE_DATA_OVERRUN',
  'IMAGE_CONFIRMATION_DENIED',
  'IMAGE_SETTING_TEST_TO_ACTIVE_DENIED',
] as const;

const IMAGE_GROUP = 1;

/** What an answer says went wrong: version 1 has one code, version 2 a group's own. */
export interface SmpStatus {
  readonly code: number;
  /** Undefined: the code is one that all groups share. */
  readonly group?: number;
  /** What the board says in words. */
  readonly reason?: string;
}

/** Code of "not supported", by which old servers answer what came later. */
export const NOT_SUPPORTED = 8;

/** The status in an answer's map; undefined if all went well. Fields of other types than they should have are no status. */
export function smpStatus(answer: ReadonlyMap<string, unknown>): SmpStatus | undefined {
  const err = answer.get('err');
  if (err instanceof Map) {
    const [group, code] = [err.get('group'), err.get('rc')];
    if (typeof code === 'number' && code !== 0) return typeof group === 'number' ? { code, group } : { code };
  }
  const code = answer.get('rc');
  const reason = answer.get('rsn');
  if (typeof code !== 'number' || code === 0) return undefined;
  return typeof reason === 'string' ? { code, reason } : { code };
}

/** A refusal as an error: `bootloader.refused`, with the code's name and meaning. */
export function smpRefusal(request: string, name: string, { code, group, reason }: SmpStatus): GoodnessError {
  const known = group === undefined ? CODES[code] : undefined;
  const own = group === IMAGE_GROUP ? IMAGE_CODES[code - 1] : known?.name;
  const got = `${own ?? 'code'} (${group === undefined ? '' : `group ${group}, `}${code})`;
  return new GoodnessError('bootloader.refused', `the bootloader on ${name} refused ${request}`, {
    got: [got, known?.text, reason].filter((part) => part !== undefined).join(': '),
    ...(known?.fix === undefined ? {} : { fix: known.fix }),
  });
}
