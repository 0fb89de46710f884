import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toJsonSchema } from '@valibot/to-json-schema';
import { describe, expect, it } from 'vitest';
import { completeConfig, shapeFor, surroundingsOf } from '../../src/train/config.js';
import { parseRecipe, RECIPE, trainConfigOf } from '../../src/train/recipe.js';
import { bars, blobs } from './blobs.js';

const text = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** Names of all fields of a schema, inner ones without those around them. */
function fields({ properties = {}, anyOf = [], oneOf = [] }: Schema): string[] {
  const own = Object.entries(properties).flatMap(([name, inner]) => [name, ...fields(inner)]);
  return [...own, ...[...anyOf, ...oneOf].flatMap(fields)];
}

describe('the schema of recipes', () => {
  const schema = toJsonSchema(RECIPE, { ignoreActions: ['finite'] }) as Schema;

  it('is the one that editors get', () => {
    const expected = { ...schema, title: 'A recipe of goodness train' };
    expect(JSON.parse(text('docs/recipe.schema.json')), 'run `npm run build && npm run schema`').toEqual(
      JSON.parse(JSON.stringify(expected)),
    );
  });

  it('has no field that the documentation does not name', () => {
    const page = text('docs/training.md');
    const silent = new Set(['$schema', 'kind']);
    const missing = [...new Set(fields(schema))].filter(
      (name) => !silent.has(name) && !new RegExp(`[\`.]${name}[\`.]`).test(page),
    );
    expect(missing).toEqual([]);
  });
});

describe('the recipes that come as examples', () => {
  const folder = fileURLToPath(new URL('../../examples/recipes', import.meta.url));

  it.each(readdirSync(folder).map((name) => [name]))('%s holds together', (name) => {
    const recipe = parseRecipe(JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')), name);
    const { objective = 'partitioned', goodness, normal } = recipe;
    const data = normal === undefined ? bars(1, 1) : blobs(1, 1);
    const shape = shapeFor(data, { hidden: [30, 30], objective, ...(goodness === undefined ? {} : { goodness }) });
    expect(completeConfig(trainConfigOf(recipe), surroundingsOf(shape, data.geometry))).toBeDefined();
  });
});
