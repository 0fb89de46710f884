/** What happened in one layer during a step. */
export interface LayerReport {
  readonly loss: number;
  /** Mean goodness of positive data; NaN if there were none. */
  readonly positive: number;
  /** Mean goodness of negative data; NaN if there were none. */
  readonly negative: number;
  /** Where the threshold lies. */
  readonly threshold: number;
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
  /** Error in percent on the part of the data that is held out, after the last whole epoch (100 - AUROC for one-class networks). */
  readonly heldOut?: number;
}

/**
 * Mean goodness of positive and negative data; NaN where there are none.
 * @param goodness (rows, groups), positive rows first
 * @param labels true group of each positive row, if there are several groups: its other groups are negative
 */
export function goodnessMeans(
  goodness: Float32Array,
  labels: Uint8Array,
  groups: number,
  positives: number,
): Pick<LayerReport, 'positive' | 'negative'> {
  let positive = 0;
  let all = 0;
  for (const g of goodness) all += g;
  for (let s = 0; s < positives; s++) positive += groups === 1 ? goodness[s]! : goodness[s * groups + labels[s]!]!;
  const negatives = goodness.length - positives;
  return {
    positive: positives > 0 ? positive / positives : Number.NaN,
    negative: negatives > 0 ? (all - positive) / negatives : Number.NaN,
  };
}

/** A mean of numbers of which some may be missing. */
class Mean {
  private sum = 0;
  private weight = 0;

  add(value: number, weight: number): void {
    if (Number.isNaN(value)) return;
    this.sum += value * weight;
    this.weight += weight;
  }

  get value(): number {
    return this.weight > 0 ? this.sum / this.weight : Number.NaN;
  }
}

/** The mean of reports of one layer. */
export function meanReport(reports: readonly LayerReport[]): LayerReport {
  const tally = new Tally(1);
  for (const report of reports) tally.add([report], 1);
  return tally.take()[0]!;
}

/** Sums up the reports of steps. */
export class Tally {
  samples = 0;
  private means: Record<keyof LayerReport, Mean>[];

  constructor(layers: number) {
    this.means = fresh(layers);
  }

  add(reports: readonly LayerReport[], samples: number): void {
    this.samples += samples;
    reports.forEach((report, index) => {
      const means = this.means[index]!;
      for (const key of KEYS) means[key].add(report[key], samples);
    });
  }

  /** Means since the last call, which begins anew. */
  take(): LayerReport[] {
    const reports = this.means.map((means) => {
      const { loss, positive, negative, threshold } = means;
      return { loss: loss.value, positive: positive.value, negative: negative.value, threshold: threshold.value };
    });
    this.samples = 0;
    this.means = fresh(this.means.length);
    return reports;
  }
}

const KEYS = ['loss', 'positive', 'negative', 'threshold'] as const;

function fresh(layers: number): Record<keyof LayerReport, Mean>[] {
  return Array.from({ length: layers }, () => ({
    loss: new Mean(),
    positive: new Mean(),
    negative: new Mean(),
    threshold: new Mean(),
  }));
}
