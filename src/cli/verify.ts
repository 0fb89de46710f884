import { defineCommand } from 'citty';
import { GoodnessError } from '../base/errors.js';
import { Random } from '../base/random.js';
import { sample } from '../data/dataset.js';
import { HARMLESS } from '../device/contract/checks.js';
import {
  type CheckReport,
  type ContractReport,
  type ContractTarget,
  runContract,
} from '../device/contract/contract.js';
import { randomSamples } from '../device/contract/samples.js';
import {
  describeDifference,
  type ParityReport,
  type ParitySample,
  verifyLearning,
  verifyModel,
} from '../device/parity.js';
import { MESSAGES } from '../format/message.js';
import { metaOf } from '../format/meta.js';
import type { Model } from '../format/model.js';
import { COMMON, DATA, numberOf, PORT } from './arguments.js';
import type { CliContext } from './context.js';
import { dataForModel } from './model-data.js';
import { readModel } from './model-file.js';
import type { Output } from './output.js';
import { baudOf, resolvePort } from './port-choice.js';
import { table } from './table.js';
import { PIPELINE } from './target.js';
import { verifyPipeline } from './verify-pipeline.js';
import { verifyTarget } from './verify-target.js';
import { verifyTflite } from './verify-tflite.js';

/** Samples to infer on a device unless `--samples` says otherwise. */
const SAMPLES = 100;
/** Samples that the contract has a device learn unless `--learn` says otherwise. */
const CONTRACT_STEPS = 200;

export default defineCommand({
  meta: {
    name: 'verify',
    description:
      'Checks, layer by layer and bit by bit, that a device computes what the TypeScript reference computes; names the first sample, layer and neuron that differ. Without --port the device is the firmware core in this process. With --tflite it is a TensorFlow Lite model in its own runtime, whose classes and goodness are compared.',
  },
  args: {
    model: {
      type: 'positional',
      required: true,
      description: 'Model image (.ffm); on the port it must be what was flashed',
    },
    ...PORT,
    ...PIPELINE,
    port: { ...PORT.port, description: 'Serial port, tcp://host:port, sim, sim:<flash file>, or auto; left out: none' },
    data: { ...DATA.data, required: false, description: `${DATA.data.description}; random bytes if left out` },
    seed: DATA.seed,
    features: DATA.features,
    samples: {
      type: 'string',
      description: 'How many samples to infer; left out: 100, or all of the test data with --tflite',
    },
    learn: {
      type: 'string',
      default: '0',
      description: 'How many samples to learn after that; the device starts again from its flash in the end',
    },
    contract: {
      type: 'boolean',
      description:
        'All checks of the contract: transfer, learning, sync, saving, damaged models as well. What the device saved is replaced by this model in the end',
    },
    tflite: {
      type: 'string',
      valueHint: 'model.tflite',
      description: 'Compare what `goodness export --tflite` wrote instead of a device; needs --data',
    },
    ...COMMON,
  },
  async run({ args, data }) {
    const context = data as CliContext;
    const { output } = context;
    const file = await readModel(args.model);
    const given = numberOf('samples', args.samples, { least: 1, most: 1_000_000 });
    if (args.tflite !== undefined) {
      await verifyTflite(file.model, { ...args, tflite: args.tflite, samples: given }, context);
      return;
    }
    const count = given ?? SAMPLES;
    const steps = numberOf('learn', args.learn, { most: 1_000_000 })!;
    const seed = numberOf('seed', args.seed)!;
    const samples = await samplesFor(args, file.model, seed, Math.max(count, steps), output);
    if (args.pipeline !== undefined) {
      refuseContract(args.contract);
      const { target: boards, ...parity } = await verifyPipeline(
        file.model,
        samples,
        count,
        steps,
        { ...args, pipeline: args.pipeline },
        context,
      );
      if (parity.mismatches > 0) throw mismatch(parity, boards);
      output.result(
        { model: args.model, pipeline: args.pipeline, target: boards, inferred: count, learned: steps, ...parity },
        agreement(boards, count, steps),
      );
      return;
    }
    const port = args.port === undefined ? undefined : await resolvePort(args.port, args.baud, context);
    if (args.contract && port !== undefined && !port.startsWith('sim')) {
      output.warn('what this board learned and saved is replaced: in the end it holds the given model');
    }
    const target = await verifyTarget(port, baudOf(args.baud), file);
    const report = await runContract(target, file.model, {
      seed,
      samples: count,
      steps: steps > 0 ? steps : CONTRACT_STEPS,
      ...(args.contract ? {} : { checks: HARMLESS.filter((name) => name !== 'inference') }),
      onCheck: (check) => output.note(described(check)),
      onProgress: bars(output),
    });
    // With random samples the contract itself has inferred as many.
    const parity =
      args.contract && args.data === undefined
        ? CLEAN
        : await parityOf(target, file.model, samples, count, steps, output);
    const facts = { model: args.model, port: port ?? null, target: report.target, inferred: count, learned: steps };
    if (parity.mismatches > 0) throw mismatch(parity, report.target);
    if (!report.ok) throw broken(report);
    const { checks, bytesCompared, bytesDifferent } = report;
    const agrees = agreement(report.target, count, steps);
    output.result(
      { ...facts, ...parity, checks, bytesCompared, bytesDifferent },
      args.contract
        ? `${summary(report, output)}\n${report.target} keeps the contract: ${bytesCompared} bytes compared, none differs`
        : agrees,
    );
  },
});

function agreement(target: string, count: number, steps: number): string {
  return `${target} agrees with the reference: ${count} samples inferred${steps > 0 ? `, ${steps} learned` : ''}, no mismatch`;
}

function refuseContract(contract: boolean | undefined): void {
  if (!contract) return;
  throw new GoodnessError('usage.option', '--contract does not go with --pipeline', {
    fix: 'The contract is that of one board: verify each board by its own --port with a whole network.',
  });
}

const CLEAN: ParityReport = { samples: 0, mismatches: 0 };

/** A bar per check. */
function bars(output: Output): (name: string, done: number, total: number) => void {
  let current: { name: string; bar: ReturnType<Output['progress']> } | undefined;
  return (name, done, total) => {
    if (current?.name !== name) current = { name, bar: output.progress(name) };
    current.bar(done, total);
  };
}

/** Inference on the given samples and, if wanted, learning; then the device starts again from its store. */
async function parityOf(
  target: ContractTarget,
  model: Model,
  samples: readonly Required<ParitySample>[],
  count: number,
  steps: number,
  output: Output,
): Promise<ParityReport> {
  const session = await target.openSession();
  try {
    const inference = await verifyModel(model, session, samples.slice(0, count), output.progress('infer'));
    if (steps === 0 || inference.mismatches > 0) return inference;
    const learning = await verifyLearning(model, session, samples.slice(0, steps), output.progress('learn'));
    return { ...learning, samples: count + steps };
  } finally {
    if (steps > 0) await session.request(MESSAGES.reload, undefined);
    await session.close();
  }
}

function described({ name, ok, compared, differences, first, note }: CheckReport): string {
  const outcome = ok ? `${compared} bytes compared` : `FAILED, ${differences} of ${compared} bytes differ: ${first}`;
  return `${name}: ${outcome}${note === undefined ? '' : ` (${note})`}`;
}

function summary({ checks }: ContractReport, output: Output): string {
  return table(
    [{ title: 'check' }, { title: 'bytes', right: true }, { title: 'different', right: true }, { title: 'note' }],
    checks.map(({ name, compared, differences, note }) => [name, `${compared}`, `${differences}`, note ?? '']),
    output.colors,
  );
}

function broken({ target, checks, bytesDifferent }: ContractReport): GoodnessError {
  const failed = checks.filter((check) => !check.ok);
  return new GoodnessError(
    'check.contract',
    `${target} does not do what SPEC.md says in ${failed.length} of ${checks.length} checks`,
    {
      expected: 'every byte as the reference says it',
      got: `${bytesDifferent} other bytes: ${failed.map(({ name, first }) => `${name}: ${first}`).join('; ')}`,
      fix: 'Use the firmware of this version of goodness; if it is, please report this with the model.',
    },
  );
}

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

/** Labelled samples for a model: from data, or random bytes. */
async function samplesFor(
  args: { readonly data: string | undefined; readonly seed: string; readonly features?: string | undefined },
  model: Model,
  seed: number,
  count: number,
  output: Output,
): Promise<Required<ParitySample>[]> {
  if (args.data === undefined) return randomSamples(model, new Random(seed), count);
  const data = await dataForModel({ ...args, data: args.data, shift: 'none' }, metaOf(model), 'test', output);
  return Array.from({ length: count }, (_, i) => ({
    input: sample(data, i % data.count),
    label: data.labels[i % data.count]!,
  }));
}
