import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GoodnessError } from '../base/errors.js';

/** Writes a file whole or not at all, and the folders that lead to it. */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.part`, content);
    await rename(`${path}.part`, path);
  } catch (cause) {
    throw new GoodnessError('file.write', `${path} can not be written: ${(cause as Error).message}`, {
      fix: 'Name another place, or make room there.',
      cause,
    });
  }
}

/** Reads a file. */
export async function readWhole(path: string, expected: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new GoodnessError('file.read', `${path} can not be read: ${(cause as Error).message}`, { expected, cause });
  }
}
