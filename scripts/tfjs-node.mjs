// `node scripts/tfjs-node.mjs [--wheel FILE] [--python PATH]`: the backend `node` where the download of @tensorflow/tfjs-node's native library is
// blocked, but pip and npm have mirrors. docs/training.md says when that is worth it. Linux on x86-64.
//
// The package's own install script wants two archives from a web server: libtensorflow, and its binding compiled for Node. Python's wheel of
// TensorFlow carries the first, the same C interface, and the binding's sources lie in the npm package: a C++ compiler makes the second.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

/** The last wheel whose library is known to go with tfjs-node 4.9.0, and the Python it is for; any Python can unpack it. */
const WHEEL = { package: 'tensorflow-cpu==2.15.0', python: '3.11', platform: 'manylinux_2_17_x86_64' };
const PARTS = ['tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2', 'tensorflow/include/'];

const { values } = parseArgs({
  options: { wheel: { type: 'string' }, python: { type: 'string', default: 'python3' }, help: { type: 'boolean' } },
});

function fail(text) {
  process.stderr.write(`tfjs-node: ${text}\n`);
  process.exit(1);
}

function run(command, args) {
  process.stderr.write(`tfjs-node: ${command} ${args.filter((a) => a.length < 100).join(' ')}\n`);
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (error) fail(`${command} does not start: ${error.message}`);
  if (status !== 0) fail(`${command} failed`);
}

/** Folder of the npm package as this project sees it. */
function packageFolder() {
  try {
    return dirname(createRequire(join(process.cwd(), 'package.json')).resolve('@tensorflow/tfjs-node/package.json'));
  } catch {
    fail('there is no package: npm install --no-save --ignore-scripts @tensorflow/tfjs-node@4.9.0');
  }
}

/** Folder of node_api.h: that of Node itself, or of the package node-api-headers. */
function headers() {
  const own = join(dirname(dirname(process.execPath)), 'include/node');
  if (existsSync(join(own, 'node_api.h'))) return own;
  try {
    return createRequire(join(process.cwd(), 'package.json'))('node-api-headers').include_dir;
  } catch {
    fail('Node came without its headers: npm install --no-save --ignore-scripts node-api-headers');
  }
}

/** The wheel: the one given, or what pip downloads. */
function wheel(folder) {
  if (values.wheel !== undefined) return values.wheel;
  const only = ['--no-deps', '--only-binary=:all:', '--python-version', WHEEL.python, '--platform', WHEEL.platform];
  run(values.python, ['-m', 'pip', 'download', ...only, '--dest', folder, WHEEL.package]);
  return join(
    folder,
    readdirSync(folder).find((name) => name.endsWith('.whl')),
  );
}

/** Unpacks what is needed of the wheel, and lays it out as the package's install script would have. */
function layOut(file, work, deps) {
  const code = [
    'import sys, zipfile',
    'w = zipfile.ZipFile(sys.argv[1])',
    'w.extractall(sys.argv[2], [n for n in w.namelist() if n.startswith(tuple(sys.argv[3:]))])',
  ];
  run(values.python, ['-c', code.join('\n'), file, work, ...PARTS]);
  const lib = join(deps, 'lib');
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(lib, { recursive: true });
  for (const [from, link] of [
    ['libtensorflow_cc.so.2', 'libtensorflow.so'],
    ['libtensorflow_framework.so.2', 'libtensorflow_framework.so'],
  ]) {
    const path = join(work, 'tensorflow', from);
    if (!existsSync(path)) fail(`${file} has no ${from}: take a wheel of ${WHEEL.package}`);
    copyFileSync(path, join(lib, from));
    symlinkSync(from, join(lib, link));
  }
  return join(work, 'tensorflow/include');
}

function compile(folder, include, target) {
  mkdirSync(dirname(target), { recursive: true });
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(folder, 'binding', name));
  const version = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).binary.napi_versions.at(-1);
  run(process.env.CXX ?? 'c++', [
    '-shared',
    '-fPIC',
    '-O2',
    '-std=c++17',
    `-DNAPI_VERSION=${version}`,
    `-I${headers()}`,
    `-I${include}`,
    ...sources,
    `-L${join(folder, 'deps/lib')}`,
    '-ltensorflow',
    '-ltensorflow_framework',
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
    '-o',
    target,
  ]);
}

function main() {
  if (values.help) {
    process.stdout.write('usage: node scripts/tfjs-node.mjs [--wheel FILE] [--python PATH]\n');
    return;
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') fail('this is for Linux on x86-64');
  const folder = packageFolder();
  const { binary } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const place = binary.module_path.replace('{napi_build_version}', String(binary.napi_versions.at(-1)));
  const target = join(folder, place, `${binary.module_name}.node`);
  const work = mkdtempSync(join(tmpdir(), 'goodness-tfjs-'));
  try {
    const include = layOut(wheel(work), work, join(folder, 'deps'));
    compile(folder, include, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  process.stderr.write(`tfjs-node: ${target}\n`);
}

main();
