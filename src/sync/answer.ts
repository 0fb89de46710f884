import type { Dataset } from '../data/dataset.js';
import { slice } from '../data/dataset.js';
import { pool as poolImages } from '../data/pool.js';
import type { Model } from '../format/model.js';
import { diffPatch, type Patch } from '../format/patch.js';
import { dequantize, requantize } from '../quantize/dequantize.js';
import { evaluateModel } from '../quantize/evaluation.js';
import { layerErrors } from '../quantize/scores.js';
import type { Backend } from '../train/backend.js';
import { FIRST_SYNC, LATER_SYNC, type NegativePlan, negativePhase } from './negative.js';
import { buildProxy, type ProxyReport } from './proxy.js';
import type { ClassStatistics } from './statistics.js';

/** What the host needs beside the device's word to answer a pull. */
export interface AnswerOptions {
  readonly backend: Backend;
  /** The host's own labelled data at full resolution: what the model was trained on. */
  readonly host: Dataset;
  /** Side of the square of pixels whose mean the model takes as one input; 1 for none. */
  readonly pool?: number;
  readonly seed: number;
  /** Images: whether a part of the view may be covered, so that the proxy is searched among such worlds as well. */
  readonly hides?: boolean;
  /** How long to train; left out: by whether the device was synced before. */
  readonly plan?: NegativePlan;
  readonly onProgress?: (stage: 'proxy' | 'negative', done: number) => void;
  readonly signal?: AbortSignal;
}

/** What a device told: its model as it is now, and the statistics of its inputs, if it sent them. */
export interface DeviceState {
  readonly model: Model;
  readonly statistics: ClassStatistics | undefined;
  readonly ticket: number;
}

export interface Answer {
  /** The model that the device will hold if it learned nothing meanwhile. */
  readonly model: Model;
  readonly patch: Patch;
  /** Weights that end short of their target because a patch or the int8 range can't say more. */
  readonly clipped: number;
  readonly report: AnswerReport;
}

export interface AnswerReport {
  readonly plan: NegativePlan;
  /** Whether the device had been synced before. */
  readonly first: boolean;
  readonly proxy: ProxyReport | undefined;
  /** Error in percent of the device's model, as it came, on the proxy. */
  readonly proxyErrorBefore: number;
  /** Error in percent of the answer on the proxy. */
  readonly proxyError: number;
  /** Whether training made it worse on held-out samples of the proxy, so that the device keeps its weights. */
  readonly kept: boolean;
  /** Recent error in percent that the device counted on its own samples. */
  readonly deviceError: number;
  /** Points by which the device errs more than the proxy says: above `CREDIBLE` the proxy is not what the device sees. */
  readonly doubt: number;
}

/** Part of the host's samples that thresholds are calibrated on and that is not trained on. */
const CALIBRATION = 0.125;
const MOST_CALIBRATION = 5000;
/**
 * Beyond this doubt, in points, the device goes on learning at its full rate. The sync is done all the same: where it made the error worse at first (a covered
 * view: 27 -> 33%), the device ended better for it after learning on (20.3%) than after a cautious one (21.7%).
 */
export const CREDIBLE = 5;

/** How the device goes on after a sync: it is near its goal, so it moves less, and only where it is unsure. */
const SETTLED = { rate: 0.3, margin: 26, tau: 3000 } as const;

/**
 * The negative phase for one device: builds a proxy of its domain from the host's own data and the device's statistics,
 * trains both phases from the device's weights, calibrates thresholds on the integers, and makes the patch. Without
 * statistics the proxy is the host's data as they are: that keeps what the device learned and mends its thresholds, no more.
 */
export async function answer(device: DeviceState, options: AnswerOptions): Promise<Answer> {
  const { backend, host, seed, onProgress, signal } = options;
  const { model, statistics } = device;
  const pool = options.pool ?? 1;
  const first = model.state.samples === model.state.t;
  const plan = options.plan ?? (first ? FIRST_SYNC : LATER_SYNC);
  const here = poolImages(host, pool);
  const proxy =
    statistics === undefined
      ? { data: here, report: undefined }
      : await buildProxy({
          host,
          pool,
          statistics,
          seed,
          hides: options.hides ?? false,
          onProgress: ({ done }) => onProgress?.('proxy', done),
        });

  const held = Math.min(MOST_CALIBRATION, Math.floor(CALIBRATION * proxy.data.count));
  const count = proxy.data.count - held;
  const before = dequantize(model);
  const network = await negativePhase({
    backend,
    network: before,
    scales: model.layers.map((layer) => layer.scale),
    bits: model.layers.map((layer) => layer.weightBits),
    frozen: new Set(model.layers.flatMap((layer, index) => (layer.learns ? [] : [index]))),
    proxy: slice(proxy.data, 0, count),
    host: slice(here, 0, count),
    plan,
    seed,
    onProgress: ({ step, steps }) => onProgress?.('negative', step / steps),
    ...(signal === undefined ? {} : { signal }),
  });

  const calibration = held > 0 ? slice(proxy.data, count, proxy.data.count) : proxy.data;
  const trained = requantize(network, model, { calibration }).model;
  // The device counts errors layer by layer; the highest one that learns has seen the most evidence.
  const top = model.layers.findLastIndex((layer) => layer.learns);
  const deviceError = (100 * (model.state.layers[top]?.recentErrors ?? 0)) / 65535;
  const proxyErrorBefore = evaluateModel(model, calibration).error;
  const trainedError = evaluateModel(trained, calibration).error;
  // A device that has come further than this training leads keeps its weights, and gets thresholds and means.
  const kept = trainedError > proxyErrorBefore;
  const fresh = kept ? requantize(before, model, { calibration }).model : trained;
  const proxyError = kept ? proxyErrorBefore : trainedError;
  const expected = 100 * (layerErrors(model, calibration)[top] ?? 0);
  const doubt = model.state.samples === 0 ? 0 : deviceError - expected;
  const freshErrors = layerErrors(fresh, calibration);
  const settled = first && doubt <= CREDIBLE ? SETTLED.rate : 1;
  const next: Model = {
    ...fresh,
    state: {
      ...fresh.state,
      t: 0,
      tau: SETTLED.tau,
      margin: Math.min(fresh.state.margin, SETTLED.margin),
      layers: fresh.state.layers.map((layer, l) => ({
        ...layer,
        recentErrors: Math.round(65535 * freshErrors[l]!),
        rate: slower(layer.rate, settled),
      })),
    },
  };
  const { patch, clipped } = diffPatch(model, next, device.ticket);
  const report = { plan, first, proxy: proxy.report, proxyErrorBefore, proxyError, kept, deviceError, doubt };
  return { model: next, patch, clipped, report };
}

/** A rate that was not 0 stays above it. */
function slower(rate: number, factor: number): number {
  return rate === 0 ? 0 : Math.max(1, Math.round(rate * factor));
}
