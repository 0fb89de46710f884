import type { Random } from '../../base/random.js';
import type { Values } from '../forward.js';
import { fakeQuantize } from '../layers/fake-quantization.js';
import { createOptimizer, type Optimizer, type OptimizerConfig } from '../layers/optimizer.js';
import type { LayerWeights, Outer, Rounding } from '../weights.js';
import { InputRows } from './input-rows.js';
import type { MatrixProduct } from './matrix.js';

/** Weights in ordinary arrays: TensorFlow.js multiplies, plain loops do the rest. */
export class TensorWeights implements LayerWeights {
  readonly inputs: number;
  readonly outputs: number;
  readonly values: Float32Array;
  private readonly product: MatrixProduct;
  private readonly optimizer: Optimizer;
  private readonly batch: InputRows;
  private readonly gathered: Float32Array;
  private readonly gradient: Float32Array;
  private rounded = new Float32Array(0);

  constructor(
    product: MatrixProduct,
    values: Float32Array,
    inputs: number,
    outputs: number,
    optimizer: OptimizerConfig,
  ) {
    this.product = product;
    this.inputs = inputs;
    this.outputs = outputs;
    this.values = values.slice();
    this.optimizer = createOptimizer(optimizer, values.length);
    this.batch = new InputRows(inputs);
    this.gathered = new Float32Array(values.length);
    this.gradient = new Float32Array(values.length);
  }

  get moments(): ReadonlyMap<string, Float32Array> {
    return this.optimizer.moments;
  }

  get updates(): number {
    return this.optimizer.updates;
  }

  set updates(count: number) {
    this.optimizer.updates = count;
  }

  take(source: Values, rows: number, dropout: number, random: Random): void {
    this.batch.fill(source, rows, dropout, random);
  }

  activities(rounding?: Rounding): Float32Array {
    const { batch, outputs } = this;
    const weights = batch.gatherRows(this.used(rounding), outputs, this.gathered);
    const z = this.product(batch.rows, weights, batch.count, batch.active, outputs);
    for (let i = 0; i < z.length; i++) if (!(z[i]! > 0)) z[i] = 0;
    return z;
  }

  learn(delta: Float32Array, rate: number, outer?: Outer): void {
    const { batch, outputs } = this;
    const product = this.product(batch.columns, delta, batch.active, batch.count, outputs);
    const gradient = batch.scatterRows(product, outputs, this.gradient);
    if (outer !== undefined) addOuter(gradient, outer);
    this.optimizer.update(this.values, gradient, rate);
  }

  private used(rounding: Rounding | undefined): Float32Array {
    if (rounding === undefined) return this.values;
    if (this.rounded.length === 0) this.rounded = new Float32Array(this.values.length);
    fakeQuantize(this.values, this.rounded, rounding.scale, rounding.bits);
    return this.rounded;
  }
}

function addOuter(gradient: Float32Array, { left, right }: Outer): void {
  for (let i = 0, at = 0; i < left.length; i++)
    for (let j = 0; j < right.length; j++, at++) gradient[at] = gradient[at]! + left[i]! * right[j]!;
}
