/**
 * Where the threshold of a layer's goodness lies. Theta is the recipe's `loss.theta`.
 * - `width`: theta for every neuron, as the goodness of so many neurons goes (Hinton's code: the width of the layer, with the
 *   sum of squares). For goodness that is a mean it is theta itself.
 * - `fixed`: theta, whatever the width; for `minus-sum-squares` minus theta.
 * - `learned`: starts as `width`, and moves down the slope of the layer's own loss, by `rate` times the learning rate, in units of
 *   the goodness of neurons whose activities are all 1.
 * - `follow`: starts as `width`, and goes to the middle between the running means of positive and negative goodness, a part
 *   `rate` of the way per step: what moves both phases in the same direction then leaves the loss as it is.
 */
export type ThresholdConfig =
  | { readonly kind: 'width' | 'fixed' }
  | { readonly kind: 'learned' | 'follow'; readonly rate: number };

export type PartialThreshold =
  | ThresholdConfig['kind']
  | { readonly kind: ThresholdConfig['kind']; readonly rate?: number };

/** The configuration with everything filled in. */
export function completeThreshold(partial: PartialThreshold = 'width'): ThresholdConfig {
  const { kind, rate } = typeof partial === 'string' ? { kind: partial, rate: undefined } : partial;
  if (kind === 'learned') return { kind, rate: rate ?? 1 };
  return kind === 'follow' ? { kind, rate: rate ?? 0.01 } : { kind };
}

/** Least magnitude of a threshold that moves, as a part of where it started: a layer without goodness at all is no optimum. */
const FLOOR = 0.05;

/** The threshold of one layer in training. */
export class Threshold {
  value: number;
  /** Running means of positive and negative goodness; NaN before the first. */
  positive = Number.NaN;
  negative = Number.NaN;
  private readonly config: ThresholdConfig;
  private readonly start: number;
  private readonly unit: number;

  /** @param unit goodness of a group of the layer whose activities are all 1 (see Goodness) */
  constructor(config: ThresholdConfig, theta: number, unit: number) {
    this.config = config;
    this.unit = Math.abs(unit);
    this.start = config.kind === 'fixed' ? theta * Math.sign(unit) : theta * unit;
    this.value = this.start;
  }

  /** Whether training moves it. */
  get moves(): boolean {
    return this.config.kind === 'learned' || this.config.kind === 'follow';
  }

  /**
   * Moves after a step.
   * @param slope of the mean loss over the threshold
   * @param positive mean goodness of the step's positive data, NaN if there were none
   * @param negative of its negative data
   * @param learningRate of this step
   */
  update(slope: number, positive: number, negative: number, learningRate: number): void {
    const { config } = this;
    if (config.kind === 'learned') this.value -= config.rate * learningRate * slope * this.unit;
    else if (config.kind === 'follow') {
      if (!Number.isNaN(positive)) this.positive = towards(this.positive, positive, config.rate);
      if (!Number.isNaN(negative)) this.negative = towards(this.negative, negative, config.rate);
      const middle = (this.positive + this.negative) / 2;
      if (!Number.isNaN(middle)) this.value = middle;
    } else return;
    const least = Math.abs(this.start) * FLOOR;
    this.value = this.start > 0 ? Math.max(least, this.value) : Math.min(-least, this.value);
  }
}

function towards(from: number, to: number, rate: number): number {
  return Number.isNaN(from) ? to : from + rate * (to - from);
}
