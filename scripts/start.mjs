// `npm start`: installs what is missing, builds, and runs `goodness demo` with the arguments given.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a command with its output on standard error: standard output is the demo's alone. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (result.error) process.stderr.write(`${command}: ${result.error.message}\n`);
  return result.status ?? 1;
}

/**
 * Whether the packages in a folder are those that its package.json and lock file name. Their dates would not tell: a copy or a
 * checkout gives files any order of dates.
 */
export function isInstalled(folder) {
  const marker = join(folder, 'node_modules/.package-lock.json');
  if (!existsSync(marker)) return false;
  const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
  const wanted = read(join(folder, 'package-lock.json')).packages;
  const manifest = read(join(folder, 'package.json'));
  const fields = ['dependencies', 'devDependencies', 'optionalDependencies'];
  if (fields.some((f) => JSON.stringify(manifest[f] ?? {}) !== JSON.stringify(wanted[''][f] ?? {}))) return false;
  const present = read(marker).packages;
  return Object.entries(wanted).every(([path, { version, optional, link }]) => {
    if (path === '' || link) return true;
    // Optional ones are left out where they don't suit the platform or can't be built.
    return present[path] === undefined ? optional === true : present[path].version === version;
  });
}

export function install() {
  if (isInstalled(root)) return 0;
  process.stderr.write('install: npm packages\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  return run(npm, ['ci', '--no-audit', '--no-fund'], { shell: process.platform === 'win32' });
}

function main() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20) {
    process.stderr.write(`goodness needs Node 20 or later; this is ${process.version}\n`);
    return 2;
  }
  const status = install() || run(process.execPath, ['scripts/build.mjs']);
  if (status !== 0) return status;
  return run(process.execPath, ['dist/cli/main.js', 'demo', ...process.argv.slice(2)], { stdio: 'inherit' });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main();
