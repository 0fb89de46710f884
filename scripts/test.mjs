// `npm test`: installs all that the tests need, builds, lints, type-checks, and runs everything. What this machine lacks is named, and
// counted as skipped.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { install, run } from './start.mjs';

/** Programs that tests use where they are there, and the Debian packages that bring them. */
const TOOLS = [
  { program: 'cc', packages: ['gcc', 'libc6-dev'], use: 'Linux port and C tests' },
  { program: 'make', packages: ['make'], use: 'Linux port and C tests' },
  { program: 'clang', packages: ['clang', 'libclang-rt-dev'], use: 'coverage-guided fuzzing' },
  { program: 'arm-none-eabi-gcc', packages: ['gcc-arm-none-eabi', 'libnewlib-arm-none-eabi'], use: 'code size' },
];

const has = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;

function installTools() {
  const missing = TOOLS.filter((tool) => !has(tool.program));
  if (missing.length && process.getuid?.() === 0 && has('apt-get')) {
    const packages = missing.flatMap((tool) => tool.packages);
    process.stderr.write(`install: ${packages.join(' ')}\n`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    run('apt-get', ['update', '-q'], { stdio: 'ignore', env });
    for (const name of packages)
      run('apt-get', ['install', '-y', '-q', '--no-install-recommends', name], { stdio: 'ignore', env });
  }
  return TOOLS.filter((tool) => !has(tool.program));
}

function main() {
  let status = install();
  if (status !== 0) return status;
  const missing = installTools();
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  const steps = [
    ['build', [process.execPath, ['scripts/build.mjs']]],
    ['lint', [process.execPath, ['scripts/lint.mjs']]],
    ['types', [process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.check.json']]],
    [
      'tests',
      [process.execPath, [vitest, 'run', ...process.argv.slice(2)], { stdio: ['ignore', 'inherit', 'inherit'] }],
    ],
  ];
  if (has('cc') && has('make'))
    steps.push(['fuzz', ['make', ['-s', '-C', 'firmware', 'fuzz', `SECONDS=${process.env.FUZZ_SECONDS ?? 20}`]]]);
  const failed = [];
  for (const [name, args] of steps) {
    process.stderr.write(`\n== ${name}\n`);
    status = run(...args);
    if (status !== 0) failed.push(name);
    if (status !== 0 && name === 'build') break;
  }
  for (const tool of missing)
    process.stderr.write(`SKIPPED: ${tool.use}: there is no ${tool.program} (${tool.packages.join(' ')})\n`);
  process.stderr.write(
    `\n${steps.length - failed.length} steps passed, ${failed.length} failed${failed.length ? ` (${failed.join(', ')})` : ''}, ${missing.length} tools missing\n`,
  );
  return failed.length ? 1 : 0;
}

process.exitCode = main();
