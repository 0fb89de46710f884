import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { STATUSES } from '../../src/format/status.js';

const core = new URL('../../firmware/core/', import.meta.url);
const files = readdirSync(core, { recursive: true })
  .map(String)
  .filter((name) => /\.[ch]$/.test(name))
  .map((name) => ({ name, text: readFileSync(new URL(name, core), 'utf8') }));

/** Without comments and strings, which may name what the code may not use. */
function code(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|"(?:[^"\\]|\\.)*"/g, ' ');
}

describe('the sources of the core', () => {
  it('use no floating point and no heap, and assembly in kernels only', () => {
    const forbidden = /\b(?:float|double|malloc|calloc|realloc|free|printf)\b|\b\d+\.\d/;
    const assembly = /\b(?:asm|__asm__)\b/;
    const isKernel = (name: string): boolean => name.startsWith('kernels');
    const wrong = files.filter(
      ({ name, text }) => forbidden.test(code(text)) || (assembly.test(code(text)) && !isKernel(name)),
    );
    expect(wrong.map((f) => f.name)).toEqual([]);
  });

  it('know the same status codes as the host, in the same order', () => {
    const header = files.find((f) => f.name === 'ff_status.h')!.text;
    const names = [...header.matchAll(/^ {4}X\((\w+), "/gm)].map((m) => m[1]);
    expect(names).toEqual(STATUSES.map((s) => s.name));
  });

  it('know the same status codes as SPEC.md', () => {
    const spec = readFileSync(new URL('../../SPEC.md', import.meta.url), 'utf8');
    const rows = [...spec.matchAll(/^\| (\d+) \| ([A-Z_]+) \|/gm)].map((m) => [Number(m[1]), m[2]]);
    expect(rows).toEqual(STATUSES.map((s) => [s.code, s.name]));
  });
});
