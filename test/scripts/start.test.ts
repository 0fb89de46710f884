import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const { isInstalled } = (await import(new URL('../../scripts/start.mjs', import.meta.url).href)) as {
  isInstalled(folder: string): boolean;
};

type Packages = Record<string, object>;

const MANIFEST = { dependencies: { a: '1.0.0' } };
const LOCKED: Packages = {
  '': MANIFEST,
  'node_modules/a': { version: '1.0.0' },
  'node_modules/b': { version: '2.0.0', optional: true },
};
const PRESENT: Packages = { 'node_modules/a': { version: '1.0.0' } };

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'goodness-install-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(manifest: object, locked: Packages, present?: Packages): void {
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: locked }));
  mkdirSync(join(folder, 'node_modules'));
  if (present === undefined) return;
  writeFileSync(join(folder, 'node_modules/.package-lock.json'), JSON.stringify({ packages: present }));
}

describe('npm start', () => {
  it('takes packages for installed that are those of the lock file, with or without optional ones', () => {
    write(MANIFEST, LOCKED, PRESENT);
    expect(isInstalled(folder)).toBe(true);
  });

  it('installs where nothing was installed, or not to its end', () => {
    write(MANIFEST, LOCKED);
    expect(isInstalled(folder)).toBe(false);
  });

  it.each([
    ['another version of a package', MANIFEST, { ...LOCKED, 'node_modules/a': { version: '1.0.1' } }],
    ['a package more', MANIFEST, { ...LOCKED, 'node_modules/c': { version: '1.0.0' } }],
    ['another dependency in package.json than in the lock file', { dependencies: { a: '1.0.0', c: '1.0.0' } }, LOCKED],
  ])('installs again for %s', (_, manifest, locked) => {
    write(manifest, locked, PRESENT);
    expect(isInstalled(folder)).toBe(false);
  });
});
