// `npm run lint`: Biome for TypeScript and JSON, clang-format for C. `--fix` writes instead of checking.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './start.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const fix = process.argv.includes('--fix');

const biome = join(dirname(require.resolve('@biomejs/biome/package.json')), 'bin/biome');
const clangFormat = join(dirname(require.resolve('clang-format/package.json')), 'index.js');
const sources = ['firmware', 'src'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .map(String)
    .filter((name) => /\.(c|h|ino)$/.test(name))
    .map((name) => join(folder, name)),
);

const checks = [
  [biome, 'check', '--error-on-warnings', ...(fix ? ['--write'] : [])],
  [clangFormat, '--style=file', ...(fix ? ['-i'] : ['--dry-run', '--Werror']), ...sources],
];
process.exitCode = Math.max(...checks.map((args) => run(process.execPath, args)));
