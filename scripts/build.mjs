// Builds everything that the package carries: the TypeScript into dist/; as WebAssembly the firmware core into dist/firmware/
// and the training kernel into dist/kernel/.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

function files(folder, ending) {
  return readdirSync(join(root, folder), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name).replaceAll('\\', '/'));
}

function newest(paths) {
  return Math.max(...paths.map((path) => statSync(join(root, path)).mtimeMs));
}

/** C to WebAssembly, if a source is newer than what there is. */
async function buildWasm({ what, out, sources, headers, flags }) {
  const target = join(root, out);
  if (existsSync(target) && statSync(target).mtimeMs > newest([...sources, ...headers, 'scripts/build.mjs'])) return;
  process.stderr.write(`build: ${what} to WebAssembly\n`);
  const { runClang } = await import('@yowasp/clang');
  const tree = {};
  for (const path of [...sources, ...headers]) {
    let folder = tree;
    const parts = path.split('/');
    for (const part of parts.slice(0, -1)) folder = folder[part] ??= {};
    folder[parts.at(-1)] = readFileSync(join(root, path), 'utf8');
  }
  const args = [
    '--target=wasm32-wasip1',
    '-O3',
    '-msimd128',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-nostartfiles',
    '-Wl,--no-entry',
    ...flags,
  ];
  const made = await runClang(['clang', ...args, '-o', 'out.wasm', ...sources], tree, {
    stderr: (bytes) => bytes && process.stderr.write(bytes),
    // The compiler lies in node_modules: its loading is nothing to report.
    fetchProgress: () => {},
  });
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, made['out.wasm']);
}

function buildTypeScript() {
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  const run = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.json')], { stdio: ['ignore', 2, 2] });
  if (run.status !== 0) process.exit(run.status ?? 1);
  const main = join(root, 'dist/cli/main.js');
  if (existsSync(main)) chmodSync(main, 0o755);
}

await buildWasm({
  what: 'firmware core',
  out: 'dist/firmware/goodness.wasm',
  sources: [...files('firmware/core', '.c'), 'firmware/ports/wasm/port.c'],
  headers: files('firmware/core', '.h'),
  flags: ['-std=c99', '-Ifirmware/core'],
});
await buildWasm({
  what: 'training kernel',
  out: 'dist/kernel/train.wasm',
  sources: files('src/train/kernel', '.c'),
  headers: files('src/train/kernel', '.h'),
  // Threads share a memory that the host makes; each gets a stack of its own.
  flags: [
    '-std=c11',
    '-matomics',
    '-mbulk-memory',
    '-Wl,--import-memory,--shared-memory,--max-memory=4294967296',
    '-Wl,--export=__stack_pointer,--export=__heap_base',
  ],
});
buildTypeScript();
