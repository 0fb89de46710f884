import type { Model } from '../format/model.js';
import { deviceData, hostOnly } from '../quantize/device-network.js';
import { evaluateModel } from '../quantize/evaluation.js';
import { evaluateNovelty, type NoveltyEvaluation } from '../quantize/novelty.js';
import { quantize } from '../quantize/quantize.js';
import type { Backend } from '../train/backend.js';
import { type Evaluation, evaluate, goodnessOfAll } from '../train/evaluation.js';
import { type PerLayer, roundedNetwork, trainedScales } from '../train/layers/fake-quantization.js';
import { quantile } from '../train/objectives/novelty.js';
import { deviceBits, type Recipe } from '../train/recipe.js';
import type { Trainer } from '../train/trainer.js';
import type { RecipeData } from './recipe-data.js';
import { packageVersion } from './version.js';

/** How good what was trained is. */
export interface Judged {
  readonly float: Evaluation;
  /** Left out where only the host can run it; `reason` says why. */
  readonly model?: Model;
  readonly imageBytes?: number;
  readonly integer?: Pick<Evaluation, 'error' | 'falseReject' | 'falseAccept'>;
  readonly novelty?: NoveltyEvaluation;
  readonly reason?: string;
}

/** Part of the normal samples that a one-class network may take for novel. */
const FALSE_ALARMS = 0.05;

/** Evaluates a trained network on test data, in floating point and, if it can have a device image, in its integers. */
export function judge(recipe: Recipe, trainer: Trainer, { small, test }: RecipeData): Judged {
  const { inputBits = 8, seed = 1, pool = 1 } = recipe;
  const { product } = trainer;
  const bits = deviceBits(recipe);
  // Weights that were trained with their rounding have found their places on its grid, and mean nothing without it.
  const scales = trainedScales(trainer.config.quantization, trainer.layers, bits);
  const trained = trainer.network();
  const network = scales === undefined ? trained : roundedNetwork(trained, scales, bits);
  const oneClass = network.objective === 'one-class';
  const threshold = oneClass
    ? quantile(goodnessOfAll(network, deviceData(network, small), product), FALSE_ALARMS)
    : undefined;
  const float = evaluate(network, test, { product, ...(threshold === undefined ? {} : { threshold }) });
  const reason = recipe.device === false ? 'the recipe asks for none' : hostOnly(network);
  if (reason !== undefined) return { float, reason };
  const { model, report } = quantize(network, {
    calibration: small,
    bits,
    inputBits,
    ...(scales === undefined ? {} : { scales }),
    seed,
    novelty: FALSE_ALARMS,
    meta: { created: `goodness ${packageVersion()}`, ...(pool > 1 ? { pool } : {}) },
  });
  const common = { float, model, imageBytes: report.imageBytes };
  if (oneClass) return { ...common, novelty: evaluateNovelty(model, test) };
  return { ...common, integer: evaluateModel(model, test) };
}

export interface Training {
  readonly recipe: Recipe;
  readonly trainer: Trainer;
  readonly data: RecipeData;
  readonly backend: Backend;
  readonly seconds: number;
  readonly judged: Judged;
  readonly files: { readonly checkpoint: string; readonly model: string };
}

/** A training for programs and for people. */
export function describeTraining(training: Training): [object, string] {
  const { recipe, trainer, data, backend, seconds, judged, files } = training;
  const { float, integer, novelty, imageBytes, reason } = judged;
  const { train, test } = data;
  const { seed = 1 } = recipe;
  const bits = deviceBits(recipe);
  const network = trainer.network();
  const layers = [network.layers[0]!.inputs, ...network.layers.map((layer) => layer.outputs)].join('-');
  const { run } = trainer;
  const value = {
    dataset: train.name,
    samples: train.count,
    layers,
    objective: network.objective,
    classes: train.classes,
    seed,
    backend: backend.name,
    epochs: run?.epochs,
    ...(run?.best === undefined ? {} : { best: run.best }),
    seconds,
    float: figures(float),
    quantized:
      imageBytes === undefined ? null : { bits, ...(integer === undefined ? novelty : figures(integer)), imageBytes },
    ...(reason === undefined ? {} : { hostOnly: reason }),
    files: reason === undefined ? files : { checkpoint: files.checkpoint },
  };
  const text = [
    `${layers} on ${train.count} samples of ${train.name}, ${seconds.toFixed(1)} s on ${backend.name}`,
    ...(run?.best === undefined
      ? []
      : [`best after epoch ${run.best.epoch}: ${run.best.score.toFixed(2)}% on what was held out`]),
    float.auroc === undefined
      ? errorText(test.count, float, integer, bits)
      : noveltyText(test.count, float, novelty, bits),
    reason === undefined ? `${files.model} (${imageBytes} bytes), ${files.checkpoint}` : files.checkpoint,
    ...(reason === undefined ? [] : [`no device image: ${reason}`]),
  ];
  return [value, text.join('\n')];
}

function figures({ error, falseReject, falseAccept, readoutError, auroc }: Omit<Evaluation, 'count'>): object {
  return {
    testError: error,
    falseReject,
    falseAccept,
    ...(readoutError === undefined ? {} : { readoutError }),
    ...(auroc === undefined ? {} : { auroc }),
  };
}

function errorText(count: number, float: Evaluation, integer: Judged['integer'], bits: PerLayer): string {
  const read = float.readoutError === undefined ? '' : ` (${float.readoutError.toFixed(2)}% by its read-out)`;
  const start = `error on ${count} test samples: ${float.error.toFixed(2)}% in floating point${read}`;
  if (integer === undefined) return `${start} (false rejects ${float.falseReject.toFixed(2)}%)`;
  const rates = `false rejects ${integer.falseReject.toFixed(2)}%, false accepts ${integer.falseAccept.toFixed(2)}%`;
  return `${start}, ${integer.error.toFixed(2)}% in int${bitsText(bits)} (${rates})`;
}

function noveltyText(count: number, float: Evaluation, integer: NoveltyEvaluation | undefined, bits: PerLayer): string {
  const rates = (e: Pick<Evaluation, 'falseReject' | 'falseAccept'>): string =>
    `false alarms ${e.falseReject.toFixed(2)}%, missed ${e.falseAccept.toFixed(2)}%`;
  const start = `AUROC on ${count} test samples: ${float.auroc!.toFixed(2)}% in floating point (${rates(float)})`;
  return integer === undefined
    ? start
    : `${start}, ${integer.auroc.toFixed(2)}% in int${bitsText(bits)} (${rates(integer)})`;
}

function bitsText(bits: PerLayer): string {
  return typeof bits === 'number' ? String(bits) : bits.join('/');
}
