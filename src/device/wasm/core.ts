import { GoodnessError } from '../../base/errors.js';
import { NO_LABEL, type Outcome, REGION } from '../../format/message.js';
import { STATUS, statusError } from '../../format/status.js';
import type { CoreExports } from './exports.js';
import { CoreMemory, Scratch } from './memory.js';
import { coreModule } from './module.js';
import { newOutcomes, OUTCOME_BYTES, type Outcomes, outcomeAt, setOutcome } from './outcomes.js';
import { type ModelShape, SHAPE_BYTES, shapeOf } from './shape.js';

/** Links that a core serves at once. */
export const LINKS = 4;

/** The board that a core pretends to be; what is left out is that of a middling 32-bit board with room to spare. */
export interface CoreOptions {
  /** Bytes of one of the two flash slots, its header included; whole pages. 1 MiB if left out. */
  readonly slotBytes?: number;
  /** Bytes of a flash page: what is erased at once. 4096 if left out. */
  readonly pageBytes?: number;
  /** RAM for weights, inference, learning and class statistics. 1 MiB if left out. */
  readonly arenaBytes?: number;
  /** Most payload bytes of a request, 64 to 65,535: bounds the raw inputs of a sample. 8192 if left out. */
  readonly maxPayload?: number;
  /** The same of an answer; as of a request if left out. */
  readonly maxAnswer?: number;
  /** Frames of any length that may be under way. 16 if left out: what the board can't take yet waits in this process. */
  readonly window?: number;
  /** Bytes of further frames that may be (SPEC.md 9.1). 0 if left out. */
  readonly ahead?: number;
  /** What the flash holds at first: 2 * slotBytes bytes. Erased if left out. */
  readonly flash?: Uint8Array;
  /** Another build of the core than the one that the package carries. */
  readonly module?: WebAssembly.Module;
}

/** RAM in bytes that the loaded model takes, by what it is for. */
export interface RamSplit {
  readonly weights: number;
  readonly inference: number;
  readonly learning: number;
  readonly statistics: number;
}

const BATCH = 512;

/**
 * The firmware core, compiled to WebAssembly, in this process: the same C as on a board. It serves two purposes: behind
 * `SimulatedBoard` its links carry the wire protocol, and without any link it infers and learns by direct calls.
 *
 * Calls are synchronous. Failures of the core come as GoodnessError with the codes of SPEC.md 9.5, as from a device.
 */
export class WasmCore {
  /** The board's measures, with defaults filled in. */
  readonly board: Required<Omit<CoreOptions, 'flash' | 'module'>>;
  private readonly core: CoreExports;
  private readonly memory: CoreMemory;
  private readonly flashAt: number;
  private readonly faultAt: number;
  private readonly sample: Scratch;
  private readonly labels: Scratch;
  private readonly result: Scratch;
  private readonly object: Scratch;
  private readonly wire: Scratch;
  private loaded: ModelShape | undefined;
  // Requests that came over a link may have brought another model.
  private stale = false;

  private constructor(core: CoreExports, options: CoreOptions) {
    const { slotBytes = 1 << 20, pageBytes = 4096, arenaBytes = 1 << 20, maxPayload = 8192, flash } = options;
    const { maxAnswer = maxPayload, window = 16, ahead = 0 } = options;
    if (slotBytes % pageBytes !== 0) {
      throw new GoodnessError('core.slot', 'a flash slot must be a whole number of pages', {
        expected: `a multiple of ${pageBytes} bytes`,
        got: `${slotBytes}`,
      });
    }
    if (flash !== undefined && flash.length !== 2 * slotBytes) {
      throw new GoodnessError('store.size', 'the saved flash is that of another board', {
        expected: `${2 * slotBytes} bytes`,
        got: `${flash.length}`,
        fix: 'Name another file, or give the board the size that the file was made with.',
      });
    }
    this.board = { slotBytes, pageBytes, arenaBytes, maxPayload, maxAnswer, window, ahead };
    this.core = core;
    this.memory = new CoreMemory(core.memory, core.heap_base());
    this.sample = new Scratch(this.memory);
    this.labels = new Scratch(this.memory);
    this.result = new Scratch(this.memory);
    this.object = new Scratch(this.memory);
    this.wire = new Scratch(this.memory);
    this.faultAt = this.memory.allocate(8);
    this.flashAt = this.memory.allocate(2 * slotBytes);
    const arena = this.memory.allocate(arenaBytes);
    const linkBytes = core.port_link_bytes(maxPayload, maxAnswer);
    const links = this.memory.allocate(LINKS * linkBytes);
    if (flash === undefined) this.flash.fill(0xff);
    else this.flash.set(flash);
    this.check(
      core.port_init(
        this.flashAt,
        slotBytes,
        pageBytes,
        arena,
        arenaBytes,
        links,
        linkBytes,
        maxPayload,
        maxAnswer,
        window,
        ahead,
      ),
    );
  }

  /** A core of a board as `options` say, before power-on: call `boot` to start from its flash, or `load` a model. */
  static async create(options: CoreOptions = {}): Promise<WasmCore> {
    const { exports } = await WebAssembly.instantiate(options.module ?? (await coreModule()), {});
    return new WasmCore(exports as unknown as CoreExports, options);
  }

  /** A core with as much RAM as `image` can need, and the image loaded. */
  static async withModel(image: Uint8Array, module?: WebAssembly.Module): Promise<WasmCore> {
    // Weights and state at most once more than in the image, buffers of 65,535 bytes and 4,096 words, scores, class statistics.
    const arenaBytes = 2 * image.length + (1 << 20) + shapeRoom(image);
    const core = await WasmCore.create({ arenaBytes, slotBytes: 4096, ...(module && { module }) });
    core.load(image);
    return core;
  }

  /**
   * Starts as after power-on, from what the flash holds.
   * @returns 0 or the status code of SPEC.md 9.5 that says why there is no model
   */
  boot(): number {
    const status = this.core.port_boot();
    this.stale = true;
    return status < 0 ? -status : status;
  }

  /** Loads a model image without writing it to the flash. */
  load(image: Uint8Array): void {
    this.stale = true;
    this.check(this.core.port_model(this.object.put(image), image.length));
  }

  /** Shape of the loaded model; throws `device.no_model` if there is none. */
  get shape(): ModelShape {
    if (this.stale) this.refreshShape();
    if (this.loaded === undefined) throw statusError(STATUS.NO_MODEL, 0, 0);
    return this.loaded;
  }

  /** Classifies a sample of `rawInputs` bytes. */
  infer(x: Uint8Array, label: number = NO_LABEL): Outcome {
    const result = this.result.reserve(OUTCOME_BYTES);
    this.check(this.core.port_infer(this.putSamples(x, 1), label, result));
    return outcomeAt(new DataView(this.core.memory.buffer), result);
  }

  /** Classifies a sample, then learns it as one of class `label`. */
  learn(x: Uint8Array, label: number): Outcome {
    const result = this.result.reserve(OUTCOME_BYTES);
    this.check(this.core.port_learn(this.putSamples(x, 1), label, result));
    return outcomeAt(new DataView(this.core.memory.buffer), result);
  }

  /**
   * Classifies samples (count, rawInputs).
   * @param labels (count), or nothing
   */
  inferMany(xs: Uint8Array, labels?: Uint8Array): Outcomes {
    return this.many(xs, labels, (x, l, n, out) => this.core.port_infer_many(x, l, n, out));
  }

  /** Learns samples (count, rawInputs) of classes `labels` (count), one after the other. */
  learnMany(xs: Uint8Array, labels: Uint8Array): Outcomes {
    return this.many(xs, labels, (x, l, n, out) => this.core.port_learn_many(x, l, n, out));
  }

  /** Activities of layer `layer` for a sample: (neurons of that layer). */
  trace(x: Uint8Array, layer: number): Uint16Array {
    const neurons = this.shape.neurons[layer];
    if (neurons === undefined) throw statusError(STATUS.RANGE, this.shape.neurons.length, layer);
    const at = this.result.reserve(2 * neurons);
    this.check(this.core.port_trace(this.putSamples(x, 1), layer, at));
    return new Uint16Array(this.core.memory.buffer.slice(at, at + 2 * neurons));
  }

  /** Scores of all classes, as the last `infer` or `learn` left them. */
  scores(): Uint32Array {
    const at = this.core.port_scores();
    return new Uint32Array(this.core.memory.buffer.slice(at, at + 4 * this.shape.classes));
  }

  /** What the layers above, on another board, get of the sample passed last; empty if there are none. */
  onward(): Uint8Array {
    const { neurons, classes } = this.shape;
    const at = this.result.reserve(4 * classes + neurons.at(-1)!);
    return this.memory.slice(at, this.core.port_onward(at)).slice();
  }

  /** Sets the random state of learning; not 0. */
  seed(state: number): void {
    this.check(this.core.port_seed(state));
  }

  /** Switches class statistics: 0 off, 1 means, 2 means and squares. They start empty. */
  statistics(level: number): void {
    this.check(this.core.port_statistics(level));
  }

  /** Bytes of a region (see REGION), cut at its end. */
  read(region: number, offset: number, count: number): Uint8Array {
    const at = this.result.reserve(count);
    const n = this.check(this.core.port_region(region, offset, count, at));
    return this.memory.slice(at, n).slice();
  }

  /** The image as it stands now, learned weights and state included; its CRC field is that of the image that was loaded. */
  image(): Uint8Array {
    return this.read(REGION.image, 0, this.shape.imageBytes);
  }

  /** Applies a patch (SPEC.md 7), whole or not at all. */
  applyPatch(patch: Uint8Array, ticket: number): void {
    this.check(this.core.port_patch(this.sample.put(patch), patch.length, ticket));
  }

  /** RAM that the loaded model takes. */
  ram(): RamSplit {
    const at = this.result.reserve(16);
    this.check(this.core.port_ram(at));
    const [weights, inference, learning, statistics] = new Uint32Array(this.core.memory.buffer, at, 4);
    return { weights: weights!, inference: inference!, learning: learning!, statistics: statistics! };
  }

  /** Bytes of the arena in use. */
  get arenaUsed(): number {
    return this.core.port_arena_used();
  }

  /** The flash: both slots, as a view that is valid until the next call. */
  get flash(): Uint8Array {
    return this.memory.slice(this.flashAt, 2 * this.board.slotBytes);
  }

  /** Pages erased and pieces written since power-on: the flash is unchanged as long as this number is. */
  get flashWrites(): number {
    return this.core.port_flash_writes();
  }

  /**
   * Gives a link bytes from its line.
   * @returns how many it took: it stops behind a whole request until `step` has worked that off
   */
  feed(link: number, bytes: Uint8Array): number {
    return this.core.port_feed(link, this.wire.put(bytes), bytes.length);
  }

  /** Does a bounded piece of work; false when there is nothing to do. */
  step(): boolean {
    this.stale = true;
    return this.core.port_step() !== 0;
  }

  /** Bytes that a link has to send, at most `most`; none if it is empty. */
  take(link: number, most = 4096): Uint8Array {
    const at = this.wire.reserve(most);
    return this.memory.slice(at, this.core.port_take(link, at, most)).slice();
  }

  private putSamples(xs: Uint8Array, count: number): number {
    const expected = this.shape.rawInputs * count;
    if (xs.length !== expected) throw statusError(STATUS.LENGTH, expected, xs.length);
    return this.sample.put(xs);
  }

  private many(
    xs: Uint8Array,
    labels: Uint8Array | undefined,
    call: (xs: number, labels: number, count: number, results: number) => number,
  ): Outcomes {
    const width = this.shape.rawInputs;
    const count = labels?.length ?? Math.floor(xs.length / width);
    if (xs.length !== count * width) throw statusError(STATUS.LENGTH, count * width, xs.length);
    const outcomes = newOutcomes(count);
    for (let from = 0; from < count; from += BATCH) {
      const n = Math.min(BATCH, count - from);
      const x = this.putSamples(xs.subarray(from * width, (from + n) * width), n);
      const l = labels === undefined ? 0 : this.labels.put(labels.subarray(from, from + n));
      const results = this.result.reserve(OUTCOME_BYTES * n);
      this.check(call(x, l, n, results));
      const view = new DataView(this.core.memory.buffer);
      for (let k = 0; k < n; k++) setOutcome(outcomes, from + k, outcomeAt(view, results + OUTCOME_BYTES * k));
    }
    return outcomes;
  }

  /** Hands a result >= 0 through; a negative one is a status code, and the core remembers why. */
  private check(result: number): number {
    if (result >= 0) return result;
    this.core.port_fault(this.faultAt);
    const [expected, got] = new Uint32Array(this.core.memory.buffer, this.faultAt, 2);
    throw statusError(-result, expected!, got!);
  }

  private refreshShape(): void {
    const at = this.result.reserve(SHAPE_BYTES);
    const n = this.core.port_region(REGION.image, 0, SHAPE_BYTES, at);
    this.loaded = n > 0 ? shapeOf(this.memory.slice(at, n)) : undefined;
    this.stale = false;
  }
}

/** Room for class statistics at level 2 and for the widest buffers, by the shape that the header claims. */
function shapeRoom(image: Uint8Array): number {
  return image.length < 20 ? 0 : (image[18] ?? 0) * (8 + 4 * ((image[16] ?? 0) | ((image[17] ?? 0) << 8)));
}
