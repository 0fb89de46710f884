import type { Layer } from '../network.js';

/**
 * What keeps the length of its weights: nothing (`free`), every neuron (`neuron`), or a layer as a whole (`layer`). Weights that can't
 * grow can only turn: a phase that pushes all goodness one way then changes less than what it pushes apart.
 */
export type NormRule = 'free' | 'neuron' | 'layer';

/** Brings weights back to the lengths that they began with. */
export class NeuronNorms {
  /** Length of each neuron's weights, or of all of the layer; empty where they are free. Live, for checkpoints. */
  readonly lengths: Float32Array;
  private readonly layer: Layer;
  private readonly rule: NormRule;
  private readonly squares: Float64Array;

  constructor(rule: NormRule, layer: Layer) {
    this.rule = rule;
    this.layer = layer;
    this.squares = new Float64Array(rule === 'free' ? 0 : layer.outputs);
    this.lengths = Float32Array.from(this.measure());
  }

  restore(): void {
    if (this.rule === 'free') return;
    const { weights, outputs } = this.layer;
    const factors = this.measure().map((now, k) => (now > 0 ? this.lengths[k]! / now : 1));
    const single = this.rule === 'layer';
    for (let i = 0, j = 0; i < weights.length; i++) {
      weights[i] = weights[i]! * (single ? factors[0]! : factors[j]!);
      if (++j === outputs) j = 0;
    }
  }

  private measure(): number[] {
    const { squares, rule } = this;
    if (rule === 'free') return [];
    const { weights, outputs } = this.layer;
    squares.fill(0);
    for (let i = 0, j = 0; i < weights.length; i++) {
      squares[j] = squares[j]! + weights[i]! ** 2;
      if (++j === outputs) j = 0;
    }
    if (rule === 'neuron') return Array.from(squares, Math.sqrt);
    return [Math.sqrt(squares.reduce((a, b) => a + b, 0))];
  }
}
