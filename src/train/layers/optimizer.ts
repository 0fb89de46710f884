/** Settings of an optimizer. `weightDecay` is decoupled (Loshchilov and Hutter 2019): w -= rate * weightDecay * w. */
export type OptimizerConfig =
  | {
      readonly kind: 'adam';
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly weightDecay: number;
    }
  | { readonly kind: 'sgd'; readonly momentum: number; readonly weightDecay: number };

/** Turns gradients into changes of one layer's weights. */
export interface Optimizer {
  /** Changes `weights` in place. `gradient` has the same length, and is spent afterwards. */
  update(weights: Float32Array, gradient: Float32Array, rate: number): void;
  /** Everything that must be kept to go on later, by name; live views, to be copied into as well. */
  readonly moments: ReadonlyMap<string, Float32Array>;
  /** Updates so far; set it when going on from a checkpoint. */
  updates: number;
}

export const ADAM: OptimizerConfig = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };
export const SGD: OptimizerConfig = { kind: 'sgd', momentum: 0.9, weightDecay: 0 };

/** An optimizer of which only what differs from `ADAM` or `SGD` is said. */
export type PartialOptimizer =
  | OptimizerConfig['kind']
  | (Partial<OptimizerConfig> & { readonly kind: OptimizerConfig['kind'] });

/** The configuration with everything filled in. */
export function completeOptimizer(partial: PartialOptimizer = 'adam'): OptimizerConfig {
  const { kind, ...rest } = typeof partial === 'string' ? { kind: partial } : partial;
  return { ...(kind === 'adam' ? ADAM : SGD), ...rest } as OptimizerConfig;
}

/** @param size number of weights */
export function createOptimizer(config: OptimizerConfig, size: number): Optimizer {
  return config.kind === 'adam' ? new Adam(config, size) : new Momentum(config, size);
}

/** Adam (Kingma and Ba 2015), with decoupled weight decay. */
class Adam implements Optimizer {
  readonly moments: ReadonlyMap<string, Float32Array>;
  updates = 0;
  private readonly config: Extract<OptimizerConfig, { kind: 'adam' }>;
  private readonly mean: Float32Array;
  private readonly square: Float32Array;

  constructor(config: Extract<OptimizerConfig, { kind: 'adam' }>, size: number) {
    this.config = config;
    this.mean = new Float32Array(size);
    this.square = new Float32Array(size);
    this.moments = new Map([
      ['mean', this.mean],
      ['square', this.square],
    ]);
  }

  update(weights: Float32Array, gradient: Float32Array, rate: number): void {
    this.updates++;
    const { beta1, beta2, epsilon, weightDecay } = this.config;
    const correction = Math.sqrt(1 - beta2 ** this.updates);
    const rise1 = 1 - beta1;
    const rise2 = 1 - beta2;
    const step = (rate * correction) / (1 - beta1 ** this.updates);
    const floor = epsilon * correction;
    const mean = this.mean;
    const square = this.square;
    const count = weights.length;
    if (weightDecay > 0) {
      const keep = 1 - rate * weightDecay;
      for (let i = 0; i < count; i++) weights[i] = weights[i]! * keep;
    }
    for (let i = 0; i < count; i++) {
      const g = gradient[i]!;
      const m = mean[i]! + rise1 * (g - mean[i]!);
      const v = square[i]! + rise2 * (g * g - square[i]!);
      mean[i] = m;
      square[i] = v;
      weights[i] = weights[i]! - (step * m) / (Math.sqrt(v) + floor);
    }
  }
}

/** Gradient descent with momentum: v = momentum * v + g, w -= rate * v. */
class Momentum implements Optimizer {
  readonly moments: ReadonlyMap<string, Float32Array>;
  updates = 0;
  private readonly config: Extract<OptimizerConfig, { kind: 'sgd' }>;
  private readonly velocity: Float32Array;

  constructor(config: Extract<OptimizerConfig, { kind: 'sgd' }>, size: number) {
    this.config = config;
    this.velocity = new Float32Array(size);
    this.moments = new Map([['velocity', this.velocity]]);
  }

  update(weights: Float32Array, gradient: Float32Array, rate: number): void {
    this.updates++;
    const { momentum, weightDecay } = this.config;
    const velocity = this.velocity;
    for (let i = 0; i < weights.length; i++) {
      const v = momentum * velocity[i]! + gradient[i]!;
      velocity[i] = v;
      weights[i] = weights[i]! - rate * (v + weightDecay * weights[i]!);
    }
  }
}
