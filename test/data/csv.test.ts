import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GoodnessError } from '../../src/base/errors.js';
import { formatCsv, parseCsv } from '../../src/data/csv.js';
import { loadData } from '../../src/data/load.js';
import { encodeValues, fitScaling } from '../../src/data/scaling.js';
import { classesOf, encodeTable, splitTable } from '../../src/data/table.js';

function failure(action: () => unknown): GoodnessError {
  try {
    action();
  } catch (error) {
    if (error instanceof GoodnessError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('parsing a CSV', () => {
  it('takes numbers and a label from each row, with or without header', () => {
    const plain = parseCsv('1,2.5,a\n-3e1,+.5,b\n');
    expect([...plain.values]).toEqual([1, 2.5, -30, 0.5]);
    expect(plain.labels).toEqual(['a', 'b']);
    expect(plain.features).toBeUndefined();
    const named = parseCsv('\ufeffax, ay ,kind\r\n1,2.5,a\r\n\r\n-30,.5,"b, c"\r\n');
    expect(named.features).toEqual(['ax', 'ay']);
    expect(named.labelName).toBe('kind');
    expect(named.labels).toEqual(['a', 'b, c']);
  });

  it('recognises headers made of numbers and obeys when told', () => {
    expect(parseCsv('0,1,label\n5,6,a\n7,8,b').rows).toBe(2);
    expect(parseCsv('0,1,species\n5,6,1\n7,8,2').rows).toBe(2);
    expect(parseCsv('0,1,2\n5,6,1\n7,8,2').rows).toBe(3);
    expect(parseCsv('0,1,2\n5,6,1\n7,8,2', { header: true }).rows).toBe(2);
    expect(failure(() => parseCsv('a,b,c\n1,2,x', { header: false })).code).toBe('csv.number');
  });

  it.each([
    ['1;2;a\n3;4;b', 2],
    ['1\t2\ta\n3\t4\tb', 2],
  ])('accepts semicolons and tabs', (text, rows) => {
    expect(parseCsv(text).rows).toBe(rows);
  });

  it.each([
    ['nothing', '', 'csv.empty', []],
    ['only a header', 'ax,ay,label\n', 'csv.empty', []],
    ['one column', '1\n2\n', 'csv.columns', []],
    ['an empty cell', 'ax,ay,l\n1,2,a\n3,,b\n', 'csv.cell-empty', ['line 3', 'column 2 (ay)']],
    ['a NaN', '1,2,a\nNaN,4,b\n', 'csv.nan', ['line 2', 'column 1']],
    ['a NaN in the first row', 'nan,2,a\n3,4,b\n', 'csv.nan', ['line 1', 'column 1']],
    ['infinity', '1,2,a\n3,-inf,b\n', 'csv.nan', ['line 2', 'column 2']],
    ['an overflow', '1,2,a\n3,1e999,b\n', 'csv.number', ['line 2', 'column 2']],
    ['text among numbers', '1,2,a\n3,4 kg,b\n', 'csv.number', ['line 2', 'column 2', '4 kg']],
    ['a decimal comma', '1,5;2;a\n3;4;b\n', 'csv.number', ['line 1', 'column 1', 'point']],
    ['a short row', '1,2,a\n3,b\n', 'csv.ragged', ['line 2', '3 columns', 'got 2']],
    ['a long row', '1,2,a\n3,4,5,b\n', 'csv.ragged', ['line 2', 'got 4']],
    ['a missing label', '1,2,a\n3,4,\n', 'csv.label', ['line 2', 'column 3']],
    ['an open quote', '1,2,"a\n3,4,b\n', 'csv.syntax', []],
  ])('refuses %s and says where', (_, text, code, parts) => {
    const error = failure(() => parseCsv(text));
    expect(error.code).toBe(code);
    for (const part of parts) expect(error.message).toContain(part);
  });

  it('reads back what it writes', () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 });
    const label = fc
      .string({ minLength: 1, unit: 'grapheme-ascii' })
      .filter((s) => s.trim() === s && !/^(nan?|n\/a|null|none|\?|[+-]?inf(inity)?)$/i.test(s));
    fc.assert(
      fc.property(fc.array(fc.tuple(finite, finite, label), { minLength: 1, maxLength: 8 }), (rows) => {
        const table = {
          values: Float64Array.from(rows.flatMap((row) => row.slice(0, 2) as number[])),
          labels: rows.map((r) => r[2]),
          rows: rows.length,
          width: 2,
        };
        const back = parseCsv(formatCsv(table, 17), { header: true });
        expect(back.labels).toEqual(table.labels);
        expect([...back.values].map((v) => v + 0)).toEqual([...table.values].map((v) => v + 0));
      }),
      { seed: 1 },
    );
  });
});

describe('classes of a table', () => {
  it('sort by number where all are numbers, else by text', () => {
    expect(classesOf(['10', '2', '2.0', '10'])).toEqual(['2', '10']);
    expect(classesOf(['b', '10', '2', 'b'])).toEqual(['10', '2', 'b']);
  });

  it('must be two or more, and fewer than the rows would have as measurements', () => {
    expect(failure(() => classesOf(['a', 'a'])).code).toBe('csv.classes');
    const many = (count: number): string[] => Array.from({ length: 4 * count }, (_, k) => `${k % count}`);
    expect(classesOf(many(254))).toHaveLength(254);
    expect(failure(() => classesOf(many(255)))).toMatchObject({ code: 'csv.classes', expected: /^at most 254,/ });
    expect(failure(() => classesOf(Array.from({ length: 20 }, (_, k) => `${k / 7}`))).code).toBe('csv.classes');
  });
});

describe('scaling to bytes', () => {
  it('maps the range of each column to 0 and 255 and survives constant columns', () => {
    const values = Float64Array.of(0, 5, -1, 1, 5, 1, 0.6, 5, -0.2);
    const scaling = fitScaling(values, 3);
    expect([...encodeValues(values, 3, scaling)]).toEqual([0, 0, 0, 255, 0, 255, 153, 0, 102]);
    expect([...encodeValues(Float64Array.of(-9, 7, 9), 3, scaling)]).toEqual([0, 2, 255]);
  });

  it('refuses a scaling of another width or with a step of zero', () => {
    const values = new Float64Array(6);
    const two = { offset: new Float32Array(2), step: Float32Array.of(1, 1) };
    expect(failure(() => encodeValues(values, 3, two)).code).toBe('scaling.width');
    expect(failure(() => encodeValues(values, 2, { ...two, step: Float32Array.of(1, 0) })).code).toBe('scaling.step');
  });
});

describe('splitting a table', () => {
  const rows = 60;
  const table = {
    values: Float64Array.from({ length: rows * 2 }, (_, k) => k),
    labels: Array.from({ length: rows }, (_, i) => (i % 3 === 0 ? 'rare' : 'often')),
    rows,
    width: 2,
  };

  it('keeps the share of each class, loses no row, and depends on the seed alone', () => {
    const { train, test } = splitTable(table, { testFraction: 0.25, seed: 4 });
    expect([train.count, test.count]).toEqual([45, 15]);
    expect(test.labels.filter((l) => l === 1)).toHaveLength(5);
    const again = splitTable(table, { testFraction: 0.25, seed: 4 });
    expect(again.test.inputs).toEqual(test.inputs);
    expect(splitTable(table, { testFraction: 0.25, seed: 5 }).test.inputs).not.toEqual(test.inputs);
  });

  it('scales by the train rows alone', () => {
    const { train } = splitTable(table, { seed: 4 });
    expect(Math.min(...train.inputs)).toBe(0);
    expect(Math.max(...train.inputs)).toBe(255);
  });

  it('refuses a class with a single row and a fraction out of range', () => {
    const lonely = { ...table, labels: table.labels.map((l, i) => (i === 7 ? 'single' : l)) };
    expect(failure(() => splitTable(lonely)).code).toBe('csv.rows');
    expect(failure(() => splitTable(table, { testFraction: 1 })).code).toBe('csv.fraction');
  });

  it('encodes rows for an existing model and refuses classes and widths it does not know', () => {
    const { train } = splitTable(table, { seed: 4 });
    const rows = encodeTable({ ...table, labels: table.labels.map(() => 'rare') }, train.scaling, train.classes);
    expect([...new Set(rows.labels)]).toEqual([1]);
    const strange = { ...table, labels: table.labels.map(() => 'strange') };
    expect(failure(() => encodeTable(strange, train.scaling, train.classes)).code).toBe('csv.unknown-class');
    const narrow = { ...table, values: table.values.subarray(0, rows.count), width: 1 };
    expect(failure(() => encodeTable(narrow, train.scaling, train.classes)).code).toBe('csv.width');
  });
});

describe('loading by name', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'load-'));
  });
  afterAll(async () => rm(dir, { recursive: true }));
  const text = 'a,b,kind\n1,2,x\n2,3,x\n5,6,y\n7,8,y\n';

  it('takes a CSV file, or a folder with train.csv and test.csv', async () => {
    await writeFile(join(dir, 'all.csv'), text);
    const one = await loadData(join(dir, 'all.csv'), { testFraction: 0.5 });
    expect([one.train.count, one.test.count, one.train.features]).toEqual([2, 2, ['a', 'b']]);
    await mkdir(join(dir, 'both'));
    await writeFile(join(dir, 'both', 'train.csv'), text);
    await writeFile(join(dir, 'both', 'test.csv'), text.slice(0, 15));
    const two = await loadData(join(dir, 'both'));
    expect([two.train.count, two.test.count]).toEqual([4, 1]);
    expect(Math.max(...two.train.inputs)).toBe(255);
  });

  it('says what it expected where there is nothing to load', async () => {
    await expect(loadData(join(dir, 'none.csv'))).rejects.toMatchObject({ code: 'data.missing' });
    await mkdir(join(dir, 'empty'));
    await expect(loadData(join(dir, 'empty'))).rejects.toMatchObject({ code: 'data.unknown' });
  });
});
