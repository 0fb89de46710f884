import { encodeImage } from '../format/image.js';
import { FLAG, type Outcome } from '../format/message.js';
import type { LayerState, Model, ModelState } from '../format/model.js';
import { applyPatch, type Patch } from '../format/patch.js';
import { STATUS, statusError } from '../format/status.js';
import { ClassCounter } from './class-counter.js';
import { scorePart } from './forward.js';
import { learnLayer } from './learning.js';
import { Pass } from './pass.js';
import { layerRandom, Xorshift } from './xorshift.js';

/** What the reference says about one sample: the device's answer, and what led to it. */
export interface Result extends Outcome {
  /** (classes) */
  readonly scores: Uint32Array;
  /** Per layer, goodness of each class: (classes). Objective `label`: that of the layer in the pass with this label. */
  readonly goodness: readonly Uint32Array[];
  /** A stage with layers above: what those get (SPEC.md 9.6). */
  readonly onward?: Uint8Array;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type LearnedState = Mutable<Omit<ModelState, 'layers'>> & { layers: readonly Mutable<LayerState>[] };

/**
 * The integer arithmetic of SPEC.md, sections 3 to 7, written from that page alone: what the C core is checked against.
 * It keeps a copy of the model, so that learning doesn't change the one given.
 */
export class Reference {
  private model: Model;
  private state: LearnedState;
  private random: Xorshift;
  private counter: ClassCounter | undefined;
  private ticket = 0;
  private readonly pass: Pass;

  constructor(model: Model) {
    this.pass = new Pass(model);
    [this.model, this.state] = copy(model);
    this.random = new Xorshift(model.state.random);
  }

  /**
   * @param raw the sensor's bytes (rawInputs)
   * @param label the known class, if any
   * @throws GoodnessError `device.length`, `device.label`
   */
  infer(raw: Uint8Array, label?: number): Result {
    this.checkSample(raw, label);
    const scores = this.scoresBelow(raw);
    const goodness = this.model.layers.map(() => new Uint32Array(this.model.classes));
    // With the label in the input each pass has one goodness, that of its label; else one pass has those of all classes.
    const passes = this.model.objective === 'label' ? this.model.classes : 1;
    for (let first = 0; first < passes; first++) {
      this.pass.run(this.model, raw, first);
      this.pass.layers.forEach((layer, l) => {
        goodness[l]!.set(layer.goodness, first);
      });
    }
    goodness.forEach((values, l) => {
      this.addScores(l, values, scores);
    });
    return { ...this.judge(scores, label), scores, goodness, ...this.onward(scores) };
  }

  /**
   * Activities of one layer (outputs); objective `label` passes label 0.
   * @throws GoodnessError `device.length`, `device.range`
   */
  trace(raw: Uint8Array, layer: number): Uint16Array {
    this.checkSample(raw, undefined);
    if (!Number.isInteger(layer) || layer < 0 || layer >= this.model.layers.length) {
      throw statusError(STATUS.RANGE, this.model.layers.length, layer);
    }
    this.pass.run(this.model, raw, 0);
    return this.pass.layers[layer]!.activities.slice();
  }

  /**
   * Learns one sample in all layers that learn.
   * @returns what inference said before
   * @throws GoodnessError `device.length`, `device.label`, `device.no_learn`
   */
  learn(raw: Uint8Array, label: number): Result {
    const { counts = false, layers } = this.model;
    if (!counts && !layers.some((layer) => layer.learns)) throw statusError(STATUS.NO_LEARN, 0, 0);
    this.checkSample(raw, label);
    const { state } = this;
    let learned = false;
    const r = this.random.next();
    const scores = this.scoresBelow(raw);
    this.pass.run(this.model, raw, label, (l) => {
      const layer = this.model.layers[l]!;
      this.addScores(l, this.pass.layers[l]!.goodness, scores);
      if (!layer.learns) return;
      const updated = learnLayer(
        layer,
        state.layers[l]!,
        state,
        state.means[l]!,
        this.pass.layers[l]!,
        layerRandom(r, this.model.layersBelow + l),
        label,
      );
      this.countError(l, best(scores) !== label);
      if (!updated) return;
      learned = true;
      state.updates = Math.min(0xffffffff, state.updates + 1);
    });
    const goodness = this.pass.layers.map((layer) => layer.goodness.slice());
    const outcome = this.judge(scores, label);
    this.count(outcome, scores, label);
    this.counter?.add(raw, label);
    const flags = outcome.flags | (learned ? FLAG.learned : 0);
    return { ...outcome, flags, scores, goodness, ...this.onward(scores) };
  }

  /**
   * Switches class statistics on, empty, or off.
   * @returns bytes that they take
   */
  statistics(level: 0 | 1 | 2): number {
    // What the layers below hand on is no sensor's.
    if (level > 0 && this.model.layersBelow > 0) throw statusError(STATUS.ARGUMENT, 0, level);
    this.counter = level === 0 ? undefined : new ClassCounter(level, this.model.classes, this.model.rawInputs);
    return this.counter?.length ?? 0;
  }

  /** The bytes of region 1, none while statistics are off. */
  statisticsBytes(): Uint8Array {
    return this.counter?.bytes() ?? new Uint8Array(0);
  }

  /** Sets the random state. @throws GoodnessError `device.argument` for 0 */
  seed(seed: number): void {
    if (seed >>> 0 === 0 || seed >>> 0 !== seed) throw statusError(STATUS.ARGUMENT, 0, seed);
    this.random.state = seed;
  }

  /** Remembers a ticket, as a pull does. */
  remember(ticket: number): void {
    if (ticket >>> 0 === 0 || ticket >>> 0 !== ticket) throw statusError(STATUS.ARGUMENT, 0, ticket);
    this.ticket = ticket;
  }

  /**
   * Applies a patch, whole or not at all. The ticket is forgotten, as COMMIT does.
   * @param ticket the one remembered, by default that of `remember`
   * @throws GoodnessError as `applyPatch` of the format
   */
  applyPatch(patch: Patch, ticket = this.ticket): void {
    const after = applyPatch(this.toModel(), patch, ticket);
    [this.model, this.state] = copy(after);
    this.random.state = after.state.random;
    this.ticket = 0;
  }

  /** The model as it stands now. */
  toModel(): Model {
    return copy({ ...this.model, state: { ...this.state, random: this.random.state } })[0];
  }

  /** The image as it stands now, with a CRC that fits. */
  image(): Uint8Array {
    return encodeImage(this.toModel());
  }

  /** Scores of the layers below, which a stage's sample begins with; zeros for the lowest layers. */
  private scoresBelow(raw: Uint8Array): Uint32Array {
    const scores = new Uint32Array(this.model.classes);
    if (this.model.layersBelow === 0) return scores;
    const view = new DataView(raw.buffer, raw.byteOffset);
    return scores.map((_, c) => view.getUint32(4 * c, true));
  }

  /** What the layers above get of the sample passed last, where they are on another board. */
  private onward(scores: Uint32Array): { readonly onward?: Uint8Array } {
    const { above, classes, layers } = this.model;
    if (above === undefined) return {};
    const onward = new Uint8Array(4 * classes + layers.at(-1)!.outputs);
    const view = new DataView(onward.buffer);
    for (const [c, score] of scores.entries()) view.setUint32(4 * c, score, true);
    this.pass.onward(above, onward.subarray(4 * classes));
    return { onward };
  }

  private addScores(layer: number, goodness: Uint32Array, scores: Uint32Array): void {
    const factor = this.state.layers[layer]!.scoreFactor;
    for (let c = 0; c < scores.length; c++) scores[c] = scores[c]! + scorePart(goodness[c]!, factor);
  }

  /** Step 7 of learning: a layer's own evidence. */
  private countError(layer: number, wrong: boolean): void {
    const state = this.state.layers[layer]!;
    state.recentErrors += wrong ? (65535 - state.recentErrors) >> 6 : -(state.recentErrors >> 6);
  }

  private judge(scores: Uint32Array, label: number | undefined): Outcome {
    const { thresholds, noveltyThreshold } = this.state;
    const cls = best(scores);
    // What thresholds are for is known when the last layer is passed.
    const whole = this.model.above === undefined;
    let flags = whole && scores[cls]! < noveltyThreshold ? FLAG.novel : 0;
    if (label !== undefined && !whole) flags |= cls === label ? FLAG.correct : 0;
    if (label !== undefined && whole) {
      if (cls === label) flags |= FLAG.correct;
      if (scores[label]! < thresholds[label]!) flags |= FLAG.falseReject;
      if (scores.some((score, c) => c !== label && score >= thresholds[c]!)) flags |= FLAG.falseAccept;
    }
    return { class: cls, flags, score: scores[cls]!, labelScore: label === undefined ? 0 : scores[label]! };
  }

  /** Steps 8 and 9 of learning. */
  private count(outcome: Outcome, scores: Uint32Array, label: number): void {
    const { state } = this;
    const { thresholds, counts, thresholdShift } = state;
    state.samples = Math.min(0xffffffff, state.samples + 1);
    const whole = this.model.above === undefined;
    if (whole && (outcome.flags & FLAG.correct) === 0) state.errors = Math.min(0xffffffff, state.errors + 1);
    if ((outcome.flags & FLAG.falseReject) !== 0) state.falseRejects = Math.min(0xffffffff, state.falseRejects + 1);
    if ((outcome.flags & FLAG.falseAccept) !== 0) state.falseAccepts = Math.min(0xffffffff, state.falseAccepts + 1);
    if (whole && thresholdShift > 0) {
      for (let c = 0; c < scores.length; c++) {
        const threshold = thresholds[c]!;
        const part = threshold >>> thresholdShift;
        const accepted = scores[c]! >= threshold;
        if (c !== label && accepted) thresholds[c] = Math.min(0xffffffff, threshold + part);
        else if (c === label && !accepted) thresholds[c] = threshold - part;
      }
    }
    counts[label] = Math.min(0xffffffff, counts[label]! + 1);
    state.t = Math.min(0xffffffff, state.t + 1);
  }

  private checkSample(raw: Uint8Array, label: number | undefined): void {
    const { rawInputs, classes } = this.model;
    if (raw.length !== rawInputs) throw statusError(STATUS.LENGTH, rawInputs, raw.length);
    if (label !== undefined && !(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw statusError(STATUS.LABEL, classes, label);
    }
  }
}

/** The lowest class with the largest score. */
function best(scores: Uint32Array): number {
  let found = 0;
  for (let c = 1; c < scores.length; c++) if (scores[c]! > scores[found]!) found = c;
  return found;
}

/** A deep copy, and its state again as what learning may change. */
function copy(model: Model): [Model, LearnedState] {
  const layers = model.layers.map((layer) => ({ ...layer, weights: layer.weights.slice() }));
  const state: LearnedState = {
    ...model.state,
    layers: model.state.layers.map((layer) => ({ ...layer })),
    thresholds: model.state.thresholds.slice(),
    counts: model.state.counts.slice(),
    means: model.state.means.map((means) => means.slice()),
  };
  return [{ ...model, layers, state }, state];
}
