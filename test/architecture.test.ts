import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const src = join(root, 'src');

/** The layers of DESIGN.md, lowest first: a file imports from its own layer and from lower ones only. */
const LAYERS = [
  'base',
  'format',
  'data',
  'reference',
  'train',
  'quantize',
  'tflite',
  'device',
  'sync',
  'loop',
  'report',
  'cli',
] as const;

const files = readdirSync(src, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: readFileSync(join(src, name), 'utf8') }));

const IMPORT = /(?:from|import)\s*\(?\s*'([^']+)'/g;

function layerOf(name: string): string {
  return name.split(/[\\/]/)[0]!;
}

describe('the layers', () => {
  it('are those that DESIGN.md names, in its order', () => {
    const design = readFileSync(join(root, 'DESIGN.md'), 'utf8');
    const rows = [...design.matchAll(/^\| `src\/(\w+)` \|/gm)].map((m) => m[1]);
    expect(rows).toEqual([...LAYERS]);
    expect([...new Set(files.map((f) => layerOf(f.name)))].sort()).toEqual([...LAYERS, 'index.ts'].sort());
  });

  it.each(LAYERS.map((layer, rank) => [layer, rank] as const))(
    '%s imports nothing from a higher one',
    (layer, rank) => {
      const wrong: string[] = [];
      for (const { name, text } of files.filter((f) => layerOf(f.name) === layer)) {
        for (const [, target] of text.matchAll(IMPORT)) {
          if (!target!.startsWith('.')) continue;
          const other = layerOf(relative(src, join(src, dirname(name), target!)));
          const rankOf = LAYERS.indexOf(other as (typeof LAYERS)[number]);
          if (rankOf < 0 || rankOf > rank) wrong.push(`${name} imports ${target}`);
        }
      }
      expect(wrong).toEqual([]);
    },
  );

  it('leave printing, the process and its exit to the command line', () => {
    const wrong = files
      .filter((f) => layerOf(f.name) !== 'cli')
      .filter((f) => /\bconsole\.|\bprocess\.(stdout|stderr|exit|argv|env)/.test(f.text))
      .map((f) => f.name);
    expect(wrong).toEqual([]);
  });

  it('have no cycle between files', () => {
    const graph = new Map<string, string[]>();
    for (const { name, text } of files) {
      const targets = [...text.matchAll(/^(?:import|export)(?! type)[^;]*?from '(\.[^']+)'/gms)].map((m) =>
        join(dirname(name), m[1]!.replace(/\.js$/, '.ts')),
      );
      graph.set(name, targets);
    }
    const done = new Set<string>();
    const visit = (name: string, path: readonly string[]): string[] | undefined => {
      if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
      if (done.has(name)) return undefined;
      for (const next of graph.get(name) ?? []) {
        const cycle = visit(next, [...path, name]);
        if (cycle !== undefined) return cycle;
      }
      done.add(name);
      return undefined;
    };
    for (const name of graph.keys()) expect(visit(name, [])).toBeUndefined();
  });
});

describe('the core of the firmware', () => {
  const core = readdirSync(join(root, 'firmware/core'), { recursive: true })
    .map(String)
    .filter((name) => /\.[ch]$/.test(name));

  it('includes nothing but its own headers, stdint and string, and kernels what the compiler has for a processor', () => {
    const allowed = new Set(['<stdint.h>', '<string.h>']);
    const compilers = new Set(['<arm_acle.h>', '<arm_mve.h>', '<arm_neon.h>', '<wasm_simd128.h>']);
    const wrong: string[] = [];
    for (const name of core) {
      const text = readFileSync(join(root, 'firmware/core', name), 'utf8');
      for (const [, target] of text.matchAll(/#include\s+(<[^>]+>|"[^"]+")/g)) {
        const own = target!.startsWith('"') && !target!.includes('..');
        const kernel = name.startsWith('kernels') && compilers.has(target!);
        if (!own && !kernel && !allowed.has(target!)) wrong.push(`${name}: ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('has no floating point and no heap', () => {
    for (const name of core) {
      const code = readFileSync(join(root, 'firmware/core', name), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
      expect(code, name).not.toMatch(/\b(float|double|malloc|calloc|realloc|printf)\b/);
    }
  });
});
