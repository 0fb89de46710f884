import { createHash } from 'node:crypto';
import type { ESPLoader, Transport as LoaderTransport } from 'esptool-js';
import { GoodnessError } from '../../base/errors.js';
import { type Clock, systemClock } from '../clock.js';
import type { Bootloader, BootloaderOptions, BootloaderReport } from './bootloader.js';
import { EsptoolTransport } from './esp32-transport.js';
import type { FirmwareImage, Segment } from './firmware-image.js';
import { type Line, type LineSettings, openLine } from './line.js';

export interface Esp32Options {
  /** Bits per second to try, in order; the ROM takes its speed from the handshake. 115200 if left out. */
  readonly bauds?: readonly number[];
  /** Name of the chip that the image is for, as esptool calls it: `ESP32`, `ESP32-S3`, ... Any that is found if left out. */
  readonly chip?: string;
  readonly clock?: Clock;
  /** Opens the line; `openLine` if left out. */
  readonly open?: (path: string, settings: LineSettings) => Promise<Line>;
}

/** What is used of a chip's description in esptool-js 0.7.0. */
interface Chip {
  readonly CHIP_NAME: string;
  readonly IMAGE_CHIP_ID?: number;
  readonly BOOTLOADER_FLASH_OFFSET?: number;
}

/** Handshakes per speed, with a reset before each and five packets in each. */
const ATTEMPTS = 3;
/** Smallest stretch that SPI flash erases. */
const SECTOR = 4096;
/** Most flash that 24 bits of address reach. */
const LARGEST = 16 * 1024 * 1024;
/** First byte of a program image, and where its chip id stands (esptool's documentation, "Firmware Image Format"). */
const IMAGE_MAGIC = 0xe9;
const IMAGE_CHIP_ID_AT = 12;

/**
 * The serial loader of ESP32 and its relatives, spoken by esptool-js: its stub is put in RAM, the image goes compressed to
 * flash, and the chip's own MD5 of what it holds is compared. Addresses are those in flash. Not verified on hardware.
 */
export function esp32(options: Esp32Options = {}): Bootloader {
  return async (path, image, flags) => {
    const segments = padded(image);
    const { loader, transport, baud } = await connect(path, options, flags);
    try {
      const chip = loader.chip as Chip;
      checkChip(chip, options.chip, segments);
      await startStub(loader);
      const size = await flashSize(loader);
      checkFits(segments, size);
      const written = await write(loader, segments, flags);
      const verified = flags.verify === false ? 0 : await verify(loader, segments, flags);
      if (!(await transport.restart())) flags.onTry?.('the program starts when EN is pressed');
      return report(chip, written, verified, baud);
    } catch (error) {
      throw mapped(error);
    } finally {
      await transport.disconnect();
    }
  };
}

/** Tries each speed until the ROM answers and says which chip it is. */
async function connect(
  path: string,
  options: Esp32Options,
  flags: BootloaderOptions,
): Promise<{ loader: ESPLoader; transport: EsptoolTransport; baud: number }> {
  // Loaded when it is needed: it brings the stubs of all chips.
  const { ESPLoader } = await import('esptool-js');
  const bauds = options.bauds ?? [115200];
  flags.onProgress?.('connect', 0, 1);
  let wired = false;
  for (const baud of bauds) {
    const transport = new EsptoolTransport(
      (settings) => (options.open ?? openLine)(path, settings),
      options.clock ?? systemClock,
    );
    const said = (text: string): void => {
      if (text.trim() !== '') flags.onTry?.(text.trim());
    };
    const loader = new ESPLoader({
      // It declares a class for browsers; these are the methods of it that it calls.
      transport: transport as unknown as LoaderTransport,
      baudrate: baud,
      romBaudrate: baud,
      terminal: { clean: () => {}, write: said, writeLine: said },
    });
    try {
      flags.onTry?.(`handshake at ${baud} bits per second`);
      await loader.connect('default_reset', ATTEMPTS);
      flags.onProgress?.('connect', 1, 1);
      return { loader, transport, baud };
    } catch (error) {
      wired ||= transport.wired;
      await transport.disconnect();
      if (!(error instanceof Error) || !/Failed to connect/.test(error.message)) throw mapped(error);
    }
  }
  throw new GoodnessError('bootloader.sync', `no ESP32 loader answers on ${path}`, {
    expected: `an answer to the handshake at ${bauds.join(' or ')} bits per second`,
    got: wired ? 'none, after resets by DTR and RTS' : 'none; this port has no DTR and RTS to reset the board by',
    fix: 'Hold BOOT (GPIO0 to ground), press and let go of EN, then let go of BOOT, and try again.',
  });
}

/** The image's segments, whole words long, if each begins at a sector's start. */
function padded(image: FirmwareImage): Segment[] {
  const segments = image.segments.filter((s) => s.bytes.length > 0);
  if (segments.length === 0) {
    throw new GoodnessError('bootloader.range', 'the image is empty', { fix: 'Build the firmware again.' });
  }
  for (const { address } of segments) {
    if (address % SECTOR === 0) continue;
    throw new GoodnessError(
      'bootloader.range',
      'a segment begins within a sector, whose start would be erased with it',
      {
        expected: `an address that is a multiple of 0x${SECTOR.toString(16)}`,
        got: `0x${address.toString(16)}`,
        fix: 'Join it with what lies before it.',
      },
    );
  }
  checkFits(segments, LARGEST);
  return segments.map(({ address, bytes }) => {
    const words = new Uint8Array(Math.ceil(bytes.length / 4) * 4).fill(0xff);
    words.set(bytes);
    return { address, bytes: words };
  });
}

function checkFits(segments: readonly Segment[], size: number): void {
  for (const { address, bytes } of segments) {
    if (address + bytes.length <= size) continue;
    throw new GoodnessError('bootloader.range', 'the image does not fit the flash', {
      expected: `an end at 0x${size.toString(16)} at most`,
      got: `0x${(address + bytes.length).toString(16)}`,
      fix: 'Choose the image that was built for this board; addresses are those in flash, from 0 on.',
    });
  }
}

/** Refuses another chip than the caller named, or than the program image was built for. */
function checkChip(chip: Chip, wanted: string | undefined, segments: readonly Segment[]): void {
  const wrong = (expected: string, got: string): GoodnessError =>
    new GoodnessError('bootloader.chip', 'this is another chip than the image is for; nothing was written', {
      expected,
      got,
      fix: 'Choose the board that is plugged in.',
    });
  if (wanted !== undefined && wanted !== chip.CHIP_NAME) throw wrong(wanted, chip.CHIP_NAME);
  const first = segments.find((s) => s.address === chip.BOOTLOADER_FLASH_OFFSET)?.bytes;
  if (chip.CHIP_NAME === 'ESP8266' || chip.IMAGE_CHIP_ID === undefined || first?.[0] !== IMAGE_MAGIC) return;
  if (first.length < IMAGE_CHIP_ID_AT + 2) return;
  const id = first[IMAGE_CHIP_ID_AT]! | (first[IMAGE_CHIP_ID_AT + 1]! << 8);
  if (id !== chip.IMAGE_CHIP_ID) {
    throw wrong(`an image for chip id ${chip.IMAGE_CHIP_ID} (${chip.CHIP_NAME})`, `one for chip id ${id}`);
  }
}

/** esptool-js writes without its stub too, but not as these ROMs want it: their MD5 and SPI commands differ. */
async function startStub(loader: ESPLoader): Promise<void> {
  await loader.runStub();
  if (loader.IS_STUB) return;
  throw new GoodnessError('bootloader.refused', 'this chip takes no stub: it is in secure download mode, or too new', {
    fix: "Use Espressif's own esptool for it.",
  });
}

async function flashSize(loader: ESPLoader): Promise<number> {
  const text = await loader.detectFlashSize();
  const match = /^(\d+)(KB|MB)$/.exec(text ?? '');
  if (match === null) {
    throw new GoodnessError('bootloader.refused', 'the flash chip does not say how large it is', {
      fix: 'Check that the module has flash and that nothing is wired to its pins (GPIO6 to 11).',
    });
  }
  return Number(match[1]) * (match[2] === 'KB' ? 1024 : 1024 * 1024);
}

async function write(
  loader: ESPLoader,
  segments: readonly Segment[],
  { onProgress }: BootloaderOptions,
): Promise<number> {
  const total = segments.reduce((sum, s) => sum + s.bytes.length, 0);
  const before = segments.map((_, i) => segments.slice(0, i).reduce((sum, s) => sum + s.bytes.length, 0));
  await loader.writeFlash({
    fileArray: segments.map(({ address, bytes }) => ({ address, data: bytes })),
    // The bytes go to flash as they are: what is compared afterwards is what was given.
    flashMode: 'keep',
    flashFreq: 'keep',
    flashSize: 'keep',
    eraseAll: false,
    compress: true,
    reportProgress: (i, sent, of) => {
      onProgress?.('write', before[i]! + Math.round((segments[i]!.bytes.length * sent) / of), total);
    },
  });
  return total;
}

async function verify(
  loader: ESPLoader,
  segments: readonly Segment[],
  { onProgress }: BootloaderOptions,
): Promise<number> {
  const total = segments.reduce((sum, s) => sum + s.bytes.length, 0);
  let done = 0;
  for (const { address, bytes } of segments) {
    const got = await loader.flashMd5sum(address, bytes.length);
    const expected = createHash('md5').update(bytes).digest('hex');
    if (got !== expected) {
      throw new GoodnessError(
        'bootloader.verify',
        `the flash from 0x${address.toString(16)} on does not hold the image`,
        {
          expected: `MD5 ${expected}`,
          got,
          fix: 'Flash again; if it fails again, the flash is worn out or the supply is too weak.',
        },
      );
    }
    done += bytes.length;
    onProgress?.('verify', done, total);
  }
  return done;
}

function report(chip: Chip, bytesWritten: number, bytesVerified: number, baud: number): BootloaderReport {
  return { chip: `${chip.CHIP_NAME}, esptool-js with its stub`, bytesWritten, bytesVerified, baud };
}

/** Errors of esptool-js with codes of ours. */
function mapped(error: unknown): unknown {
  if (error instanceof GoodnessError || !(error instanceof Error)) return error;
  if (error.name === 'UnexpectedChipIdError' || error.name === 'UnexpectedChipMagicError') {
    return new GoodnessError('bootloader.chip', 'this chip is not known; nothing was written', {
      got: error.message,
      fix: "Use Espressif's own esptool for it.",
      cause: error,
    });
  }
  if (error.name === 'ESPError' || error.name === 'UnsupportedCommandError') {
    return new GoodnessError('bootloader.refused', 'the ESP32 loader refused', {
      got: error.message.replace(/\s+/g, ' '),
      fix: 'Press EN with BOOT held, then flash again.',
      cause: error,
    });
  }
  return error;
}
