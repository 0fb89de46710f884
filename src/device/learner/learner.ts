import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { GoodnessError } from '../../base/errors.js';
import { BYTE_SCALING, type Scaling } from '../../data/dataset.js';
import { encodeValues } from '../../data/scaling.js';
import { decodeImage } from '../../format/image.js';
import { FLAG, type Outcome } from '../../format/message.js';
import { metaOf } from '../../format/meta.js';
import type { Model } from '../../format/model.js';
import { flashFile } from '../flash-file.js';
import { type FeaturePlan, featuresOf, planOf } from '../sensor/features.js';
import { Windower } from '../sensor/window.js';
import { type Engine, inProcessEngine, portEngine } from './engine.js';
import { type Sensing, sense } from './sensing.js';

export interface LearnerOptions {
  /** The model: path of an `.ffm`, or its bytes. May be missing where `store` or `port` holds one. */
  readonly model?: string | Uint8Array;
  /** A johnny-five sensor, several of them, or a stream of vectors; without it, samples come by `feed`. */
  readonly sensor?: Sensing;
  /** A johnny-five board to wait for before the sensor is listened to. */
  readonly board?: EventEmitter;
  /** Class that samples are learned as from the start; see `Learner.label`. */
  readonly label?: string;
  /** Samples from one window to the next; windows don't overlap if it is left out. */
  readonly hop?: number;
  /** File that keeps the model with what was learned: it is replaced whole, and found again at the next start. */
  readonly store?: string;
  /** Takes `model` even if the store holds another one, which is then gone. */
  readonly replace?: boolean;
  /** Saves after so many learned samples; 0: only when `save` is called. 500 if left out. */
  readonly saveEvery?: number;
  /** Runs on the device on this port (`tcp://host:port` of a native board, a serial port) instead of in this process. */
  readonly port?: string;
}

/** What a learner says of one window of samples. */
export interface Judgement {
  /** Name of the class with the highest score. */
  readonly class: string;
  readonly outcome: Outcome;
  /** It is like nothing that the model knows: no score reaches the novelty threshold; or, if the model has a class of made-up samples (`train --other`), that one fits best. */
  readonly novel: boolean;
  /** Score of each class by name; missing where the device does not tell. */
  readonly scores?: Readonly<Record<string, number>>;
}

interface Events {
  /** The model is there, and the sensor is listened to. */
  ready: [];
  /** Every window: how well it fits each class. */
  goodness: [Judgement];
  /** Every window: the class's name. */
  class: [string, Judgement];
  /** Windows that fit no class. */
  novelty: [Judgement];
  /** A window was learned; `changed` is false where nothing was left to learn. */
  learned: [{ readonly label: string; readonly changed: boolean; readonly count: number }];
  saved: [];
  error: [Error];
}

const SAVE_EVERY = 500;
/** Means and mean squares: what a sync can use. */
const STATISTICS_LEVEL = 2;

/**
 * A johnny-five component that classifies what a sensor senses and learns it, live, by positive passes: in this process (the firmware core, in
 * WebAssembly), or on a device on a port. While `label` is set, windows are learned as that class; otherwise they are only judged.
 *
 * It serves the same protocol as a board (`serve`), so a host can sync it while it goes on learning. Failures after the start come as
 * the event `error`; `ready` rejects with those before.
 */
export class Learner extends EventEmitter<Events> {
  /** Class that windows are learned as, or undefined: they are judged only. */
  label: string | undefined;
  /** Resolves when the learner has its model and listens to its sensor. */
  readonly ready: Promise<void>;
  private readonly options: LearnerOptions;
  private engine: Engine | undefined;
  private known:
    | { model: Model; names: readonly string[]; others?: string; scaling: Scaling; stamp: number }
    | undefined;
  private cutting: { readonly windower: Windower; readonly plan: FeaturePlan } | undefined;
  private stopSensing: () => void = () => {};
  private work: Promise<unknown> = Promise.resolve();
  private learned = 0;
  private closed = false;

  constructor(options: LearnerOptions) {
    super();
    this.options = options;
    this.label = options.label;
    this.ready = this.start();
    // Who listens to `error` only must not be ended by the promise as well.
    this.ready.then(
      () => this.emit('ready'),
      (error: Error) => {
        if (this.listenerCount('error') > 0) this.emit('error', error);
      },
    );
  }

  /** Names of the classes; empty before `ready`. */
  get classes(): readonly string[] {
    return this.known?.names ?? [];
  }

  /**
   * Takes one sample (a value per channel), as from a sensor.
   * @returns what the learner says, if this sample completed a window
   */
  async feed(sample: ArrayLike<number>): Promise<Judgement | undefined> {
    await this.ready;
    return this.inTurn(() => this.take(sample));
  }

  /** Writes the model with what was learned to the store; it survives a power cut from then on. */
  async save(): Promise<void> {
    await this.ready;
    await this.inTurn(() => this.engine!.save());
    this.emit('saved');
  }

  /**
   * Serves this device over TCP, so that `goodness sync`, `monitor` and the others reach it while it goes on learning.
   * @param host 127.0.0.1 keeps it on this machine; `0.0.0.0` lets the network in, which has no password
   * @throws GoodnessError `learner.serve` for a device on a port, `port.*`
   */
  async serve(port: number, host = '127.0.0.1'): Promise<{ readonly address: string; close(): Promise<void> }> {
    await this.ready;
    if (this.engine!.serve === undefined) {
      throw new GoodnessError('learner.serve', 'only a learner in this process can be served', {
        fix: 'A native board serves TCP by itself (`goodness-device --tcp`).',
      });
    }
    return this.engine!.serve(port, host);
  }

  /** Stops listening, saves to the store if there is one and something was learned, and frees everything. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.stopSensing();
    await this.ready.catch(() => {});
    await this.work.catch(() => {});
    if (this.options.store !== undefined && this.learned > 0) await this.engine?.save();
    await this.engine?.close();
  }

  private async start(): Promise<void> {
    const { port, store, sensor, board } = this.options;
    if (port !== undefined && store !== undefined) {
      throw new GoodnessError('learner.options', 'a device on a port keeps its own store', {
        fix: 'Leave `store` out.',
      });
    }
    this.engine =
      port === undefined
        ? await inProcessEngine(store === undefined ? undefined : flashFile(store))
        : await portEngine(port);
    try {
      await this.takeModel();
      await this.engine.statistics(STATISTICS_LEVEL);
    } catch (error) {
      await this.engine.close();
      throw error;
    }
    if (sensor === undefined) return;
    if (board !== undefined && (board as { isReady?: boolean }).isReady !== true) await once(board, 'ready');
    const { samples, stop } = sense(sensor);
    this.stopSensing = stop;
    this.listen(samples).catch((error: Error) => this.emit('error', error));
  }

  private async listen(samples: AsyncIterable<ArrayLike<number>>): Promise<void> {
    for await (const sample of samples) {
      if (this.closed) return;
      await this.inTurn(() => this.take(sample));
    }
  }

  /** One thing after the other: samples and saves must not mix. */
  private inTurn<T>(action: () => Promise<T>): Promise<T> {
    const done = this.work.then(action, action);
    this.work = done.catch(() => {});
    return done;
  }

  private async takeModel(): Promise<void> {
    const { model: given, replace = false } = this.options;
    const wanted = typeof given === 'string' ? new Uint8Array(await readFile(given)) : given;
    const held = await this.engine!.model();
    if (wanted === undefined) {
      if (held === undefined) {
        throw new GoodnessError('learner.model', 'the learner has no model', { fix: 'Give one as `model`.' });
      }
    } else {
      const model = decodeImage(wanted);
      if (held === undefined || replace) await this.engine!.load(wanted);
      else if (shape(held) !== shape(model)) {
        throw new GoodnessError('learner.model', 'the store holds another model', {
          expected: shape(model),
          got: shape(held),
          fix: 'Name another store, or give `replace: true`: what the old one learned is gone then.',
        });
      }
    }
    await this.know();
  }

  private async know(): Promise<void> {
    const model = (await this.engine!.model())!;
    const { classes: names, scaling, others } = metaOf(model);
    const numbers = scaling === undefined ? BYTE_SCALING : scaling;
    if (this.known?.model.metaText !== model.metaText) this.cutting = undefined;
    this.known = {
      model,
      names,
      ...(others === undefined ? {} : { others }),
      scaling: { offset: Float32Array.from(numbers.offset), step: Float32Array.from(numbers.step) },
      stamp: this.engine!.stamp,
    };
  }

  private async take(sample: ArrayLike<number>): Promise<Judgement | undefined> {
    if (this.engine!.stamp !== this.known!.stamp) await this.know();
    const { model, names, scaling } = this.known!;
    const { rawInputs } = model;
    if (this.cutting === undefined) {
      const plan = planOf(metaOf(model).features, rawInputs, sample.length);
      const { hop } = this.options;
      const size = { channels: sample.length, length: plan.length };
      this.cutting = { plan, windower: new Windower(hop === undefined ? size : { ...size, hop }) };
    }
    const { plan, windower } = this.cutting;
    const window = windower.push(sample);
    if (window === undefined) return undefined;
    const x = encodeValues(featuresOf(plan, window), rawInputs, scaling);
    const { label } = this;
    const outcome = label === undefined ? await this.engine!.infer(x) : await this.learn(x, label, names);
    const judgement = this.judge(outcome);
    this.emit('goodness', judgement);
    this.emit('class', judgement.class, judgement);
    if (judgement.novel) this.emit('novelty', judgement);
    return judgement;
  }

  private async learn(x: Uint8Array, label: string, names: readonly string[]): Promise<Outcome> {
    const index = names.indexOf(label);
    if (index < 0) {
      throw new GoodnessError('learner.label', 'the model has no such class', {
        expected: names.join(', '),
        got: label,
      });
    }
    const outcome = await this.engine!.learn(x, index);
    this.learned++;
    this.emit('learned', { label, changed: (outcome.flags & FLAG.learned) !== 0, count: this.learned });
    const { saveEvery = SAVE_EVERY, store } = this.options;
    if (store !== undefined && saveEvery > 0 && this.learned % saveEvery === 0) {
      await this.engine!.save();
      this.emit('saved');
    }
    return outcome;
  }

  private judge(outcome: Outcome): Judgement {
    const { names, others } = this.known!;
    const scores = this.engine!.scores();
    return {
      class: names[outcome.class] ?? String(outcome.class),
      outcome,
      novel: others === undefined ? (outcome.flags & FLAG.novel) !== 0 : names[outcome.class] === others,
      ...(scores === undefined ? {} : { scores: Object.fromEntries(names.map((name, c) => [name, scores[c]!])) }),
    };
  }
}

/** What must be equal for a stored model to stand for a given one: what it senses, what it says, and its layers. */
function shape(model: Model): string {
  const layers = [model.layers[0]!.inputs, ...model.layers.map((layer) => layer.outputs)].join('-');
  return `${model.rawInputs} inputs, ${layers}, classes ${metaOf(model).classes.join(', ')}`;
}
