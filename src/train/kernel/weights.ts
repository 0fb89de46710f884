import type { Random } from '../../base/random.js';
import type { Values } from '../forward.js';
import { quantizedLimit } from '../layers/fake-quantization.js';
import type { OptimizerConfig } from '../layers/optimizer.js';
import type { LayerWeights, Outer, Rounding, SquaresGoodness } from '../weights.js';
import { FIELD, KernelBatch } from './batch.js';
import type { Kernel } from './kernel.js';
import { Output, Staging } from './staging.js';

/** Weights in the kernel's memory. */
export class KernelWeights implements LayerWeights {
  readonly inputs: number;
  readonly outputs: number;
  readonly values: Float32Array;
  readonly moments: ReadonlyMap<string, Float32Array>;
  private readonly kernel: Kernel;
  private readonly config: OptimizerConfig;
  private readonly batch: KernelBatch;
  /** 0 for inputs that never had a gradient: their weights are left alone. */
  private readonly touched: Uint8Array;
  readonly squares: SquaresGoodness;
  private readonly delta: Staging;
  private readonly left: Staging;
  private readonly right: Staging;
  private rounded: Float32Array | undefined;
  private steps = 0;

  constructor(kernel: Kernel, values: Float32Array, inputs: number, outputs: number, config: OptimizerConfig) {
    const { memory } = kernel;
    this.kernel = kernel;
    this.config = config;
    this.inputs = inputs;
    this.outputs = outputs;
    this.values = memory.floats(inputs * outputs);
    this.values.set(values);
    const names = config.kind === 'adam' ? ['mean', 'square'] : ['velocity'];
    this.moments = new Map(names.map((name) => [name, memory.floats(inputs * outputs)]));
    this.touched = memory.bytes(inputs);
    this.batch = new KernelBatch(kernel);
    [this.delta, this.left, this.right] = [new Staging(kernel), new Staging(kernel), new Staging(kernel)];
    const goodness = new Output(kernel);
    this.squares = {
      measure: (target, groups, factor) =>
        goodness.fill(target, (at) => kernel.code.measure(this.batch.record.byteOffset, at, groups, factor)),
      learn: (slopes, groups, factor, rate) => this.step(rate, 0, this.delta.address(slopes), groups, factor, 0, 0),
    };
    const [first, second] = [...this.moments.values()];
    this.batch.record.set(
      [this.values.byteOffset, first!.byteOffset, second?.byteOffset ?? 0, this.touched.byteOffset],
      FIELD.weights,
    );
  }

  get updates(): number {
    return this.steps;
  }

  set updates(count: number) {
    this.steps = count;
    // Which inputs had a gradient isn't known, and weights without moments stay where they are anyway.
    this.touched.fill(1);
  }

  take(source: Values, rows: number, dropout: number, random: Random): void {
    const chance = Math.round(dropout * 65536);
    const drop = { chance, seed: chance > 0 ? random.uint32() : 0 };
    this.batch.take(source, rows, this.inputs, this.outputs, drop, true);
  }

  activities(rounding?: Rounding): Float32Array {
    if (rounding === undefined) return this.batch.multiply(this.values.byteOffset, true);
    this.rounded ??= this.kernel.memory.floats(this.values.length);
    const { record } = this.batch;
    record[FIELD.used] = this.rounded.byteOffset;
    this.kernel.code.round_weights(record.byteOffset, rounding.scale, quantizedLimit(rounding.bits));
    return this.batch.multiply(this.rounded.byteOffset, true);
  }

  learn(delta: Float32Array, rate: number, outer?: Outer): void {
    const left = outer === undefined ? 0 : this.left.address(outer.left);
    const right = outer === undefined ? 0 : this.right.address(outer.right);
    this.step(rate, this.delta.address(delta), 0, 1, 1, left, right);
  }

  private step(
    rate: number,
    delta: number,
    slopes: number,
    groups: number,
    factor: number,
    left: number,
    right: number,
  ): void {
    const { config } = this;
    this.steps++;
    const { learn } = this.kernel.code;
    const from = [this.batch.record.byteOffset, delta, slopes, groups, factor, left, right] as const;
    const keep = 1 - rate * config.weightDecay;
    if (config.kind === 'adam') {
      const { beta1, beta2, epsilon } = config;
      const correction = Math.sqrt(1 - beta2 ** this.steps);
      const step = (rate * correction) / (1 - beta1 ** this.steps);
      learn(...from, 1, step, keep, 1 - beta1, 1 - beta2, epsilon * correction);
    } else {
      learn(...from, 0, rate, keep, config.momentum, 0, 0);
    }
  }
}
