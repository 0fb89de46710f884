import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PAPER_ROWS } from '../../bench/paper-rows.js';
import { completeConfig } from '../../src/train/config.js';
import { parseRecipe, trainConfigOf } from '../../src/train/recipe.js';

const folder = fileURLToPath(new URL('../../bench/paper/', import.meta.url));

describe('the rows of the paper’s table', () => {
  it('have a recipe each, and every recipe has a row', () => {
    const recipes = readdirSync(folder).map((name) => name.replace('.json', ''));
    expect(recipes.sort()).toEqual(PAPER_ROWS.map(({ name }) => name).sort());
  });

  it.each(PAPER_ROWS.map(({ name }) => name))('%s is a recipe that can be trained', (name) => {
    const recipe = parseRecipe(JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8')), name);
    const { objective = 'partitioned', layers } = recipe;
    expect(recipe.device).toBe(false);
    const config = completeConfig(trainConfigOf(recipe), {
      inputs: 784,
      hidden: layers as number[],
      theta: recipe.loss?.theta ?? 2,
      objective,
      goodness: { kind: 'mean-squares' },
      geometry: { width: 28, height: 28 },
    });
    expect(config.readout).toBeDefined();
  });
});
