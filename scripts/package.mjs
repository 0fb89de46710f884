// Puts into dist/ what the package carries beside compiled TypeScript, and checks that it is all there: firmware of every board, the Arduino library,
// and whatever a page in it links to.
// `npm pack` and `npm publish` run it (prepack), and so does `npm test`.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function run(script, ...args) {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', script), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status || 1);
}

run('firmware.mjs', '--all');
run('arduino.mjs', join(root, 'dist/arduino/Goodness'));

// Ports that are compiled elsewhere: WebAssembly with the TypeScript, Linux on the machine that runs it; the template is no board.
const ELSEWHERE = new Set(['wasm', 'linux', 'template', 'avr', 'cortex-m']);
const boards = readdirSync(join(root, 'firmware/ports'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !ELSEWHERE.has(entry.name))
  .map((entry) => `dist/firmware/${entry.name}.hex`);
const wanted = [
  ...boards,
  'dist/firmware/goodness.wasm',
  'dist/kernel/train.wasm',
  'dist/arduino/Goodness/library.properties',
];
const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
  cwd: root,
  encoding: 'utf8',
  shell: process.platform === 'win32',
  maxBuffer: 1 << 26,
});
const packed = new Set(JSON.parse(stdout)[0].files.map((file) => file.path));
/** Files and folders of the package that a page links to. */
function linksOf(page) {
  const links = readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g);
  return [...links].map(([, path]) => posix.join(posix.dirname(page), path));
}

const pages = [...packed].filter((path) => path.endsWith('.md') && !path.startsWith('dist/'));
const folders = new Set(
  [...packed].flatMap((path) => path.split('/').map((_, k, parts) => parts.slice(0, k).join('/'))),
);
const linked = new Set(pages.flatMap(linksOf).filter((path) => !folders.has(path)));
const missing = [...wanted, ...linked].filter((path) => !packed.has(path));
if (missing.length > 0) {
  process.stderr.write(`package: MISSING: ${missing.join(', ')}\n`);
  process.exitCode = 1;
} else process.stderr.write(`package: ${packed.size} files, firmware of ${boards.length} boards among them\n`);
