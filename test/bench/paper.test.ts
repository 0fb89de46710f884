import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PAPER_ROWS } from '../../bench/paper-rows.js';
import { Random } from '../../src/base/random.js';
import { completeConfig, shapeFor, surroundingsOf } from '../../src/train/config.js';
import { createNetwork } from '../../src/train/network.js';
import { parseRecipe, trainConfigOf } from '../../src/train/recipe.js';

const folder = fileURLToPath(new URL('../../bench/paper/', import.meta.url));

describe('the rows of the paper’s table', () => {
  it('have a recipe each, and every recipe has a row', () => {
    const recipes = readdirSync(folder).map((name) => name.replace('.json', ''));
    expect(recipes.sort()).toEqual(PAPER_ROWS.map(({ name }) => name).sort());
  });

  it.each(PAPER_ROWS.map(({ name }) => name))('%s is a recipe that can be trained', (name) => {
    const recipe = parseRecipe(JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8')), name);
    const { objective = 'partitioned', layers, fields, recurrent } = recipe;
    expect(recipe.device).toBe(false);
    const geometry = { width: 28, height: 28 };
    const classes = Array.from('0123456789');
    const shape = shapeFor(
      { width: 784, classes, geometry },
      {
        hidden: layers as number[],
        objective,
        ...(fields === undefined ? {} : { fields }),
        ...(recurrent === undefined ? {} : { recurrent }),
      },
    );
    const network = createNetwork(shape, new Random(1));
    expect(completeConfig(trainConfigOf(recipe), surroundingsOf(network, geometry)).readout).toBeDefined();
  });
});
