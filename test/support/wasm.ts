import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const FLAGS = ['--target=wasm32-wasip1', '-std=c99', '-O2', '-Wall', '-Wextra', '-Werror', '-nostartfiles'];

/** What the compiler takes: files by name, folders nested. */
interface Tree {
  [name: string]: Tree | string;
}

/** Sources and headers below a folder, from the root of the repository on. */
export function sourcesIn(folder: string): string[] {
  const all = readdirSync(root + folder, { recursive: true }).map((name) => `${folder}/${name}`.replaceAll('\\', '/'));
  return all.filter((name) => /\.[ch]$/.test(name));
}

/**
 * C compiled to WebAssembly by the compiler that comes out of npm; kept in build/test as long as no source is newer.
 * @param name of the module that is kept
 * @param files sources and headers, from the root of the repository on
 * @param flags beside those that all have
 */
export async function wasmOf(
  name: string,
  files: readonly string[],
  flags: readonly string[],
): Promise<WebAssembly.Module> {
  const target = `${root}build/test/${name}.wasm`;
  const newest = Math.max(...files.map((path) => statSync(root + path).mtimeMs));
  if (!existsSync(target) || statSync(target).mtimeMs < newest) await compile(target, files, flags);
  return WebAssembly.compile(readFileSync(target));
}

async function compile(target: string, files: readonly string[], flags: readonly string[]): Promise<void> {
  const { commands } = await import('@yowasp/clang');
  const tree: Tree = {};
  for (const path of files) {
    let folder = tree;
    const parts = path.split('/');
    for (const part of parts.slice(0, -1)) {
      folder[part] ??= {};
      folder = folder[part] as Tree;
    }
    folder[parts.at(-1)!] = readFileSync(root + path, 'utf8');
  }
  const sources = files.filter((name) => name.endsWith('.c'));
  const args = [...FLAGS, ...flags, '-Ifirmware/core', '-Wl,--no-entry', '-o', 'module.wasm', ...sources];
  const out = await commands.clang(args, tree, { stdout: null, stderr: null, fetchProgress: () => {} });
  mkdirSync(`${root}build/test`, { recursive: true });
  // Several test processes may do this at once.
  const own = `${target}.${process.pid}`;
  writeFileSync(own, (out as Record<string, Uint8Array>)['module.wasm']!);
  renameSync(own, target);
}
