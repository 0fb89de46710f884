// `npm run schema`: writes docs/recipe.schema.json from the schema that recipes are checked against (after a build).
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toJsonSchema } from '@valibot/to-json-schema';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { RECIPE } = await import(new URL('../dist/train/recipe.js', import.meta.url).href);
const schema = { ...toJsonSchema(RECIPE, { ignoreActions: ['finite'] }), title: 'A recipe of goodness train' };
writeFileSync(join(root, 'docs/recipe.schema.json'), `${JSON.stringify(schema, null, 2)}\n`);
