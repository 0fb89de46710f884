// `npm start`: installs what is missing, builds, and runs `goodness demo` with the arguments given.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a command with its output on standard error: standard output is the demo's alone. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (result.error) process.stderr.write(`${command}: ${result.error.message}\n`);
  return result.status ?? 1;
}

export function install() {
  if (existsSync(join(root, 'node_modules/.package-lock.json'))) return 0;
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
