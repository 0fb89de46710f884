// Builds the firmware of all boards whose compilers are on this machine into dist/firmware/<board>.hex, so that the package carries it:
// who installs it needs no compiler. Boards whose compiler is missing are named and left out; with --all that is a failure.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What a command of the program says as JSON. */
function goodness(...words) {
  const args = [join(root, 'dist/cli/main.js'), 'firmware', ...words, '--json', '--quiet'];
  const run = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (run.status !== 0) process.exit(run.status || 1);
  return JSON.parse(run.stdout);
}

let leftOut = 0;
for (const { board, missing } of goodness('list').firmware) {
  // The Linux port is compiled on the machine that runs it.
  if (board === 'linux') continue;
  if (missing.length > 0) {
    leftOut++;
    process.stderr.write(`firmware: ${board} LEFT OUT: there is no ${missing.join(' and no ')}\n`);
    continue;
  }
  const [made] = goodness('build', board, '--out', join(root, 'dist/firmware')).built;
  process.stderr.write(`firmware: ${board}: ${made.path}\n`);
}
if (leftOut > 0 && process.argv.includes('--all')) process.exitCode = 1;
