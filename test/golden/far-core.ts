import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const target = `${root}build/test/goodness-far.wasm`;
const FLAGS = ['--target=wasm32-wasip1', '-std=c99', '-O2', '-Wall', '-Wextra', '-Werror', '-nostartfiles'];

/** What the compiler takes: files by name, folders nested. */
interface Tree {
  [name: string]: Tree | string;
}

/** The firmware core in WebAssembly as a machine has it whose flash lies in an address space of its own (`-DFF_ROM_FAR`). */
export async function farCore(): Promise<WebAssembly.Module> {
  const core = readdirSync(`${root}firmware/core`, { recursive: true }).map((name) => `firmware/core/${name}`);
  const files = [...core.filter((name) => /\.[ch]$/.test(name)), 'firmware/ports/wasm/port.c'];
  const newest = Math.max(...files.map((name) => statSync(root + name).mtimeMs));
  if (!existsSync(target) || statSync(target).mtimeMs < newest) await compile(files);
  return WebAssembly.compile(readFileSync(target));
}

async function compile(files: readonly string[]): Promise<void> {
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
  const args = [...FLAGS, '-DFF_ROM_FAR', '-Ifirmware/core', '-Wl,--no-entry', '-o', 'goodness.wasm', ...sources];
  const out = await commands.clang(args, tree, { stdout: null, stderr: null, fetchProgress: () => {} });
  mkdirSync(`${root}build/test`, { recursive: true });
  // Several test processes may do this at once.
  const own = `${target}.${process.pid}`;
  writeFileSync(own, (out as Record<string, Uint8Array>)['goodness.wasm']!);
  renameSync(own, target);
}
