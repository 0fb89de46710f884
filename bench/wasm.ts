import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';

const FLAGS = ['--target=wasm32-wasip1', '-std=c99', '-O2', '-Wall', '-Wextra', '-Werror', '-nostartfiles'];

/** What the compiler takes: files by name, folders nested. All paths are from the root of the repository on, where benches and tests run. */
interface Tree {
  [name: string]: Tree | string;
}

/** Sources and headers below a folder. */
export function sourcesIn(folder: string): string[] {
  const all = readdirSync(folder, { recursive: true }).map((name) => `${folder}/${name}`.replaceAll('\\', '/'));
  return all.filter((name) => /\.[ch]$/.test(name));
}

/**
 * C compiled to WebAssembly by the compiler that comes out of npm; kept in build/wasm as long as no source is newer.
 * @param name of the module that is kept
 * @param files sources and headers
 * @param flags beside those that all have
 */
export async function wasmOf(
  name: string,
  files: readonly string[],
  flags: readonly string[],
): Promise<WebAssembly.Module> {
  const kind = createHash('sha256')
    .update(JSON.stringify([files, flags]))
    .digest('hex')
    .slice(0, 8);
  const target = `build/wasm/${name}-${kind}.wasm`;
  const newest = Math.max(...files.map((path) => statSync(path).mtimeMs));
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
    folder[parts.at(-1)!] = readFileSync(path, 'utf8');
  }
  const sources = files.filter((name) => name.endsWith('.c'));
  const args = [...FLAGS, ...flags, '-Ifirmware/core', '-Wl,--no-entry', '-o', 'module.wasm', ...sources];
  const out = await commands.clang(args, tree, { stdout: null, stderr: null, fetchProgress: () => {} });
  mkdirSync('build/wasm', { recursive: true });
  // Several test processes may do this at once.
  const own = `${target}.${process.pid}`;
  writeFileSync(own, (out as Record<string, Uint8Array>)['module.wasm']!);
  renameSync(own, target);
}
