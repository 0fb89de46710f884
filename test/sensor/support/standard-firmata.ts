import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../../build/firmata', import.meta.url));
/** The package carries StandardFirmata as the Arduino IDE built it; it is no dependency, since it depends on a git repository. */
const PACKAGE = 'avrgirl-arduino@5.0.1';
const HEX = 'package/junk/hex/uno/StandardFirmata.cpp.hex';

/**
 * StandardFirmata for the Uno, as Intel HEX: fetched once.
 * @returns undefined where it can't be fetched
 */
export function standardFirmata(): string | undefined {
  const path = join(FOLDER, HEX);
  if (existsSync(path)) return path;
  mkdirSync(FOLDER, { recursive: true });
  const options = { cwd: FOLDER, stdio: 'ignore', timeout: 60_000, shell: process.platform === 'win32' } as const;
  spawnSync('npm', ['pack', PACKAGE], options);
  spawnSync('tar', ['xzf', 'avrgirl-arduino-5.0.1.tgz', HEX], options);
  return existsSync(path) ? path : undefined;
}
