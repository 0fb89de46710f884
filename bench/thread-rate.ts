import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Dataset, encodeImage, type Model } from 'goodness';
import { median } from './options.js';

const FIRMWARE = fileURLToPath(new URL('../../firmware', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../../build/bench/thread-rate', import.meta.url));
const RUN_MS = 600_000;

const run = promisify(execFile);

export interface Speedup {
  /** Microseconds per sample, one after the other and by threads: medians of the repeats. */
  readonly one: number;
  readonly threads: number;
  /** How many times faster by threads: median of the ratios within each repeat, and all of them. */
  readonly ratio: number;
  readonly ratios: readonly number[];
  /** The same by processor time: that of one after the other / that of the busiest thread, which other programs don't change. */
  readonly busiest: number;
}

export interface ThreadRate {
  readonly model: string;
  readonly threads: number;
  readonly cores: number;
  readonly samples: number;
  readonly infer: Speedup;
  readonly learn: Speedup;
}

/**
 * Times learning and inference of the Linux port's core, one sample after the other and by a thread per group of layers, in turn. It fails
 * where a result or a byte of what was learned differs.
 */
export async function threadRate(
  name: string,
  model: Model,
  data: Dataset,
  threads: number,
  repeats: number,
): Promise<ThreadRate> {
  await run('make', ['-s', '-C', FIRMWARE, 'thread-rate']);
  const folder = mkdtempSync(join(tmpdir(), 'goodness-threads-'));
  try {
    const [image, samples] = [join(folder, 'image'), join(folder, 'samples')];
    const count = Buffer.alloc(4);
    count.writeUInt32LE(data.count);
    writeFileSync(image, encodeImage(model));
    writeFileSync(samples, Buffer.concat([count, data.labels, data.inputs]));
    const { stdout } = await run(PROGRAM, [image, samples, String(threads), String(repeats)], { timeout: RUN_MS });
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map((ns) => Number(ns) / 1000));
    const speedup = (from: number): Speedup => ({
      one: median(rows.map((row) => row[from]!)),
      threads: median(rows.map((row) => row[from + 1]!)),
      ratio: median(rows.map((row) => row[from]! / row[from + 1]!)),
      ratios: rows.map((row) => row[from]! / row[from + 1]!),
      busiest: median(rows.map((row) => row[from + 2]! / row[from + 3]!)),
    });
    return {
      model: name,
      threads,
      cores: availableParallelism(),
      samples: data.count,
      infer: speedup(0),
      learn: speedup(4),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
