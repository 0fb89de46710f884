// Builds everything that the package carries: the TypeScript into dist/, the firmware core as WebAssembly into dist/firmware/.
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

async function buildWasm() {
  const target = join(root, 'dist/firmware/goodness.wasm');
  const sources = [...files('firmware/core', '.c'), 'firmware/ports/wasm/port.c'];
  const headers = files('firmware/core', '.h');
  if (existsSync(target) && statSync(target).mtimeMs > newest([...sources, ...headers, 'scripts/build.mjs'])) return;
  process.stderr.write('build: firmware core to WebAssembly\n');
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
    '-std=c99',
    '-O3',
    '-msimd128',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-nostartfiles',
    '-Ifirmware/core',
  ];
  const out = await runClang(['clang', ...args, '-Wl,--no-entry', '-o', 'goodness.wasm', ...sources], tree, {
    stderr: (bytes) => bytes && process.stderr.write(bytes),
    // The compiler lies in node_modules: its loading is nothing to report.
    fetchProgress: () => {},
  });
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, out['goodness.wasm']);
}

function buildTypeScript() {
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  const run = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.json')], { stdio: ['ignore', 2, 2] });
  if (run.status !== 0) process.exit(run.status ?? 1);
  const main = join(root, 'dist/cli/main.js');
  if (existsSync(main)) chmodSync(main, 0o755);
}

await buildWasm();
buildTypeScript();
