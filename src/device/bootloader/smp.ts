import { GoodnessError } from '../../base/errors.js';
import { encodeFrame } from '../../format/frame.js';
import { MESSAGES } from '../../format/message.js';
import { type Clock, systemClock } from '../clock.js';
import type { Bootloader, BootloaderOptions, BootloaderReport } from './bootloader.js';
import { type Line, openLine } from './line.js';
import { readImage } from './mcuboot-image.js';
import { SmpClient, type SmpUpload } from './smp-client.js';
import { type FirmwareSlot, firmwareFile, MICROBIT_SLOT } from './smp-firmware.js';

export interface SmpSettings {
  /** Bits per second, tried in order. */
  readonly bauds: readonly number[];
  /** What the firmware must be linked for; our own bootloader's slot on the micro:bit if left out. */
  readonly slot?: FirmwareSlot;
  /** Brings the board into its bootloader before the port is opened, where there is a way that this file doesn't know. */
  readonly reset?: (path: string) => Promise<void>;
  /** How long to knock at a board that doesn't answer, so that somebody may reset it, in ms: 15,000. */
  readonly knockMs?: number;
  /** Where the server tells test from confirmation (not ours): have the new firmware stay without a test run. */
  readonly confirm?: boolean;
  readonly clock?: Clock;
}

const KNOCK_MS = 15_000;
/** A board that listens answers an echo at once; one that starts listens for 300 ms. */
const ECHO_MS = 150;
const KNOCK = 'goodness';
/** Knocks before the board is asked to restart, and after that, at one speed, before the next is tried. */
const FIRST_KNOCKS = 2;
const KNOCKS_PER_BAUD = 20;
/** Mode of a goodness RESET: restart, and stay in the bootloader (SPEC.md 9.2). */
const STAY = 1;

/**
 * Puts firmware on a board by SMP: our own bootloader on the micro:bit, MCUboot's serial recovery, or an application that serves
 * MCUmgr. A firmware as linked gets MCUboot's header and hash first. A board that runs goodness firmware is asked to restart in its
 * bootloader; at another it is knocked until somebody presses reset.
 *
 * SMP can't read back: verified means that the board says that the SHA-256 of what lies in its flash is that of the file.
 */
export function smp(settings: SmpSettings): Bootloader {
  return async (path, image, options) => {
    const file = firmwareFile(image, settings.slot ?? MICROBIT_SLOT);
    if (settings.reset !== undefined) {
      options.onTry?.(`restart of the board on ${path} in its bootloader`);
      await settings.reset(path);
    }
    options.onProgress?.('connect', 0, 1);
    const { client, line } = await connect(path, settings, options);
    try {
      options.onProgress?.('connect', 1, 1);
      return await update(client, line, file, settings, options);
    } finally {
      await line.close();
    }
  };
}

/** A line at whose other end SMP is spoken. */
async function connect(
  path: string,
  settings: SmpSettings,
  options: BootloaderOptions,
): Promise<{ client: SmpClient; line: Line }> {
  const { bauds, clock = systemClock, knockMs = KNOCK_MS } = settings;
  const end = clock.now() + knockMs;
  for (let round = 0; round === 0 || clock.now() < end; round++) {
    for (const baud of bauds) {
      options.onTry?.(`SMP at ${baud} bits per second`);
      const line = await openLine(path, { baud });
      const client = new SmpClient(line, { clock });
      try {
        if (await answers(client, FIRST_KNOCKS)) return { client, line };
        await line.write(restartRequest());
        if (await answers(client, KNOCKS_PER_BAUD)) return { client, line };
      } catch (error) {
        await line.close();
        throw error;
      }
      await line.close();
    }
  }
  throw new GoodnessError('bootloader.sync', `no bootloader answers on ${path}`, {
    expected: `SMP at ${bauds.join(' or ')} bits per second within ${knockMs / 1000} s`,
    fix: 'Hold button A, press and let go of reset, let go of A (micro:bit), and try again. A board without our bootloader gets it by drag and drop first.',
  });
}

/** A goodness request that restarts the board in its bootloader, behind a zero that ends whatever came before (SPEC.md 9.1). */
function restartRequest(): Uint8Array {
  const { reset } = MESSAGES;
  return Uint8Array.of(0, ...encodeFrame(reset.type, 0, reset.encode({ mode: STAY })));
}

async function answers(client: SmpClient, knocks: number): Promise<boolean> {
  for (let k = 0; k < knocks; k++) {
    try {
      if ((await client.echo(KNOCK, ECHO_MS)) === KNOCK) return true;
    } catch (error) {
      const silent = error instanceof GoodnessError && error.code === 'bootloader.timeout';
      const refused = error instanceof GoodnessError && error.code === 'bootloader.refused';
      // MCUboot may be built without echo: a refusal is an answer, too.
      if (refused) return true;
      if (!silent) throw error;
    }
  }
  return false;
}

async function update(
  client: SmpClient,
  line: Line,
  file: Uint8Array,
  settings: SmpSettings,
  options: BootloaderOptions,
): Promise<BootloaderReport> {
  const name = await client.bootloader();
  const before = await client.images();
  const running = before?.find((image) => image.active);
  const chip = `${name ?? 'SMP'} bootloader${running === undefined ? '' : `, firmware ${running.version}`}`;
  const progress: SmpUpload['onProgress'] = (done, total) => options.onProgress?.('write', done, total);
  const { resumedAt, matches } = await client.upload(file, { onProgress: progress });
  const known = await choose(client, file, settings);
  const verified = (options.verify ?? true) && (matches === true || known);
  if (verified) options.onProgress?.('verify', file.length, file.length);
  await client.reset();
  return {
    chip,
    bytesWritten: file.length - resumedAt,
    bytesVerified: verified ? file.length : 0,
    baud: line.settings.baud,
  };
}

/** Sees to it that the uploaded image runs next. Returns whether the board tells that it has it. */
async function choose(client: SmpClient, file: Uint8Array, settings: SmpSettings): Promise<boolean> {
  const { hash } = readImage(file);
  const images = await client.images();
  if (images === undefined) return false;
  const own = images.find(
    (image) => image.hash?.length === hash.length && image.hash.every((byte, i) => byte === hash[i]),
  );
  // Serial recovery built without hashes lists versions only.
  if (own === undefined && images.some((image) => image.hash === undefined)) return false;
  if (own === undefined) {
    throw new GoodnessError('bootloader.verify', 'the board does not list the image that was sent', {
      expected: Buffer.from(hash).toString('hex'),
      got: images.map((image) => Buffer.from(image.hash ?? []).toString('hex')).join(', ') || 'no image',
      fix: 'Try again. The firmware that was there stays.',
    });
  }
  if (!own.active && !own.pending) await client.choose(hash, settings.confirm ?? false);
  return true;
}
