import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCsv } from '../../src/data/csv.js';
import { loadData } from '../../src/data/load.js';
import { withOthers } from '../../src/data/others.js';
import { capture } from '../../src/device/sensor/capture.js';
import { SampleQueue } from '../../src/device/sensor/queue.js';
import { type SignalKind, signalSource } from '../../src/device/sensor/signal.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'goodness-capture-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const sensor = (kind: SignalKind, channels = ['a0']) => signalSource({ kind, channels, rate: 50, unpaced: true });

describe('a capture', () => {
  it('writes rows that training takes as they are, one class after the other', async () => {
    const out = join(folder, 'machine.csv');
    const report = await capture(sensor('rest'), { label: 'rest', out, length: 8, windows: 12 });
    expect(report).toMatchObject({ samples: 96, windows: 12, lost: 0 });
    await capture(sensor('normal'), { label: 'running, "well"', out, length: 8, hop: 4, windows: 20, append: true });
    const table = parseCsv(readFileSync(out, 'utf8'));
    expect(table).toMatchObject({ rows: 32, width: 8, labelName: 'label' });
    expect(table.features![7]).toBe('a0_7');
    expect(table.labels.filter((label) => label === 'running, "well"')).toHaveLength(20);
    // Half of each window is that of the one before.
    const row = (i: number) => table.values.subarray(8 * i, 8 * i + 8);
    expect(row(13).subarray(0, 4)).toEqual(row(12).subarray(4));
    expect((await loadData(out)).train.classes).toEqual(['rest', 'running, "well"']);
  });

  it('ends after so many seconds of samples, and tells several channels apart', async () => {
    const out = join(folder, 'machine.csv');
    const report = await capture(sensor('normal', ['x', 'y']), {
      label: 'a',
      out,
      length: 5,
      seconds: 1,
      features: 'spectrum',
    });
    expect(report).toMatchObject({ samples: 50, windows: 10 });
    expect(parseCsv(readFileSync(out, 'utf8')).features).toEqual(['x_bin1', 'x_bin2', 'y_bin1', 'y_bin2']);
  });

  it('ends when it is stopped, with whole rows', async () => {
    const out = join(folder, 'machine.csv');
    const stop = new AbortController();
    const report = await capture(sensor('normal'), {
      label: 'a',
      out,
      length: 4,
      signal: stop.signal,
      onWindow: (done) => done === 3 && stop.abort(),
    });
    expect(report.windows).toBe(3);
    expect(parseCsv(readFileSync(out, 'utf8')).rows).toBe(3);
  });

  it('leaves a file alone that it was not told to add to, or that holds other columns', async () => {
    const out = join(folder, 'machine.csv');
    await capture(sensor('rest'), { label: 'rest', out, length: 4, windows: 2 });
    const before = readFileSync(out, 'utf8');
    await expect(capture(sensor('rest'), { label: 'rest', out, length: 4, windows: 2 })).rejects.toMatchObject({
      code: 'capture.exists',
    });
    await expect(
      capture(sensor('rest'), { label: 'rest', out, length: 5, windows: 2, append: true }),
    ).rejects.toMatchObject({ code: 'capture.header' });
    expect(readFileSync(out, 'utf8')).toBe(before);
  });

  it('takes a row away that a crash cut off', async () => {
    const out = join(folder, 'machine.csv');
    await capture(sensor('rest'), { label: 'rest', out, length: 4, windows: 2 });
    appendFileSync(out, '512,51');
    await capture(sensor('rest'), { label: 'rest', out, length: 4, windows: 1, append: true });
    expect(parseCsv(readFileSync(out, 'utf8'))).toMatchObject({ rows: 3, width: 4 });
  });

  it('refuses labels that a row can not hold', async () => {
    const out = join(folder, 'machine.csv');
    for (const label of ['', ' ', 'two\nlines']) {
      await expect(capture(sensor('rest'), { label, out, length: 4, windows: 1 })).rejects.toMatchObject({
        code: 'capture.label',
      });
    }
  });
});

describe('a queue of samples', () => {
  it('keeps the order, throws the oldest away when it is full, and counts them', async () => {
    const queue = new SampleQueue<number>(3);
    for (let n = 0; n < 5; n++) queue.push(n);
    queue.end();
    const got: number[] = [];
    for await (const n of queue) got.push(n);
    expect(got).toEqual([2, 3, 4]);
    expect(queue.lost).toBe(2);
  });

  it('hands its failure on behind what it holds', async () => {
    const queue = new SampleQueue<number>();
    queue.push(1);
    queue.end(new Error('gone'));
    const iterator = queue[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ value: 1, done: false });
    await expect(iterator.next()).rejects.toThrow('gone');
  });
});

describe('made-up others', () => {
  const table = { values: Float64Array.of(1, 2, 3, 4, 5, 6), labels: ['a', 'b', 'a'], rows: 3, width: 2 };

  it('double the rows, keep the real ones, and are the same for the same seed', () => {
    const more = withOthers(table, { seed: 4 });
    expect(more).toMatchObject({ rows: 6, width: 2, others: 'other' });
    expect(more.values.subarray(0, 6)).toEqual(table.values);
    expect(more.labels).toEqual(['a', 'b', 'a', 'other', 'other', 'other']);
    expect(withOthers(table, { seed: 4 }).values).toEqual(more.values);
    expect(withOthers(table, { seed: 5 }).values).not.toEqual(more.values);
  });

  it('need a name of their own, and a CSV', async () => {
    expect(() => withOthers(table, { name: 'b' })).toThrow(expect.objectContaining({ code: 'others.name' }));
    await expect(loadData('mnist', { others: 'other' })).rejects.toMatchObject({ code: 'data.others' });
    const file = join(folder, 'one.csv');
    writeFileSync(file, `x,y,label\n${Array.from({ length: 20 }, (_, i) => `${i},${i * i},normal`).join('\n')}\n`);
    const { train, test } = await loadData(file, { others: 'other' });
    expect(train.classes).toEqual(['normal', 'other']);
    expect([train.others, train.count + test.count]).toEqual(['other', 40]);
  });
});
