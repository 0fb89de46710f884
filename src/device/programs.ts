import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Where a program is.
 * @param path folders of programs, as in the environment variable PATH
 * @param platform as process.platform: on `win32` the endings of programs are tried
 * @returns undefined if it is in none of them
 */
export function findProgram(path: string, name: string, platform = 'linux'): string | undefined {
  const endings = platform === 'win32' ? ['.exe', '.cmd', '.bat', ''] : [''];
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue;
    for (const ending of endings) {
      const file = join(folder, name + ending);
      try {
        accessSync(file, constants.X_OK);
        if (statSync(file).isFile()) return file;
      } catch {
        // Not there, or not to be run: the next folder may have it.
      }
    }
  }
  return undefined;
}
