/**
 * Writes the golden vectors anew. They come from the TypeScript reference; run this only when SPEC.md has changed:
 *
 *     npx tsc -p tsconfig.check.json --noEmit false --outDir build/golden
 *     node build/golden/test/golden/generate.js test/golden
 *     rm -r build/golden && npm run format
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goldenCases } from './cases.js';

const folder = process.argv[2];
if (folder === undefined) throw new Error('give the folder to write to');
mkdirSync(join(folder, 'vectors'), { recursive: true });
for (const golden of goldenCases()) {
  writeFileSync(join(folder, 'vectors', `${golden.name}.json`), `${JSON.stringify(golden)}\n`);
}
