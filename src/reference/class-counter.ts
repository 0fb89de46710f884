import { type ClassStatistics, classStatisticsLength, encodeClassStatistics } from '../format/class-statistics.js';
import { COLUMN_STEP, Xorshift } from './xorshift.js';

const START = 0x2545f491;

/** floor((v + ((n * u) >> 16)) / n), to minus infinity: v / n with dithered rounding. */
function ditheredQuotient(v: number, n: number, u: number): number {
  return Math.floor((v + Math.floor((n * u) / 65536)) / n);
}

/** Running means and mean squares of each class's raw inputs (SPEC.md, "Class statistics"). */
export class ClassCounter {
  private readonly random = new Xorshift(START);
  private readonly level: 1 | 2;
  private readonly rawInputs: number;
  private readonly classes: { count: number; means: Uint16Array; squares: Uint16Array }[];

  constructor(level: 1 | 2, classes: number, rawInputs: number) {
    this.level = level;
    this.rawInputs = rawInputs;
    this.classes = Array.from({ length: classes }, () => ({
      count: 0,
      means: new Uint16Array(rawInputs),
      squares: new Uint16Array(level === 2 ? rawInputs : 0),
    }));
  }

  /** Bytes that the statistics take. */
  get length(): number {
    return classStatisticsLength(this.level, this.classes.length, this.rawInputs);
  }

  add(raw: Uint8Array, label: number): void {
    const summary = this.classes[label]!;
    const { means, squares } = summary;
    summary.count = Math.min(0xffffffff, summary.count + 1);
    const n = Math.min(summary.count, 0xffff);
    let d = this.random.next();
    for (let i = 0; i < raw.length; i++) {
      const x = raw[i]!;
      const u = d >>> 16;
      means[i] = means[i]! + ditheredQuotient(x * 256 - means[i]!, n, u);
      if (this.level === 2) squares[i] = squares[i]! + ditheredQuotient(x * x - squares[i]!, n, u);
      d = (d + COLUMN_STEP) | 0;
    }
  }

  snapshot(): ClassStatistics {
    return { level: this.level, rawInputs: this.rawInputs, classes: structuredClone(this.classes) };
  }

  /** The bytes of region 1. */
  bytes(): Uint8Array {
    return encodeClassStatistics(this.snapshot());
  }
}
