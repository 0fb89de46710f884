import { GoodnessError } from '../../base/errors.js';
import { type Clock, systemClock } from '../clock.js';
import type { Bootloader, BootloaderOptions, BootloaderReport } from './bootloader.js';
import type { FirmwareImage, Segment } from './firmware-image.js';
import { type Line, type LineSettings, openLine } from './line.js';
import { chipId, knownChip, STM32_CHIPS, type Stm32Chip } from './stm32-chips.js';
import { BLOCK, blocksOf, checkFits, chipFor, touchedSectors, uncovered } from './stm32-plan.js';
import { resetStm32, type Stm32Wiring } from './stm32-reset.js';
import { isPassing, Stm32Rom } from './stm32-rom.js';

export interface Stm32Options {
  /** Bits per second to try, in order; the ROM takes its speed from the first byte. 115200 and 57600 if left out. */
  readonly bauds?: readonly number[];
  /** The chips that the image is for, or their product ids; all of the table if left out. */
  readonly chips?: readonly (Stm32Chip | number)[];
  /** How DTR and RTS drive reset and BOOT0; without it the user sets BOOT0 and presses reset. */
  readonly reset?: Stm32Wiring;
  /** Where the vector table is; the image's first address if left out. */
  readonly entry?: number;
  readonly clock?: Clock;
  /** Opens the line; `openLine` if left out. */
  readonly open?: (path: string, settings: LineSettings) => Promise<Line>;
}

/** Handshakes per speed. */
const SYNC_TRIES = 4;
/** Attempts at a read, a write or an erase, each after a recovery. */
const TRIES = 4;

/**
 * The bootloader in the ROM of STM32 on a USART (ST application note AN3155): 8 bits, even parity. Only the sectors that the image
 * touches are erased; what they hold beside the image is read before and written back. Flash elsewhere, where a device keeps its
 * models, stays as it is. Read protection is respected, never lifted: lifting it erases everything. Not verified on hardware.
 *
 * @throws GoodnessError `bootloader.chip` at once for a product id that is not in the table
 */
export function stm32(options: Stm32Options = {}): Bootloader {
  const chips = (options.chips ?? STM32_CHIPS).map((chip) => (typeof chip === 'number' ? knownChip(chip) : chip));
  return async (path, image, flags) => {
    checkFits(image, chips);
    const { line, rom } = await connect(path, options, flags);
    try {
      return await flash(line, rom, image, chips, options, flags);
    } catch (error) {
      throw explained(error);
    } finally {
      await line.close();
    }
  };
}

/** Opens the line at each speed in turn until the ROM answers. */
async function connect(
  path: string,
  options: Stm32Options,
  flags: BootloaderOptions,
): Promise<{ line: Line; rom: Stm32Rom }> {
  const bauds = options.bauds ?? [115200, 57600];
  const seen: string[] = [];
  flags.onProgress?.('connect', 0, 1);
  for (const baud of bauds) {
    const line = await (options.open ?? openLine)(path, { baud, parity: 'even' });
    try {
      const wired =
        options.reset !== undefined && (await resetStm32(line, options.clock ?? systemClock, options.reset, true));
      const rom = new Stm32Rom(line);
      let got: string | undefined;
      for (let i = 0; i < SYNC_TRIES; i++) {
        flags.onTry?.(`0x7F at ${baud} bits per second, even parity${wired ? ', after a reset by DTR and RTS' : ''}`);
        got = await rom.sync();
        if (got === undefined) {
          flags.onProgress?.('connect', 1, 1);
          return { line, rom };
        }
      }
      seen.push(`${got} at ${baud}`);
    } catch (error) {
      await line.close();
      throw error;
    }
    await line.close();
  }
  throw new GoodnessError('bootloader.sync', `the STM32 bootloader does not answer on ${path}`, {
    expected: `0x79 to 0x7F, with even parity, at ${bauds.join(' or ')} bits per second`,
    got: seen.join(', '),
    fix: 'Set BOOT0 (to 3.3 V) and leave BOOT1 low, press reset, and try again within a minute; use a USART that the ROM listens on, such as USART1 on PA9 and PA10.',
  });
}

async function flash(
  line: Line,
  rom: Stm32Rom,
  image: FirmwareImage,
  chips: readonly Stm32Chip[],
  options: Stm32Options,
  { onProgress, onTry, verify = true }: BootloaderOptions,
): Promise<BootloaderReport> {
  const id = await rom.productId();
  const chip = chipFor(id, chips, STM32_CHIPS);
  checkFits(image, [chip]);
  const sectors = touchedSectors(image, chip);
  const kept: Segment[] = [];
  for (const gap of uncovered(image, sectors)) {
    onTry?.(
      `reads ${gap.count} bytes at 0x${gap.address.toString(16)} that share a sector with the image, to put them back`,
    );
    const bytes = new Uint8Array(gap.count);
    for (let at = 0; at < gap.count; at += BLOCK) {
      bytes.set(await readAgain(rom, gap.address + at, Math.min(BLOCK, gap.count - at), onTry), at);
    }
    kept.push({ address: gap.address, bytes });
  }
  for (const [i, sector] of sectors.entries()) {
    onProgress?.('erase', i, sectors.length);
    await again(rom, onTry, () => rom.erase(sector));
  }
  onProgress?.('erase', sectors.length, sectors.length);
  const blocks = blocksOf(image, kept);
  const total = blocks.reduce((sum, block) => sum + block.bytes.length, 0);
  let written = 0;
  for (const block of blocks) {
    await writeAgain(rom, block, onTry);
    written += block.bytes.length;
    onProgress?.('write', written, total);
  }
  let verified = 0;
  for (const block of verify ? blocks : []) {
    const got = await readAgain(rom, block.address, block.bytes.length, onTry);
    const wrong = block.bytes.findIndex((byte, i) => byte !== got[i]);
    if (wrong >= 0) throw differs(block.address + wrong, block.bytes[wrong]!, got[wrong]!);
    verified += block.bytes.length;
    onProgress?.('verify', verified, total);
  }
  await start(line, rom, options.entry ?? image.segments[0]!.address, options);
  return {
    chip: `${chip.name} (${chipId(id)}), ROM bootloader ${rom.version >> 4}.${rom.version & 15}`,
    bytesWritten: written,
    bytesVerified: verified,
    baud: line.settings.baud,
  };
}

/** Lets the program run: by a reset where there are lines for it, so that it finds the chip as after power-up. */
async function start(line: Line, rom: Stm32Rom, entry: number, options: Stm32Options): Promise<void> {
  const { reset, clock = systemClock } = options;
  if (reset !== undefined && (await resetStm32(line, clock, reset, false))) return;
  await rom.go(entry);
}

/**
 * Writes a block; if that fails, looks at what the flash holds before it tries again: writing can only clear bits, so that another
 * attempt is of no use where one is gone that should be there.
 */
async function writeAgain(rom: Stm32Rom, block: Segment, onTry: BootloaderOptions['onTry']): Promise<void> {
  let failed = false;
  await again(rom, onTry, async () => {
    if (failed) {
      const got = await rom.read(block.address, block.bytes.length);
      if (got.every((byte, i) => byte === block.bytes[i])) return;
      const lost = block.bytes.findIndex((byte, i) => (got[i]! & byte) !== byte);
      if (lost >= 0) throw differs(block.address + lost, block.bytes[lost]!, got[lost]!);
    }
    failed = true;
    await rom.write(block.address, block.bytes);
  });
}

function readAgain(
  rom: Stm32Rom,
  address: number,
  count: number,
  onTry: BootloaderOptions['onTry'],
): Promise<Uint8Array> {
  return again(rom, onTry, () => rom.read(address, count));
}

/** Tries again after a refusal or a silence, in step with the ROM again. */
async function again<T>(rom: Stm32Rom, onTry: BootloaderOptions['onTry'], action: () => Promise<T>): Promise<T> {
  for (let i = 1; ; i++) {
    try {
      return await action();
    } catch (error) {
      if (!isPassing(error) || i >= TRIES) throw error;
      onTry?.(`again: ${error.message}`);
      await rom.recover();
    }
  }
}

function differs(address: number, expected: number, got: number): GoodnessError {
  const byte = (n: number): string => `0x${n.toString(16).padStart(2, '0')}`;
  return new GoodnessError('bootloader.verify', `the flash at 0x${address.toString(16)} does not hold the image`, {
    expected: byte(expected),
    got: byte(got),
    fix: 'Flash again; if the same address fails, that flash is worn out or the supply is too weak.',
  });
}

/** A refusal that repeats has one common cause, which the ROM doesn't name. */
function explained(error: unknown): unknown {
  if (!(error instanceof GoodnessError) || error.code !== 'bootloader.refused' || error.fix !== undefined) return error;
  return new GoodnessError(error.code, error.message, {
    fix: 'The flash may be protected (then lift that with a debug probe, which erases the chip), or smaller than the image needs.',
    cause: error,
  });
}
