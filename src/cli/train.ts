import { basename, join } from 'node:path';
import { defineCommand } from 'citty';
import { GoodnessError } from '../base/errors.js';
import { type Dataset, isSparse, slice } from '../data/dataset.js';
import { loadData } from '../data/load.js';
import { pool as poolImages } from '../data/pool.js';
import { encodeImage } from '../format/image.js';
import { evaluateModel } from '../quantize/evaluation.js';
import { checkBits, checkDeviceLimits } from '../quantize/limits.js';
import { quantize } from '../quantize/quantize.js';
import { encodeCheckpoint } from '../train/checkpoint.js';
import { shapeFor } from '../train/config.js';
import { evaluate } from '../train/evaluation.js';
import { inputCount } from '../train/network.js';
import { Trainer } from '../train/trainer.js';
import { COMMON, numberOf, oneOf } from './arguments.js';
import { CLASSES, chooseClasses, reserveClasses } from './class-choice.js';
import type { CliContext } from './context.js';
import { madeFeatures, NEW_FEATURES } from './features.js';
import { writeWhole } from './files.js';
import { chosenBackend, hiddenOf, TRAINING } from './training.js';
import { packageVersion } from './version.js';

const LEAST_SAMPLES = 10;
/** For vectors that are mostly nothing: their complements would drown what there is. */
const PLAIN = { subtractMin: false, encoding: 'plain' } as const;

export default defineCommand({
  meta: {
    name: 'train',
    description:
      'Trains a Forward-Forward network and quantizes it. Writes checkpoint.safetensors and model.ffm; a CSV has numbers, and the label in its last column.',
  },
  args: {
    data: { type: 'positional', required: true, description: 'mnist, a CSV file, or a folder of IDX or CSV files' },
    ...TRAINING,
    ...NEW_FEATURES,
    objective: {
      type: 'string',
      default: 'partitioned',
      description: 'partitioned: a group of neurons per class, one pass; label: label in the input, a pass per class',
    },
    bits: { type: 'string', default: '8', description: 'Bits of a weight' },
    qat: { type: 'boolean', description: 'Train with the rounding of the weights in the loop' },
    samples: { type: 'string', description: 'Train on the first so many samples only' },
    ...CLASSES,
    reserve: {
      type: 'string',
      valueHint: 'name,name',
      description: 'Room for classes that come later: the device can learn them, and syncs know of them',
    },
    other: {
      type: 'boolean',
      description:
        'Add a class `other` of made-up samples that are like none of the rest (CSV only): for data that show what is normal, and nothing else',
    },
    seed: { type: 'string', default: '1', description: 'Seed of weights, order, augmentation and split' },
    out: { type: 'string', valueHint: 'folder', description: 'Where to write; goodness-out/<data> if left out' },
    ...COMMON,
  },
  async run({ args, data: given }) {
    const { output, now } = given as CliContext;
    const seed = numberOf('seed', args.seed)!;
    const bits = numberOf('bits', args.bits, { least: 2, most: 8 })!;
    const pool = numberOf('pool', args.pool, { least: 1 })!;
    const epochs = numberOf('epochs', args.epochs, { least: 1 });
    const samples = numberOf('samples', args.samples, { least: 1 });
    const headroom = numberOf('headroom', args.headroom, { most: 10, fraction: true })!;
    const objective = oneOf('objective', args.objective, ['partitioned', 'label']);
    checkBits(bits);
    const loaded = await loadData(args.data!, { seed, headroom, ...(args.other ? { others: 'other' } : {}) });
    const prepare = (part: Dataset): Dataset => chooseClasses(reserveClasses(part, args.reserve), args.classes);
    const all = prepare(loaded.train);
    if (args.features !== undefined && pool > 1) {
      throw new GoodnessError('usage.option', '--features takes images as they are', { fix: 'Leave --pool out.' });
    }
    const seen = { train: slice(all, 0, samples ?? all.count), test: prepare(loaded.test) };
    const { train, test: tested } = await madeFeatures(seen, args, output);
    const small = poolImages(train, pool);
    const test = poolImages(tested, pool);
    const hidden = hiddenOf(args.layers, small.width, small);
    const sparse = small.geometry === undefined && isSparse(small);
    const shape = shapeFor(small, { hidden, objective, ...(sparse ? { preprocessing: PLAIN } : {}) });
    checkDeviceLimits({ inputs: inputCount(shape), hidden, classes: shape.classes });
    const backend = await chosenBackend(args);

    if (train.count < LEAST_SAMPLES) {
      throw new GoodnessError('train.data', `${train.name} has too few samples to train on`, {
        expected: `at least ${LEAST_SAMPLES}`,
        got: String(train.count),
      });
    }
    const trainer = new Trainer({
      backend,
      seed,
      shape,
      config: { pool, ...(args.qat ? { quantization: { bits } } : {}) },
      ...(small.geometry === undefined ? {} : { geometry: small.geometry }),
    });
    const bar = output.progress('train');
    const start = now();
    await trainer.fit(train, {
      ...(epochs === undefined ? {} : { epochs }),
      onProgress: ({ epoch, epochs: all, layers, samplesPerSecond }) =>
        bar(
          epoch,
          all,
          `epoch ${epoch}: goodness ${layers.map((l) => `${l.positive.toFixed(2)}/${l.negative.toFixed(2)}`).join(' ')}, ${Math.round(samplesPerSecond)}/s`,
        ),
    });
    const seconds = (now() - start) / 1000;
    const network = trainer.network();
    const checkpoint = trainer.checkpoint(small);
    const { model, report } = quantize(network, {
      calibration: small,
      bits,
      seed,
      meta: { created: `goodness ${packageVersion()}`, ...(pool > 1 ? { pool } : {}) },
    });
    const float = evaluate(network, test);
    const integer = evaluateModel(model, test);
    const folder = args.out ?? join('goodness-out', basename(args.data!, '.csv'));
    const files = { checkpoint: join(folder, 'checkpoint.safetensors'), model: join(folder, 'model.ffm') };
    await writeWhole(files.checkpoint, encodeCheckpoint(checkpoint));
    await writeWhole(files.model, encodeImage(model));
    const layers = [model.layers[0]!.inputs, ...hidden].join('-');
    output.result(
      {
        dataset: train.name,
        samples: train.count,
        layers,
        objective,
        classes: train.classes,
        seed,
        backend: backend.name,
        epochs: checkpoint.state?.run?.epochs,
        seconds,
        float: { testError: float.error, falseReject: float.falseReject, falseAccept: float.falseAccept },
        quantized: {
          bits,
          testError: integer.error,
          falseReject: integer.falseReject,
          falseAccept: integer.falseAccept,
          imageBytes: report.imageBytes,
        },
        files,
      },
      [
        `${layers} on ${train.count} samples of ${train.name}, ${seconds.toFixed(1)} s on ${backend.name}`,
        `error on ${test.count} test samples: ${float.error.toFixed(2)}% in floating point, ${integer.error.toFixed(2)}% in int${bits} ` +
          `(false rejects ${integer.falseReject.toFixed(2)}%, false accepts ${integer.falseAccept.toFixed(2)}%)`,
        `${files.model} (${report.imageBytes} bytes), ${files.checkpoint}`,
      ].join('\n'),
    );
  },
});
