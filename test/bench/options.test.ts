import { describe, expect, it } from 'vitest';
import { readOptions } from '../../bench/options.js';

const ROWS = ['rot30', 'noise'];

describe('the options of a bench', () => {
  it('have defaults', () => {
    expect(readOptions(ROWS, [])).toEqual({ seeds: 3, only: [], json: false, quick: false });
    expect(readOptions(ROWS, ['--seeds', '7', '--only', 'noise', '--json', '--quick'])).toEqual({
      seeds: 7,
      only: ['noise'],
      json: true,
      quick: true,
    });
    expect(readOptions(ROWS, ['--help'])).toBeUndefined();
  });

  it.each([['abc'], ['0'], ['-1'], ['1.5'], ['1e9'], ['']])('refuse %j seeds', (seeds) => {
    expect(() => readOptions(ROWS, [`--seeds=${seeds}`])).toThrow(/--seeds takes a whole number from 1/);
  });

  it('refuse a row or an option that does not exist', () => {
    expect(() => readOptions(ROWS, ['--only', 'rot31'])).toThrow(/no row is called rot31; there are rot30, noise/);
    expect(() => readOptions(ROWS, ['--seed', '3'])).toThrow(/--seed/);
  });
});
