import { GoodnessError } from '../../base/errors.js';
import { OBJECT_KIND } from '../../format/message.js';
import { encodeSlot } from '../../format/slot.js';
import type { FirmwareImage, Segment } from '../bootloader/firmware-image.js';
import type { Board } from './board.js';

/** Sequence number of a slot that comes with the firmware. */
const FIRST = 1;
/** Stretch of 0xFF that goes over another slot's header: the least that any of our bootloaders writes at once. */
const BLANK_BYTES = 256;

/**
 * A model where a bootloader puts it: a committed slot (SPEC.md 8) at the board's place for models. Where the board has two slots,
 * the other one's header is blanked: an older model there would count as the newer one if it was saved more often.
 *
 * @param image a placed and encoded model
 * @throws GoodnessError `plan.board` for a board whose models don't come by bootloader
 */
export function modelSegments(board: Board, image: Uint8Array): FirmwareImage {
  const [place, other] = board.regions.filter((region) => region.use === 'model');
  if (place === undefined || board.budget === undefined) {
    throw new GoodnessError('plan.board', `${board.name} has no place in flash for a model`, {
      fix: 'Send it over the link: leave --firmware out.',
    });
  }
  const segments: Segment[] = [{ address: place.address, bytes: encodeSlot(image, FIRST, OBJECT_KIND.image) }];
  if (other !== undefined) segments.push({ address: other.address, bytes: new Uint8Array(BLANK_BYTES).fill(0xff) });
  return { segments };
}

/**
 * Reads a firmware file for a board.
 * @param bytes Intel HEX, an MCUboot image, or a binary as it was linked
 * @throws GoodnessError `firmware.*`, see parseFirmware
 */
export async function readFirmware(board: Board, bytes: Uint8Array, name: string): Promise<FirmwareImage> {
  const [{ parseFirmware }, { isMcubootImage }] = await Promise.all([
    import('../bootloader/hex.js'),
    import('../bootloader/mcuboot-image.js'),
  ]);
  const start = board.regions.find((region) => region.use === 'firmware')?.address ?? 0;
  // A binary that has no header yet is linked for the place behind it.
  const header = board.bootloader?.protocol === 'smp' && !isMcubootImage(bytes) ? board.bootloader.headerBytes : 0;
  return parseFirmware(bytes, name, start + header);
}

/**
 * What a bootloader is to write: firmware, model, or both.
 * @throws GoodnessError `firmware.range` where the firmware reaches into the place of models
 */
export async function compose(
  board: Board,
  firmware: FirmwareImage | undefined,
  model: FirmwareImage | undefined,
): Promise<FirmwareImage> {
  if (firmware === undefined) return model ?? { segments: [] };
  if (model === undefined) return firmware;
  for (const { address, bytes } of firmware.segments) {
    for (const region of board.regions) {
      if (region.use !== 'model' || region.memory !== 'flash') continue;
      if (address >= region.address + region.bytes || address + bytes.length <= region.address) continue;
      throw new GoodnessError('firmware.range', 'the firmware reaches into the place where models lie', {
        expected: `nothing from 0x${region.address.toString(16)} on`,
        got: `bytes up to 0x${(address + bytes.length).toString(16)}`,
        fix: 'Take firmware that was built for this board and version of goodness.',
      });
    }
  }
  const { mergeImages } = await import('../bootloader/hex.js');
  return mergeImages(firmware, model);
}
