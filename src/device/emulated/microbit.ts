import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GoodnessError } from '../../base/errors.js';
import { encodeSlot } from '../../format/slot.js';
import type { FirmwareImage, Segment } from '../bootloader/firmware-image.js';
import { firmwareFile, MICROBIT_SLOT } from '../bootloader/smp-firmware.js';
import { writeThroughDebugger } from './microbit-flash.js';
import { type QemuBoard, startQemu } from './qemu.js';

/** What a micro:bit's flash is put together from. */
export interface MicrobitParts {
  /** `boot.bin` of `make -C firmware boot`. */
  readonly boot: Uint8Array;
  /** `firmware.bin` of `make -C firmware BOARD=microbit`, or an MCUboot image. Without one the board stays in its bootloader. */
  readonly firmware?: Uint8Array;
  /** Build number for a firmware without a header, by which images of the same firmware differ; 0 if left out. */
  readonly build?: number;
  /** A model image (`.ffm`) for the first of the two model slots. */
  readonly model?: Uint8Array;
}

/** The same with the parts in files. */
export interface MicrobitOptions extends Omit<MicrobitParts, 'boot' | 'firmware'> {
  /** Path of `boot.bin`. */
  readonly boot: string;
  /** Path of `firmware.bin`, or of an MCUboot image. */
  readonly firmware?: string;
}

/** A micro:bit in QEMU. Flash is read from 0 on, RAM from 0x20000000 on. */
export type Microbit = QemuBoard;

const FLASH_BYTES = 0x40000;
const BOOT_BYTES = 0x2000;
const MODEL_AT = 0x8000;
const MODEL_SLOT_BYTES = 0x1c000;
const IMAGE_KIND = 1;

/**
 * The flash of a new board: bootloader, firmware with header and hash, and a model if one is given. Written as a .hex file it goes
 * onto a micro:bit by drag and drop (not verified on hardware).
 *
 * @throws GoodnessError `bootloader.range` for a part that doesn't fit its place, `mcuboot.*` for a damaged image
 */
export function composeMicrobit({ boot, firmware, build = 0, model }: MicrobitParts): FirmwareImage {
  const segments: Segment[] = [{ address: 0, bytes: boot }];
  fits('the bootloader', boot.length, BOOT_BYTES);
  if (firmware !== undefined) segments.push({ address: MICROBIT_SLOT.address, bytes: wrapMicrobit(firmware, build) });
  if (model !== undefined) {
    const slot = encodeSlot(model, 1, IMAGE_KIND);
    fits('the model', slot.length, MODEL_SLOT_BYTES);
    segments.push({ address: MODEL_AT, bytes: slot });
  }
  return { segments };
}

/** A firmware as it is uploaded: with MCUboot's header and hash. */
export function wrapMicrobit(firmware: Uint8Array, build = 0): Uint8Array {
  const code = { address: MICROBIT_SLOT.address + MICROBIT_SLOT.headerSize, bytes: firmware };
  const version = { major: 0, minor: 1, revision: 0, build };
  return firmwareFile({ segments: [code] }, { ...MICROBIT_SLOT, version });
}

/**
 * Starts a micro:bit in QEMU. Its flash is writable and survives resets (not the end of the emulator); what no part covers is erased.
 *
 * @throws GoodnessError `emulator.missing`, `emulator.start`, `emulator.debugger`, and those of composeMicrobit
 */
export async function startMicrobit({ boot, firmware, ...rest }: MicrobitOptions): Promise<Microbit> {
  const parts: MicrobitParts = {
    ...rest,
    boot: readFileSync(boot),
    ...(firmware === undefined ? {} : { firmware: readFileSync(firmware) }),
  };
  const { segments } = composeMicrobit(parts);
  const board = await startQemu({ machine: 'microbit', loaders: [{ path: boot, address: 0 }] });
  const folder = mkdtempSync(join(tmpdir(), 'goodness-microbit-'));
  const socket = join(folder, 'debugger');
  try {
    await board.monitor(`gdbserver unix:${socket},server=on,wait=off`);
    // QEMU places the bootloader itself, at each reset: nothing ever changes it.
    await writeThroughDebugger(socket, [{ address: BOOT_BYTES, bytes: behindBoot(segments) }], board.reset);
  } catch (error) {
    await board.close();
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return board;
}

/** The flash behind the bootloader, erased where nothing lies. */
function behindBoot(segments: readonly Segment[]): Uint8Array {
  const bytes = new Uint8Array(FLASH_BYTES - BOOT_BYTES).fill(0xff);
  for (const { address, bytes: part } of segments) if (address >= BOOT_BYTES) bytes.set(part, address - BOOT_BYTES);
  return bytes;
}

function fits(what: string, bytes: number, room: number): void {
  if (bytes <= room) return;
  throw new GoodnessError('bootloader.range', `${what} does not fit its place in the flash of a micro:bit`, {
    expected: `at most ${room} bytes`,
    got: `${bytes}`,
  });
}
