/** What happened in one layer during a step. */
export interface LayerReport {
  readonly loss: number;
  /** Mean goodness of positive data. */
  readonly positive: number;
  /** Mean goodness of negative data. */
  readonly negative: number;
}

/** Reported after every `reportEvery` steps of `fit` and after the last one; layer figures are means since the last report. */
export interface Progress {
  /** Epochs done, counting the current one: 1 to epochs. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps of this run done. */
  readonly step: number;
  readonly steps: number;
  readonly layers: readonly LayerReport[];
  readonly learningRate: number;
  readonly samplesPerSecond: number;
}

/** Mean goodness of positive and negative data: of groups, or, with a single group, of the first and second half of the rows. */
export function goodnessMeans(goodness: Float32Array, labels: Uint8Array, groups: number): Omit<LayerReport, 'loss'> {
  const count = labels.length;
  let positive = 0;
  let all = 0;
  for (const g of goodness) all += g;
  for (let s = 0; s < count; s++) positive += groups === 1 ? goodness[s]! : goodness[s * groups + labels[s]!]!;
  return { positive: positive / count, negative: (all - positive) / (goodness.length - count) };
}

/** Sums up the reports of steps. */
export class Tally {
  samples = 0;
  private sums: { loss: number; positive: number; negative: number }[];

  constructor(layers: number) {
    this.sums = Array.from({ length: layers }, () => ({ loss: 0, positive: 0, negative: 0 }));
  }

  add(reports: readonly LayerReport[], samples: number): void {
    this.samples += samples;
    reports.forEach((report, index) => {
      const sum = this.sums[index]!;
      sum.loss += report.loss * samples;
      sum.positive += report.positive * samples;
      sum.negative += report.negative * samples;
    });
  }

  means(): LayerReport[] {
    const n = Math.max(1, this.samples);
    return this.sums.map((s) => ({ loss: s.loss / n, positive: s.positive / n, negative: s.negative / n }));
  }

  reset(): void {
    this.samples = 0;
    this.sums = this.sums.map(() => ({ loss: 0, positive: 0, negative: 0 }));
  }
}
