// `node scripts/arduino.mjs [folder]`: puts the Arduino and PlatformIO library together, in build/arduino/Goodness if no folder is named: firmware/arduino with
// the core's sources beside it, since the Arduino IDE compiles what lies in src/ and takes no -D.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = process.argv[2] ?? join(root, 'build/arduino/Goodness');
const core = join(root, 'firmware/core');

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
cpSync(join(root, 'firmware/arduino'), folder, { recursive: true });
cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
for (const path of readdirSync(core, { recursive: true }).map(String)) {
  if (!/\.[ch]$/.test(path)) continue;
  const text = readFileSync(join(core, path), 'utf8').replace(/#include "[\w/]+\/(\w+\.h)"/g, '#include "$1"');
  // Headers see the library's settings before anything else of the core does. Goodness.h is the library's own, and many file systems don't
  // tell capitals from small letters.
  const whole = basename(path) === 'goodness.h';
  const named = whole ? text.replaceAll('GOODNESS_H', 'GOODNESS_CORE_H') : text;
  const guarded = path.endsWith('.h')
    ? named.replace(/(#define \w+_H\n)/, '$1\n#include "goodness_arduino.h"\n')
    : named;
  writeFileSync(join(folder, 'src', whole ? 'goodness_core.h' : basename(path)), guarded);
}
process.stdout.write(`${folder}\n`);
