// `npm test`: installs all that the tests need, builds, lints, type-checks, and runs everything. What this machine lacks is named, and
// counted as skipped. The last line counts steps and tests: `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install, run } from './start.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** What vitest counts, for the last line. */
const COUNTS = join(root, 'build/vitest.json');

/** What tests use where it is there, and the Debian packages that bring it: a program, a file, or a Python module. */
const TOOLS = [
  { program: 'cc', packages: ['gcc', 'libc6-dev'], use: 'Linux port and C tests' },
  { program: 'make', packages: ['make'], use: 'firmware' },
  { program: 'clang', packages: ['clang', 'libclang-rt-dev'], use: 'coverage-guided fuzzing' },
  {
    program: 'arm-none-eabi-gcc',
    packages: ['gcc-arm-none-eabi', 'libnewlib-arm-none-eabi'],
    use: 'Cortex-M boards and code size',
  },
  { program: 'qemu-system-arm', packages: ['qemu-system-arm'], use: 'emulated Cortex-M boards' },
  { program: 'avr-gcc', packages: ['gcc-avr', 'binutils-avr', 'avr-libc'], use: 'AVR boards' },
  {
    file: '/usr/include/simavr/sim_avr.h',
    packages: ['libsimavr-dev', 'libelf-dev'],
    use: 'emulated AVR boards',
  },
  {
    file: '/usr/share/arduino/hardware/arduino/avr/bootloaders/optiboot/optiboot.c',
    packages: ['arduino-core-avr'],
    use: 'bootloaders of AVR boards, and the Arduino library',
  },
  { program: 'avrdude', flag: '-?', packages: ['avrdude'], use: 'a second opinion on AVR flash' },
  { program: 'stm32flash', flag: '-h', packages: ['stm32flash'], use: 'a second opinion on the STM32 bootloader' },
  {
    program: 'aarch64-linux-gnu-gcc',
    packages: ['gcc-aarch64-linux-gnu', 'libc6-dev-arm64-cross'],
    use: 'Raspberry Pi, 64 bits',
  },
  {
    program: 'arm-linux-gnueabihf-gcc',
    packages: ['gcc-arm-linux-gnueabihf', 'libc6-dev-armhf-cross'],
    use: 'Raspberry Pi, 32 bits',
  },
  { program: 'qemu-aarch64-static', packages: ['qemu-user-static'], use: 'the emulated Raspberry Pi' },
];

/** Python modules that serve as second opinions, in an environment of their own: never a need of the package. */
const WITNESSES = ['smpclient', 'smpmgr', 'esptool', 'ai_edge_litert', 'tflite_micro'];
const PYTHON = join(root, 'build/python/bin/python');

const has = (program, flag = '--version') => spawnSync(program, [flag], { stdio: 'ignore' }).error === undefined;
const present = (tool) => (tool.file === undefined ? has(tool.program, tool.flag) : existsSync(tool.file));

function installTools() {
  const missing = TOOLS.filter((tool) => !present(tool));
  if (missing.length && process.getuid?.() === 0 && has('apt-get')) {
    const packages = missing.flatMap((tool) => tool.packages);
    process.stderr.write(`install: ${packages.join(' ')}\n`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    run('apt-get', ['update', '-q'], { stdio: 'ignore', env });
    for (const name of packages)
      run('apt-get', ['install', '-y', '-q', '--no-install-recommends', name], { stdio: 'ignore', env });
  }
  return TOOLS.filter((tool) => !present(tool));
}

/** Installs the Python witnesses, and names those that can't be had. */
function installWitnesses() {
  const knows = () => WITNESSES.filter((name) => spawnSync(PYTHON, ['-c', `import ${name}`]).status !== 0);
  if (!existsSync(PYTHON)) spawnSync('python3', ['-m', 'venv', join(root, 'build/python')], { stdio: 'ignore' });
  // One by one: what can't be had for this Python must not keep the others away.
  for (const name of knows()) spawnSync(PYTHON, ['-m', 'pip', '-q', 'install', name], { stdio: 'ignore' });
  process.env.GOODNESS_PYTHON = PYTHON;
  return knows();
}

/** Whether a compiler makes programs with these sanitizers: it may be there without their libraries. */
function sanitizes(compiler, sanitizers, source) {
  const args = [`-fsanitize=${sanitizers}`, '-x', 'c', '-o', '/dev/null', '-'];
  return spawnSync(compiler, args, { input: source, stdio: ['pipe', 'ignore', 'ignore'] }).status === 0;
}

function canFuzz() {
  const probe = readFileSync(join(root, 'firmware/test/fuzz_probe.c'), 'utf8');
  return (
    sanitizes('clang', 'fuzzer,address,undefined', probe) ||
    sanitizes(process.env.CC ?? 'cc', 'address,undefined', 'int main(void) { return 0; }')
  );
}

/** The steps after the build: name, command, and why it can't run here. */
function allSteps() {
  const modules = createRequire(import.meta.url);
  const vitest = join(dirname(modules.resolve('vitest/package.json')), 'vitest.mjs');
  // Emulated boards race against the machine's clock, and a build server may be busy: there, a test that failed is run once more, and says so.
  const retry = process.env.CI === undefined ? [] : ['--retry=1'];
  const counts = ['--reporter=default', '--reporter=json', `--outputFile.json=${COUNTS}`];
  const make = (target, ...rest) => ['make', ['-s', '-C', 'firmware', target, ...rest]];
  const lacks = (...programs) => {
    const missing = programs.filter((program) => !has(program));
    return missing.length ? `there is no ${missing.join(' and no ')}` : undefined;
  };
  return [
    { name: 'build', command: [process.execPath, ['scripts/build.mjs']] },
    { name: 'lint', command: [process.execPath, ['scripts/lint.mjs']] },
    { name: 'types', command: [process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.check.json']] },
    {
      name: 'tests',
      command: [
        process.execPath,
        [vitest, 'run', ...retry, ...counts, ...process.argv.slice(2)],
        { stdio: ['ignore', 'inherit', 'inherit'] },
      ],
    },
    {
      name: 'package',
      command: [process.execPath, ['scripts/package.mjs']],
      lacks: lacks('make', 'arm-none-eabi-gcc', 'avr-gcc', 'aarch64-linux-gnu-gcc', 'arm-linux-gnueabihf-gcc'),
    },
    { name: 'size', command: make('size'), lacks: lacks('make', 'arm-none-eabi-gcc') },
    {
      name: 'fuzz',
      command: make('fuzz', `SECONDS=${process.env.FUZZ_SECONDS ?? 20}`),
      lacks:
        lacks('make', 'cc') ?? (canFuzz() ? undefined : 'the compiler has no sanitizers (libclang-rt-dev, libasan)'),
    },
  ];
}

/** Tests as vitest counted them; one failed if it ended too early to count. */
function testCounts(status) {
  try {
    const c = JSON.parse(readFileSync(COUNTS, 'utf8'));
    // Files that can't even be loaded fail without a test.
    const failed = Math.max(c.numFailedTests, status === 0 ? 0 : 1);
    return { passed: c.numPassedTests, failed, skipped: c.numPendingTests + c.numTodoTests };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

function main() {
  if (install() !== 0) return finish({ passed: 0, failed: 1, skipped: 0 }, ['FAILED: npm packages']);
  const missing = installTools();
  const total = { passed: 0, failed: 0, skipped: 0 };
  const notes = missing.map((t) => `SKIPPED: ${t.use}: there is no ${t.program ?? t.file} (${t.packages.join(' ')})`);
  for (const name of installWitnesses())
    notes.push(`SKIPPED: second opinions of Python's ${name}: it can't be installed`);
  rmSync(COUNTS, { force: true });
  for (const step of allSteps()) {
    if (step.lacks !== undefined) {
      total.skipped++;
      notes.push(`SKIPPED: step ${step.name}: ${step.lacks}`);
      continue;
    }
    process.stderr.write(`\n== ${step.name}\n`);
    const ended = run(...step.command);
    if (ended !== 0) notes.push(`FAILED: step ${step.name}`);
    const counts = step.name === 'tests' ? testCounts(ended) : { [ended === 0 ? 'passed' : 'failed']: 1 };
    for (const [kind, count] of Object.entries(counts)) total[kind] += count;
    if (ended !== 0 && step.name === 'build') break;
  }
  return finish(total, notes);
}

function finish({ passed, failed, skipped }, notes) {
  process.stderr.write(`\n${notes.map((note) => `${note}\n`).join('')}`);
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  return failed ? 1 : 0;
}

process.exitCode = main();
