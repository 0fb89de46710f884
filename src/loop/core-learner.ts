import type { Dataset } from '../data/dataset.js';
import { pool as poolImages } from '../data/pool.js';
import type { Evaluation } from '../device/evaluation.js';
import { evaluateCore } from '../device/stream.js';
import { WasmCore } from '../device/wasm/core.js';
import { decodeClassStatistics } from '../format/class-statistics.js';
import { decodeImage, encodeImage, sealImage } from '../format/image.js';
import { REGION } from '../format/message.js';
import type { Model } from '../format/model.js';
import { encodePatch } from '../format/patch.js';
import { type AnswerOptions, answer } from '../sync/answer.js';
import { gatherStatistics } from '../sync/statistics.js';
import { fromWire } from '../sync/wire-statistics.js';
import type { LearningDevice, Synced } from './learning-device.js';

const TICKET = 1;
const STATISTICS_LEVEL = 2;
const MOST_STATISTICS = 1 << 24;

/** A device in this process, reached by direct calls of the core: no line, no flash. For benches and for the control. */
export class CoreLearner implements LearningDevice {
  readonly core: WasmCore;
  private readonly sync: AnswerOptions;

  private constructor(core: WasmCore, sync: AnswerOptions) {
    this.core = core;
    this.sync = sync;
  }

  static async create(model: Model, sync: AnswerOptions): Promise<CoreLearner> {
    const core = await WasmCore.withModel(encodeImage(model));
    core.statistics(STATISTICS_LEVEL);
    return new CoreLearner(core, sync);
  }

  /** A device that learns nothing and only keeps statistics of what it sees: what a sync alone is worth. */
  static control(model: Model, sync: AnswerOptions): Promise<CoreLearner> {
    const layers = model.state.layers.map((layer) => ({ ...layer, rate: 0 }));
    return CoreLearner.create({ ...model, state: { ...model.state, layers, thresholdShift: 0 } }, sync);
  }

  async evaluate(data: Dataset): Promise<Evaluation> {
    return evaluateCore(this.core, data);
  }

  async learn(data: Dataset): Promise<void> {
    this.core.learnMany(data.inputs, data.labels);
  }

  async synchronize(): Promise<Synced> {
    const model = decodeImage(await this.image());
    const wire = decodeClassStatistics(this.core.read(REGION.statistics, 0, MOST_STATISTICS));
    const host = gatherStatistics(poolImages(this.sync.host, this.sync.pool ?? 1));
    const made = await answer({ model, statistics: fromWire(wire, host), ticket: TICKET }, this.sync);
    this.core.applyPatch(encodePatch(made.patch), TICKET);
    return { steps: made.report.plan.steps, bytesUp: 0, bytesDown: 0, report: made.report };
  }

  async image(): Promise<Uint8Array> {
    const image = this.core.image();
    sealImage(image);
    return image;
  }
}
