import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { GoodnessError } from '../../base/errors.js';

// In the package this file is dist/device/wasm/module.js; run from the sources it is src/device/wasm/module.ts.
const PLACES = ['../../firmware/goodness.wasm', '../../../dist/firmware/goodness.wasm'];

let compiled: Promise<WebAssembly.Module> | undefined;

/**
 * The firmware core as a WebAssembly module, compiled once per process.
 *
 * @throws GoodnessError `core.absent` if the build has not made it
 */
export function coreModule(): Promise<WebAssembly.Module> {
  compiled ??= readCore().then((bytes) => WebAssembly.compile(bytes));
  return compiled;
}

async function readCore(): Promise<Uint8Array<ArrayBuffer>> {
  for (const place of PLACES) {
    try {
      return new Uint8Array(await readFile(fileURLToPath(new URL(place, import.meta.url))));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new GoodnessError('core.absent', 'the firmware core for the simulated device is missing', {
    expected: 'dist/firmware/goodness.wasm',
    fix: 'Build it with `npm run build`.',
  });
}
