import { defineCommand } from 'citty';
import type { Dataset } from '../data/dataset.js';
import { loadData } from '../data/load.js';
import { pool as poolImages } from '../data/pool.js';
import { encodeImage } from '../format/image.js';
import { evaluateModel, type ModelEvaluation } from '../quantize/evaluation.js';
import { evaluateNovelty, type NoveltyEvaluation } from '../quantize/novelty.js';
import { quantize } from '../quantize/quantize.js';
import { decodeCheckpoint } from '../train/checkpoint-reader.js';
import { trainedScales } from '../train/layers/fake-quantization.js';
import { asOneClass } from '../train/negatives/others.js';
import { bitsOf, COMMON, numberOf } from './arguments.js';
import type { CliContext } from './context.js';
import { knownFeatures, MODEL_FEATURES } from './features.js';
import { readWhole, writeWhole } from './files.js';
import { scalingOf } from './model-data.js';
import { packageVersion } from './version.js';

export default defineCommand({
  meta: {
    name: 'quantize',
    description:
      'Makes a model image from a training checkpoint: weights of 8 bits or fewer, and thresholds calibrated on the integers that a device will compute.',
  },
  args: {
    checkpoint: { type: 'positional', required: true, description: 'checkpoint.safetensors of `goodness train`' },
    data: {
      type: 'string',
      alias: 'd',
      required: true,
      description: 'The data that it was trained on: mnist, CSV, folder',
    },
    ...MODEL_FEATURES,
    bits: {
      type: 'string',
      valueHint: '8,4',
      description: 'Bits of a weight: 8, 4, 3 or 2, for all layers or for each (those that it was trained for, or 8)',
    },
    'input-bits': {
      type: 'string',
      default: '8',
      description: 'Bits of a layer’s inputs: 8 or 4, for all layers or for each',
    },
    'false-rejects': {
      type: 'string',
      valueHint: 'percent',
      description: 'Set thresholds for this rate of false rejects; balanced with false accepts if left out',
    },
    novelty: {
      type: 'string',
      default: '5',
      valueHint: 'percent',
      description: 'Part of known samples that may count as novel',
    },
    frozen: { type: 'boolean', description: 'The device shall not learn' },
    seed: { type: 'string', default: '1', description: 'Seed of the device and of the split of a CSV' },
    out: { type: 'string', valueHint: 'model.ffm', default: 'model.ffm', description: 'Where to write the image' },
    ...COMMON,
  },
  async run({ args, data: given }) {
    const { output } = given as CliContext;
    const inputBits = bitsOf('input-bits', args['input-bits'])!;
    const seed = numberOf('seed', args.seed)!;
    const falseRejects = numberOf('false-rejects', args['false-rejects'], { most: 99, fraction: true });
    const novelty = numberOf('novelty', args.novelty, { most: 99, fraction: true })! / 100;
    const bytes = await readWhole(args.checkpoint!, 'a checkpoint of `goodness train`');
    const { network, data: info, config, state } = decodeCheckpoint(bytes);
    const bits = bitsOf('bits', args.bits) ?? config.quantization?.bits ?? 8;
    const scales = trainedScales(config.quantization, state?.layers ?? [], bits);
    const loaded = await loadData(args.data, {
      seed,
      ...scalingOf(info),
      classes: info.oneClass?.classes ?? info.classes,
      ...(info.others === undefined ? {} : { others: info.others }),
    });
    const { pool } = config;
    const { oneClass } = info;
    const prepare = (part: Dataset): Promise<Dataset> => {
      const known = oneClass === undefined ? part : asOneClass(part, oneClass.normal);
      return knownFeatures(poolImages(known, pool), info, args.features, output);
    };
    const calibration = await prepare(loaded.train);
    const test = await prepare(loaded.test);
    const { model, report } = quantize(network, {
      calibration,
      bits,
      inputBits,
      ...(scales === undefined ? {} : { scales }),
      seed,
      novelty,
      learns: !args.frozen && network.objective === 'partitioned',
      ...(falseRejects === undefined ? {} : { thresholds: { falseReject: falseRejects / 100 } }),
      meta: { created: `goodness ${packageVersion()}`, ...(pool > 1 ? { pool } : {}) },
    });
    const judged = oneClass === undefined ? evaluateModel(model, test) : evaluateNovelty(model, test);
    await writeWhole(args.out, encodeImage(model));
    output.result(
      {
        model: args.out,
        imageBytes: report.imageBytes,
        bits,
        layers: report.layers,
        thetaScore: report.thetaScore,
        thresholds: [...model.state.thresholds],
        noveltyThreshold: model.state.noveltyThreshold,
        test: { count: test.count, ...figures(judged) },
      },
      `${args.out}: ${report.imageBytes} bytes; on ${test.count} test samples ${ratesText(judged)}`,
    );
  },
});

/** What is told of an evaluation; the confusion matrix is too much. */
function figures(judged: ModelEvaluation | NoveltyEvaluation): object {
  if ('auroc' in judged) return judged;
  const { error, falseReject, falseAccept, novel } = judged;
  return { error, falseReject, falseAccept, novel };
}

function ratesText(judged: ModelEvaluation | NoveltyEvaluation): string {
  const { falseReject, falseAccept } = judged;
  if ('auroc' in judged)
    return `AUROC ${judged.auroc.toFixed(2)}%, false alarms ${falseReject.toFixed(2)}%, missed ${falseAccept.toFixed(2)}%`;
  const { error, novel } = judged;
  return `error ${error.toFixed(2)}%, false rejects ${falseReject.toFixed(2)}%, false accepts ${falseAccept.toFixed(2)}%, novel ${novel.toFixed(2)}%`;
}
