import { defineCommand } from 'citty';
import { GoodnessError } from '../base/errors.js';
import { Random } from '../base/random.js';
import { sample } from '../data/dataset.js';
import {
  describeDifference,
  type ParityReport,
  type ParitySample,
  verifyLearning,
  verifyModel,
} from '../device/parity.js';
import type { Session } from '../device/session.js';
import { flashModel } from '../device/transfer.js';
import { WasmCore } from '../device/wasm/core.js';
import { MESSAGES } from '../format/message.js';
import { metaOf } from '../format/meta.js';
import type { Model } from '../format/model.js';
import { COMMON, DATA, numberOf, PORT } from './arguments.js';
import type { CliContext } from './context.js';
import { withDevice } from './device-session.js';
import { dataForModel } from './model-data.js';
import { readModel } from './model-file.js';

export default defineCommand({
  meta: {
    name: 'verify',
    description:
      'Checks, layer by layer and bit by bit, that a device computes what the TypeScript reference computes; names the first sample, layer and neuron that differ. Without --port the device is the firmware core in this process.',
  },
  args: {
    model: {
      type: 'positional',
      required: true,
      description: 'Model image (.ffm); on the port it must be what was flashed',
    },
    ...PORT,
    port: { ...PORT.port, required: false },
    data: { ...DATA.data, required: false, description: `${DATA.data.description}; random bytes if left out` },
    seed: DATA.seed,
    samples: { type: 'string', default: '100', description: 'How many samples to infer' },
    learn: {
      type: 'string',
      default: '0',
      description: 'How many samples to learn after that; the device starts again from its flash in the end',
    },
    ...COMMON,
  },
  async run({ args, data }) {
    const context = data as CliContext;
    const { output } = context;
    const { image, model } = await readModel(args.model);
    const count = numberOf('samples', args.samples, { least: 1, most: 1_000_000 })!;
    const steps = numberOf('learn', args.learn, { most: 1_000_000 })!;
    const samples = await samplesFor(args, model, Math.max(count, steps));
    const check = async (target: Session | WasmCore): Promise<ParityReport> => {
      const inference = await verifyModel(model, target, samples.slice(0, count), output.progress('infer'));
      if (steps === 0 || inference.mismatches > 0) return inference;
      const learning = await verifyLearning(model, target, samples.slice(0, steps), output.progress('learn'));
      return { ...learning, samples: count + steps };
    };
    let report: ParityReport;
    let target = 'wasm';
    if (args.port === undefined) report = await check(await WasmCore.withModel(image));
    else {
      report = await withDevice({ port: args.port, baud: args.baud }, context, async (session) => {
        // A simulated board starts empty: what it is to be checked with has to come from here.
        if (!session.hello.modelLoaded && args.port!.startsWith('sim')) await flashModel(session, image);
        target = session.hello.target;
        try {
          return await check(session);
        } finally {
          if (steps > 0) await session.request(MESSAGES.reload, undefined);
        }
      });
    }
    const facts = { model: args.model, port: args.port ?? null, target, inferred: count, learned: steps };
    if (report.mismatches > 0) throw mismatch(report, target);
    output.result(
      { ...facts, ...report },
      `${target} agrees with the reference: ${count} samples inferred${steps > 0 ? `, ${steps} learned` : ''}, no mismatch`,
    );
  },
});

function mismatch(report: ParityReport, target: string): GoodnessError {
  const places = [report.first, report.firstActivity].filter((d, i, all) => d !== undefined && all.indexOf(d) === i);
  const held = report.first?.what === 'model';
  return new GoodnessError('check.parity', `${target} and the reference differ in ${report.mismatches} numbers`, {
    got: places.map((d) => describeDifference(d!)).join('; first activity: '),
    fix: held
      ? 'The device holds another model, or has learned since: flash this one, or read the device’s own.'
      : 'The firmware computes otherwise than SPEC.md says: please report this with the model.',
  });
}

/** Labelled samples for a model: from data, or random bytes, many of them zero, with a few extremes. */
async function samplesFor(
  args: { readonly data: string | undefined; readonly seed: string },
  model: Model,
  count: number,
): Promise<Required<ParitySample>[]> {
  if (args.data !== undefined) {
    const data = await dataForModel({ data: args.data, seed: args.seed, shift: 'none' }, metaOf(model), 'test');
    return Array.from({ length: count }, (_, i) => ({
      input: sample(data, i % data.count),
      label: data.labels[i % data.count]!,
    }));
  }
  const random = new Random(numberOf('seed', args.seed)!);
  return Array.from({ length: count }, (_, i) => {
    const density = [0.2, 0.5, 1][i % 3]!;
    const input = Uint8Array.from({ length: model.rawInputs }, () =>
      random.uniform() < density ? random.integer(256) : 0,
    );
    if (i % 50 === 48) input.fill(0);
    if (i % 50 === 49) input.fill(255);
    return { input, label: random.integer(model.classes) };
  });
}
