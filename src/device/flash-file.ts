import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { GoodnessError } from '../base/errors.js';

/** Where a simulated device keeps its flash between runs. */
export interface FlashStore {
  /** Fails where `save` is bound to: asked when the board is powered on, long before it has anything to save. */
  checkWritable?(): void;
  /** The whole flash as saved last, or undefined if it was never saved. */
  load(): Uint8Array | undefined;
  /** Saves the whole flash; afterwards it survives a crash of this process. */
  save(flash: Uint8Array): void;
}

/** A store in one file of raw bytes: both slots, one after the other. It is replaced whole: a crash leaves the old or the new one. */
export function flashFile(path: string): FlashStore {
  return {
    checkWritable() {
      try {
        // Saving takes a new name beside the file, which permissions alone don't promise (a read-only disk, no such folder).
        rmdirSync(mkdtempSync(`${path}.`));
      } catch (error) {
        throw storeError(path, 'cannot be written', error);
      }
    },
    load() {
      try {
        return new Uint8Array(readFileSync(path));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw storeError(path, 'cannot be read', error);
      }
    },
    save(flash) {
      const temporary = `${path}.new`;
      try {
        const file = openSync(temporary, 'w');
        try {
          for (let at = 0; at < flash.length; ) at += writeSync(file, flash, at);
          fsyncSync(file);
        } finally {
          closeSync(file);
        }
        renameSync(temporary, path);
      } catch (error) {
        rmSync(temporary, { force: true });
        throw storeError(path, 'cannot be written', error);
      }
    },
  };
}

function storeError(path: string, what: string, cause: unknown): GoodnessError {
  return new GoodnessError('store.file', `the flash file ${path} ${what}`, {
    got: cause instanceof Error ? cause.message : String(cause),
    fix: 'Name a file in a folder that exists and that you may write to.',
    cause,
  });
}
