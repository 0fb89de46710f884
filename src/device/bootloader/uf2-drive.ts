import { open, readdir, readFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { join } from 'node:path';
import { GoodnessError } from '../../base/errors.js';
import { type Clock, pause } from '../clock.js';

/** A drive of a boot ROM that takes UF2 files. */
export interface Uf2Drive {
  readonly folder: string;
  /** Board-ID of its INFO_UF2.TXT. */
  readonly board: string;
  /** What it says it is: model and version of the bootloader. */
  readonly model: string;
}

const LOOK_MS = 200;
const PIECE = 64 * 1024;
/** Where Linux and macOS mount drives: in these folders, or in one of the user's there. */
const MOUNTS = ['/media', '/run/media', '/Volumes', '/mnt'];
const LETTERS = 'DEFGHIJKLMNOPQRSTUVWXYZ';

/** Folders that may be drives, where this operating system mounts them. */
export async function driveFolders(): Promise<readonly string[]> {
  if (platform() === 'win32') return [...LETTERS].map((letter) => `${letter}:\\`);
  const inside = async (folder: string): Promise<string[]> =>
    (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
  const first = (await Promise.all(MOUNTS.map(inside))).flat();
  const second = (await Promise.all(first.map(inside))).flat();
  return [...first, ...second];
}

/** What a folder's INFO_UF2.TXT says, or undefined if it has none. */
export async function readDrive(folder: string): Promise<Uf2Drive | undefined> {
  const text = await readFile(join(folder, 'INFO_UF2.TXT'), 'utf8').catch(() => undefined);
  const field = (name: string): string | undefined =>
    text?.match(new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*\\r?$`, 'im'))?.[1];
  const board = field('Board-ID');
  if (text === undefined || board === undefined) return undefined;
  const version = text.split(/\r?\n/)[0]!.trim();
  return { folder, board, model: `${field('Model') ?? board} (${version})` };
}

export interface DriveSearch {
  /** Board-ID to look for. */
  readonly label: string;
  readonly places: () => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly milliseconds: number;
  /** The port that was named, for the message. */
  readonly path: string;
}

/**
 * Looks for the drive until it is there. `knock` is called once, after the first look in vain.
 *
 * @throws GoodnessError `bootloader.sync` if it doesn't come, `bootloader.refused` if there are two
 */
export async function awaitDrive(search: DriveSearch, knock: () => Promise<void>): Promise<Uf2Drive> {
  const { label, places, clock, milliseconds, path } = search;
  const end = clock.now() + milliseconds;
  const others = new Set<string>();
  for (let looks = 0; ; looks++) {
    const drives = (await Promise.all((await places()).map(readDrive))).filter((drive) => drive !== undefined);
    const [found, second] = drives.filter((drive) => drive.board === label);
    if (second !== undefined) {
      throw new GoodnessError('bootloader.refused', `there are two drives ${label}`, {
        got: `${found!.folder}, ${second.folder}`,
        fix: 'Unplug all boards but the one that is meant.',
      });
    }
    if (found !== undefined) return found;
    for (const { board, folder } of drives) others.add(`${board} at ${folder}`);
    if (looks === 0) await knock();
    else if (clock.now() >= end) break;
    await pause(clock, LOOK_MS);
  }
  throw new GoodnessError('bootloader.sync', `no drive ${label} appeared`, {
    expected: `a drive whose INFO_UF2.TXT says Board-ID: ${label}, within ${milliseconds / 1000} s of touching ${path} at 1200 baud`,
    got: [...others].join(', ') || 'none',
    fix: 'Hold BOOTSEL while you plug the board in, and mount the drive if your system does not.',
  });
}

/**
 * Copies a UF2 file to a drive and asks the system to write it out. The board may leave before the system has finished with the
 * file: that is no error here, see awaitGone.
 *
 * @throws GoodnessError `bootloader.refused` if the drive takes nothing
 */
export async function writeToDrive(
  folder: string,
  bytes: Uint8Array,
  onProgress: (done: number) => void,
): Promise<void> {
  let done = 0;
  try {
    const file = await open(join(folder, 'goodness.uf2'), 'w');
    try {
      while (done < bytes.length) {
        done += (await file.write(bytes, done, Math.min(PIECE, bytes.length - done))).bytesWritten;
        onProgress(done);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (done === bytes.length) return;
    throw new GoodnessError('bootloader.refused', `the drive ${folder} did not take the file`, {
      expected: `${bytes.length} bytes`,
      got: `${done}: ${cause instanceof Error ? cause.message : String(cause)}`,
      fix: 'Plug the board in again with BOOTSEL held, and try once more; if the drive is mounted read-only, mount it anew.',
      cause,
    });
  }
}

/**
 * Waits until the drive has left: the boot ROM restarts the board when it has taken the last block.
 * @throws GoodnessError `bootloader.timeout` if it stays
 */
export async function awaitGone(folder: string, label: string, clock: Clock, milliseconds: number): Promise<void> {
  const end = clock.now() + milliseconds;
  while ((await readDrive(folder))?.board === label) {
    if (clock.now() >= end) {
      throw new GoodnessError(
        'bootloader.timeout',
        `the drive ${folder} took the file, but the board did not restart`,
        {
          expected: `a restart within ${milliseconds / 1000} s`,
          fix: 'Check that the firmware is for this board; plug it in again with BOOTSEL held, and try once more.',
        },
      );
    }
    await pause(clock, LOOK_MS);
  }
}
