import type { Random } from '../../base/random.js';
import type { Backend } from '../backend.js';
import type { TrainConfig } from '../config.js';
import { frameAt, frameInputs, type RecurrentNetwork, rescale } from '../recurrent.js';
import type { TrainLayer } from './layer.js';
import { createLayers, dropInputs, dropoutOf, type LayerStack } from './stack.js';

/**
 * The layers of a recurrent network in training. In each iteration every layer learns from what it does then; its neighbours' activities
 * are inputs like any others, so that no gradient goes up, down or back in time.
 */
export class RecurrentStack implements LayerStack {
  readonly layers: readonly TrainLayer[];
  readonly groups = 1;
  readonly iterations: number;
  private readonly network: RecurrentNetwork;
  private readonly config: TrainConfig;
  private rows = 0;
  private random: Random | undefined;
  private drops = false;
  private frames: readonly Float32Array[] = [];
  private labels = new Float32Array(0);
  /** What each layer did last, (rows, outputs). */
  private states: Float32Array[] = [];
  private sources: Float32Array[] = [];

  /** @param network its weights are copied */
  constructor(network: RecurrentNetwork, config: TrainConfig, backend: Backend) {
    this.network = network;
    this.config = config;
    this.iterations = network.recurrent.iterations;
    this.layers = createLayers(network, config, backend);
  }

  /** @param source (rows, classes + encoded width): labels, then samples */
  forward(source: Uint8Array, rows: number, random: Random, drops = true): void {
    const { network } = this;
    const { classes, recurrent, preprocessing, width } = network;
    const stride = classes + (preprocessing.encoding === 'complement' ? 2 * width : width);
    [this.rows, this.random, this.drops] = [rows, random, drops];
    this.frames = Array.from({ length: recurrent.frames }, (_, frame) =>
      frameInputs(network, source, rows, stride, classes, frame),
    );
    this.labels = new Float32Array(rows * classes);
    for (let r = 0; r < rows; r++) this.labels.set(source.subarray(r * stride, r * stride + classes), r * classes);
    rescale(this.labels, rows);
    this.sources = network.layers.map(({ inputs }) => new Float32Array(rows * inputs));
    let below = this.frames[0]!;
    this.states = this.layers.map((layer, l) => {
      layer.forward(this.join(l, below, undefined), rows, 0, random);
      const state = layer.activities.slice();
      below = state.slice();
      rescale(below, rows);
      return state;
    });
  }

  iterate(iteration: number): void {
    const { rows, states, layers, labels } = this;
    const { damping } = this.network.recurrent;
    const inputs = states.map((state) => {
      const x = state.slice();
      rescale(x, rows);
      return x;
    });
    const frame = this.frames[frameAt(this.network.recurrent, iteration)]!;
    layers.forEach((layer, l) => {
      const source = this.join(l, inputs[l - 1] ?? frame, inputs[l + 1] ?? labels);
      layer.forward(source, rows, 0, this.random!, { before: states[l]!, share: damping });
    });
    // Learning spends activities.
    layers.forEach((layer, l) => {
      states[l]!.set(layer.activities);
    });
  }

  get activities(): readonly Float32Array[] {
    return this.states;
  }

  /** What a layer sees of its neighbours, of which some is dropped, but no label: (rows, below + above). */
  private join(l: number, below: Float32Array, above: Float32Array | undefined): Float32Array {
    const { rows, layers, labels } = this;
    const source = this.sources[l]!;
    const [stride, low] = [source.length / rows, below.length / rows];
    const chance = this.drops ? dropoutOf(this.config, layers[l]!, l) : 0;
    for (let r = 0; r < rows; r++) {
      const at = r * stride;
      source.set(below.subarray(r * low, (r + 1) * low), at);
      if (above !== undefined) source.set(above.subarray(r * (stride - low), (r + 1) * (stride - low)), at + low);
      if (chance > 0) dropInputs(source, at, above === labels ? at + low : at + stride, chance, this.random!);
    }
    return source;
  }
}
