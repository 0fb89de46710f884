// `npm run bench:NAME -- [options]`: builds the package and the benches, then runs bench/NAME.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install, run } from './start.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [name, ...rest] = process.argv.slice(2);

function main() {
  let status = install() || run(process.execPath, ['scripts/build.mjs']);
  if (status !== 0) return status;
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  status = run(process.execPath, [tsc, '-p', 'bench/tsconfig.json']);
  if (status !== 0) return status;
  return run(process.execPath, [join(root, `build/bench/${name}.js`), ...rest], { stdio: 'inherit' });
}

process.exitCode = main();
