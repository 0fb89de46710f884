import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadData } from '../../src/data/load.js';
import { textData } from '../../src/data/text.js';

const TEXT = 'A cab,\n\n  a BAD cab. a cab, a bad cab. a cab, a bad cab.';
const plain = 'a cab, a bad cab. a cab, a bad cab. a cab, a bad cab.';

/** What a sample shows, and what follows it. */
function shown({ inputs, width, labels, classes }: ReturnType<typeof textData>['train'], sample: number): string {
  let text = '';
  for (let at = 0; at < width; at += classes.length) {
    const place = inputs.subarray(sample * width + at, sample * width + at + classes.length);
    expect(place.reduce((sum, v) => sum + v, 0)).toBe(255);
    text += classes[place.indexOf(255)];
  }
  return `${text}>${classes[labels[sample]!]}`;
}

describe('a text as data', () => {
  it('is windows of characters, and the character after each', () => {
    const { train, test } = textData(TEXT, { name: 'cabs', window: 3 });
    expect(train.classes).toEqual([' ', ',', '.', 'a', 'b', 'c', 'd']);
    const end = Math.round(plain.length * 0.8);
    expect([train.count, test.count]).toEqual([end - 3, plain.length - end - 3]);
    for (let s = 0; s < train.count; s++) expect(shown(train, s)).toBe(`${plain.slice(s, s + 3)}>${plain[s + 3]}`);
    for (let s = 0; s < test.count; s++) {
      expect(shown(test, s)).toBe(`${plain.slice(end + s, end + s + 3)}>${plain[end + s + 3]}`);
    }
  });

  it('takes over the characters of a model, and refuses others', () => {
    const classes = [...'.,dcba '];
    expect(textData(TEXT, { name: 'cabs', window: 2, classes }).train.classes).toEqual(classes);
    expect(() => textData(TEXT, { name: 'cabs', window: 2, classes: ['a', ' '] })).toThrow(/does not know/);
  });

  it('must be long enough', () => {
    expect(() => textData('a cab', { name: 'cabs' })).toThrow(/too short/);
  });

  it('is loaded from a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'goodness-text-'));
    writeFileSync(join(folder, 'cabs.txt'), TEXT);
    try {
      const { train } = await loadData(join(folder, 'cabs.txt'), { window: 4 });
      expect([train.name, train.width]).toEqual(['cabs.txt', 28]);
      await expect(loadData(join(folder, 'cabs.txt'), { others: 'other' })).rejects.toThrow(/CSV data only/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
