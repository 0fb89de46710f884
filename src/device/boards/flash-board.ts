import { GoodnessError } from '../../base/errors.js';
import { encodeImage } from '../../format/image.js';
import { type HelloResponse, MESSAGES, REGION, RESET_MODE } from '../../format/message.js';
import type { Model } from '../../format/model.js';
import type { Bootloader, BootloaderPhase, BootloaderReport } from '../bootloader/bootloader.js';
import type { FirmwareImage } from '../bootloader/firmware-image.js';
import { bootloaderFor } from '../bootloader/protocols.js';
import { openTransport } from '../resolve.js';
import type { Session } from '../session.js';
import { type FlashReport, flashModel, readRegion } from '../transfer.js';
import type { Transport } from '../transport.js';
import type { Board } from './board.js';
import { compose, modelSegments } from './composition.js';
import { greet } from './greet.js';
import type { Plan } from './plan.js';
import { doesNotFit, place, plan } from './planner.js';
import { boardOfTarget, targetOf } from './probe.js';

/** What goes on: the bootloader's phases, then the model's. */
export type FlashBoardPhase = `firmware ${BootloaderPhase}` | 'model send' | 'model verify';

export interface FlashBoardOptions {
  /** Firmware to put there; left out: what is there stays. */
  readonly firmware?: FirmwareImage;
  /** Model to put there, as it was trained: it is planned and placed here. */
  readonly model?: Model;
  /** Layers that are to learn; see `plan`. */
  readonly learn?: readonly number[];
  /** Read everything back and compare; true if left out. */
  readonly verify?: boolean;
  /** Port of the link to our firmware, where it is another one than the bootloader's. */
  readonly link?: string;
  /** Bits per second of the link; the board's own if left out. */
  readonly baud?: number;
  readonly onProgress?: (phase: FlashBoardPhase, done: number, total: number) => void;
  /** Told what happens that has no length, and what was tried. */
  readonly onNote?: (text: string) => void;
  /** How modem lines reach the chip; see ProtocolOptions. */
  readonly wiring?: string;
  /** How the board is flashed; by its data if left out. */
  readonly bootloader?: Bootloader;
  /** How its link is opened; `openTransport` if left out. */
  readonly open?: (path: string, options: { readonly baud?: number }) => Promise<Transport>;
}

export interface FlashBoardReport {
  readonly board: string;
  readonly plan: Plan | undefined;
  /** What the bootloader wrote, if it wrote anything. */
  readonly written: BootloaderReport | undefined;
  /** The model's way over the link, if it went that way. */
  readonly sent: FlashReport | undefined;
  /** What the board said of itself in the end; undefined where its link was not asked. */
  readonly hello: HelloResponse | undefined;
}

/** Time for a board to come up after its bootloader let it go, in ms. */
const RESTART_MS = 8000;
/** Time that a board gets to answer before its bootloader is tried: it may hold no firmware of ours. */
const GREET_MS = 1500;
/** Where an image has its CRC (SPEC.md 2.1). */
const CRC_AT = 12;

/**
 * Puts firmware, a model, or both on a board. All that can be refused is refused before anything is sent: a model that doesn't
 * fit, an image that reaches too far. The model goes over the link when the board has restarted, or together with the firmware
 * where the board can't write it itself.
 *
 * @param path port of the board's bootloader, and of its link unless `link` names another; '' for a drive without any
 * @throws GoodnessError `plan.*`, `firmware.*`, `bootloader.*`, `port.*`, `device.*`, `flash.*`
 */
export async function flashBoard(board: Board, path: string, options: FlashBoardOptions): Promise<FlashBoardReport> {
  const { firmware, model, learn, link = path } = options;
  const planned = model === undefined ? undefined : await plan(model, board, learn === undefined ? {} : { learn });
  if (planned?.fits === false) throw doesNotFit(planned);
  const image = model === undefined ? undefined : encodeImage(place(model, planned!));
  const together = image !== undefined && goesWithFirmware(board, firmware);
  const content = await compose(board, firmware, together ? modelSegments(board, image) : undefined);
  const written = content.segments.length === 0 ? undefined : await write(board, path, link, content, options);
  const report = { board: board.id, plan: planned, written };
  const session = await greetAfter(board, link, written !== undefined, options);
  if (session === undefined) return { ...report, sent: undefined, hello: undefined };
  try {
    checkTarget(board, session.hello);
    const sent = image !== undefined && !together ? await send(session, image, options) : undefined;
    if (image !== undefined && together) await checkModel(session, image);
    return { ...report, sent, hello: session.hello };
  } finally {
    await session.close();
  }
}

/** Whether the bootloader writes the model: always where the board can't, else if it is at work anyhow and the board allows. */
function goesWithFirmware(board: Board, firmware: FirmwareImage | undefined): boolean {
  return board.budget?.store.kind === 'records' || (board.modelBy === 'bootloader' && firmware !== undefined);
}

async function write(
  board: Board,
  path: string,
  link: string,
  content: FirmwareImage,
  options: FlashBoardOptions,
): Promise<BootloaderReport> {
  const { wiring } = options;
  const bootloader = options.bootloader ?? (await bootloaderFor(board, wiring === undefined ? {} : { wiring }));
  await enterBootloader(board, link, options);
  return bootloader(path, content, {
    ...(options.verify === undefined ? {} : { verify: options.verify }),
    onProgress: (phase, done, total) => options.onProgress?.(`firmware ${phase}`, done, total),
    onTry: (text) => options.onNote?.(`tried: ${text}`),
  });
}

/** Bootloaders that can't bring themselves about: a reset by the port's lines, or a knock of their own, does it for the others. */
const ENTERED_BY_FIRMWARE = new Set(['stm32', 'uf2']);

/** Asks firmware of ours to restart into the bootloader, where nothing else does it. */
async function enterBootloader(board: Board, link: string, options: FlashBoardOptions): Promise<void> {
  if (link === '' || !ENTERED_BY_FIRMWARE.has(board.bootloader?.protocol ?? '')) return;
  let session: Session;
  try {
    session = await connect(board, link, GREET_MS, options);
  } catch (error) {
    if (!(error instanceof GoodnessError)) throw error;
    // Whatever is wrong with the port the bootloader will say; a board without our firmware is silent, which is no fault.
    if (board.byHand !== undefined)
      options.onNote?.(`no goodness firmware answers. If nothing happens now: ${board.byHand}`);
    return;
  }
  try {
    if (!session.hello.canRestart) return;
    options.onNote?.(`${session.hello.target} restarts into its bootloader`);
    await session.request(MESSAGES.reset, { mode: RESET_MODE.bootloader });
  } catch (error) {
    // The answer may be lost with the restart.
    if (!(error instanceof GoodnessError)) throw error;
  } finally {
    await session.close();
  }
}

/**
 * The link to the board, or none where it need not be there: a drive takes firmware without any line, and a port that was named for
 * it may have belonged to the program before.
 */
async function greetAfter(
  board: Board,
  link: string,
  written: boolean,
  options: FlashBoardOptions,
): Promise<Session | undefined> {
  const optional = board.bootloader?.protocol === 'uf2' && written && options.link === undefined;
  try {
    if (!optional || link !== '') return await meet(board, link, options);
  } catch (error) {
    if (!optional || !(error instanceof GoodnessError)) throw error;
  }
  options.onNote?.(`the board restarted; nobody was asked whether it runs: its link is on ${board.line}`);
  return undefined;
}

async function meet(board: Board, link: string, options: FlashBoardOptions): Promise<Session> {
  try {
    return await connect(board, link, RESTART_MS, options);
  } catch (error) {
    if (!(error instanceof GoodnessError) || error.code !== 'device.silent') throw error;
    throw new GoodnessError('device.silent', `${board.name} does not answer on ${link}`, {
      expected: `goodness firmware on ${board.line}`,
      fix:
        options.firmware === undefined
          ? `Flash its firmware first: leave --firmware none out. Else check the port, or press reset.`
          : 'The firmware was written: press reset, check that this port is that of the link, and send the model with `--firmware none`.',
      cause: error,
    });
  }
}

async function connect(board: Board, link: string, openMs: number, options: FlashBoardOptions): Promise<Session> {
  const open = options.open ?? openTransport;
  const baud = options.baud ?? board.baud;
  return greet(() => open(link, { baud }), { openMs, quietMs: board.quietMs ?? 0 });
}

/** A model that was planned for one board must not go to another. */
function checkTarget(board: Board, { target }: HelloResponse): void {
  const found = boardOfTarget(target);
  if (found === undefined || targetOf(found) === targetOf(board)) return;
  throw new GoodnessError('device.board', 'another board answers than the one named', {
    expected: `${board.name} (${board.id})`,
    got: target,
    fix: `Say --board ${found.id}, or name the port of the board that is meant.`,
  });
}

function send(session: Session, image: Uint8Array, { verify, onProgress }: FlashBoardOptions): Promise<FlashReport> {
  return flashModel(session, image, {
    ...(verify === undefined ? {} : { verify }),
    onProgress: (phase, done, total) => onProgress?.(`model ${phase}`, done, total),
  });
}

/** Whether the board loaded the model that the bootloader wrote: the CRC that it reads is that of the image in flash. */
async function checkModel(session: Session, image: Uint8Array): Promise<void> {
  const { modelLoaded, loadStatus, imageLength } = session.hello;
  const crc = modelLoaded ? await readRegion(session, REGION.image, CRC_AT, 4) : new Uint8Array(0);
  if (modelLoaded && imageLength === image.length && crc.every((byte, i) => byte === image[CRC_AT + i])) return;
  throw new GoodnessError('flash.mismatch', 'the board runs, but not with the model that was written', {
    expected: `a model of ${image.length} bytes`,
    got: modelLoaded ? `another one of ${imageLength} bytes` : `none (status ${loadStatus})`,
    fix: 'Take firmware and host of the same version of goodness, and flash both again.',
  });
}
