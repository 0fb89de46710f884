import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { weightsLength } from '../../src/format/layout.js';
import { ofLayer } from '../../src/train/layers/fake-quantization.js';
import { PRESETS, presetOf } from '../../src/train/presets.js';
import { deviceBits, parseRecipe } from '../../src/train/recipe.js';

/** Most bytes of weights. */
const BUDGETS: Readonly<Record<string, number>> = { 'digits-16k': 16 * 1024, 'digits-110k': 110 * 1024 };
const cards = readFileSync(new URL('../../docs/presets.md', import.meta.url), 'utf8');

describe('presets', () => {
  it.each(Object.keys(PRESETS))('%s fits its budget, and has a card', (name) => {
    const { recipe, what } = presetOf(name);
    expect(parseRecipe(recipe, name)).toEqual(recipe);
    const layers = recipe.layers as readonly number[];
    const inputs = (28 / (recipe.pool ?? 1)) ** 2;
    const bytes = layers.reduce((sum, outputs, l) => {
      const weightBits = ofLayer(deviceBits(recipe), l) as 8 | 4;
      return sum + weightsLength({ inputs: l === 0 ? inputs : layers[l - 1]!, outputs, weightBits, layout: 0 });
    }, 0);
    expect(bytes).toBeLessThanOrEqual(BUDGETS[name]!);
    const text = bytes.toLocaleString('en');
    expect(what).toContain(text);
    expect(cards).toContain(`## ${name}`);
    expect(cards).toContain(`weights ${text} (budget`);
  });

  it('that nobody knows are refused by name', () => {
    expect(() => presetOf('toString')).toThrow('digits-16k, digits-110k');
  });
});
