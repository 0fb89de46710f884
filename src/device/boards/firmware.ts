import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GoodnessError } from '../../base/errors.js';
import { findProgram } from '../programs.js';
import type { Board, FirmwareBuild } from './board.js';

/** Folder of the package, seen from dist/device/boards and from src/device/boards alike. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Debian packages of the compilers. */
export const COMPILER_PACKAGES: Readonly<Record<string, string>> = {
  'arm-none-eabi-gcc': 'gcc-arm-none-eabi libnewlib-arm-none-eabi',
  'avr-gcc': 'gcc-avr binutils-avr avr-libc',
  'aarch64-linux-gnu-gcc': 'gcc-aarch64-linux-gnu libc6-dev-arm64-cross',
  'arm-linux-gnueabihf-gcc': 'gcc-arm-linux-gnueabihf libc6-dev-armhf-cross',
  cc: 'gcc libc6-dev',
  make: 'make',
};

/** A firmware image of the package that is there. */
export interface FirmwareFile {
  readonly path: string;
  /** Came with the package, or built on this machine. */
  readonly origin: 'package' | 'build';
}

/** Where the firmware of a board is looked for: what was made last counts. */
export function firmwarePlaces(board: Board, root: string = PACKAGE_ROOT): FirmwareFile[] {
  const { build } = board;
  if (build === undefined) return [];
  return [
    { path: join(root, 'dist/firmware', `${board.id}${extname(build.output)}`), origin: 'package' },
    { path: join(root, 'build', build.output), origin: 'build' },
  ];
}

/** The firmware of a board, or undefined if it is nowhere. */
export function findFirmware(board: Board, root: string = PACKAGE_ROOT): FirmwareFile | undefined {
  const made = ({ path }: FirmwareFile): number => statSync(path).mtimeMs;
  return firmwarePlaces(board, root)
    .filter((place) => existsSync(place.path))
    .sort((a, b) => made(b) - made(a))[0];
}

/**
 * The prebuilt firmware of a board.
 * @throws GoodnessError `firmware.none` if we have none for this board, `firmware.absent` if it must be built first
 */
export function firmwareFor(board: Board, root: string = PACKAGE_ROOT): FirmwareFile {
  const found = findFirmware(board, root);
  if (found !== undefined) return found;
  if (board.build === undefined) {
    throw new GoodnessError('firmware.none', `there is no goodness firmware for ${board.name}`, {
      fix: 'Name an image of your own with --firmware <file>, or take another board (`goodness boards`).',
    });
  }
  throw new GoodnessError('firmware.absent', `the firmware for ${board.name} is not there`, {
    expected: firmwarePlaces(board, root)
      .map((place) => place.path)
      .join(' or '),
    fix: `Build it with \`goodness firmware build ${board.id}\`, or name one with --firmware <file>.`,
  });
}

export interface BuildOptions {
  /** Folders of programs, as in PATH. */
  readonly path: string;
  readonly root?: string;
  /** Folder that the image is copied to as well, under the name of the board. */
  readonly out?: string;
  /** What make and the compiler say, as they say it. */
  readonly onText?: (text: string) => void;
}

/** Longest that one firmware may take to build, in milliseconds. */
const BUILD_MS = 300_000;

/**
 * Builds the firmware of a board with make and its compiler, and what a new board is given first where that is another file.
 * @returns path of the image: in `out` if that is given, else in build/
 * @throws GoodnessError `firmware.none`, `firmware.compiler` where make or the compiler is missing, `firmware.build` if it fails
 */
export async function buildFirmware(board: Board, options: BuildOptions): Promise<string> {
  const { root = PACKAGE_ROOT, path, out } = options;
  const { build } = board;
  if (build === undefined) {
    throw new GoodnessError('firmware.none', `there is no goodness firmware for ${board.name}`, {
      fix: 'See `goodness boards`.',
    });
  }
  const missing = missingTools(build, path);
  if (missing.length > 0) throw compilerMissing(board, missing);
  const said = await make(join(root, 'firmware'), build.make, path, options.onText);
  const made = join(root, 'build', build.output);
  if (said.status !== 0 || !existsSync(made)) {
    throw new GoodnessError('firmware.build', `the firmware for ${board.name} does not build`, {
      expected: made,
      got: said.text.trim().split('\n').slice(-8).join('\n'),
      fix: `Look at it with \`make -C ${join(root, 'firmware')} ${build.make.join(' ')}\`.`,
    });
  }
  const first = await buildFirst(build, join(root, 'build'));
  if (out === undefined) return made;
  mkdirSync(out, { recursive: true });
  const target = join(out, `${board.id}${extname(build.output)}`);
  copyFileSync(made, target);
  if (first !== undefined) copyFileSync(first, join(out, `${board.id}-first${extname(first)}`));
  return target;
}

/** Puts bootloader and firmware into the one file that a new board is given; gives its path, if the board has such a thing. */
async function buildFirst({ first }: FirmwareBuild, folder: string): Promise<string | undefined> {
  if (first === undefined) return undefined;
  const [{ composeMicrobit }, { formatHex }] = await Promise.all([
    import('../emulated/microbit.js'),
    import('../bootloader/hex.js'),
  ]);
  const read = (name: string): Uint8Array => readFileSync(join(folder, name));
  const path = join(folder, first.output);
  writeFileSync(path, formatHex(composeMicrobit({ boot: read(first.boot), firmware: read(first.firmware) })));
  return path;
}

/** Programs that a build needs and that are not in `path`. */
export function missingTools(build: FirmwareBuild, path: string): string[] {
  return ['make', build.compiler].filter((program) => findProgram(path, program) === undefined);
}

function compilerMissing(board: Board, missing: readonly string[]): GoodnessError {
  const packages = missing.map((program) => COMPILER_PACKAGES[program] ?? program).join(' ');
  return new GoodnessError('firmware.compiler', `building for ${board.name} needs ${missing.join(' and ')}`, {
    fix: `Debian and Ubuntu: \`sudo apt install ${packages}\`. \`goodness doctor\` knows other systems.`,
  });
}

/** Runs make and gathers what it says; a build that takes too long is ended. */
function make(
  folder: string,
  words: readonly string[],
  path: string,
  onText: ((text: string) => void) | undefined,
): Promise<{ status: number | null; text: string }> {
  return new Promise((resolve) => {
    const child = spawn('make', ['-C', folder, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: path, LC_ALL: 'C' },
      timeout: BUILD_MS,
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        text = (text + chunk.toString()).slice(-20_000);
        onText?.(chunk.toString());
      });
    }
    child.once('error', (error) => resolve({ status: null, text: error.message }));
    child.once('close', (status) => resolve({ status, text }));
  });
}
