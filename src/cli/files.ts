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

/**
 * Reads a file.
 * @param expected what it should be, for the message
 * @throws GoodnessError `file.read`
 */
export async function readWhole(path: string, expected: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    const cause = error as NodeJS.ErrnoException;
    const message = cause.code === 'ENOENT' ? `there is no file ${path}` : `${path} can not be read: ${cause.message}`;
    throw new GoodnessError('file.read', message, { expected, cause });
  }
}
