import { BYTE_SCALING, type Dataset } from '../../data/dataset.js';
import { decodeImage, encodeImage } from '../../format/image.js';
import { type Outcome, STAGE_MESSAGES } from '../../format/message.js';
import type { Model } from '../../format/model.js';
import { joinModels, splitModel } from '../../format/stages.js';
import { Reference } from '../../reference/reference.js';
import { compareImages, compareTrace, Ledger, type ParityReport, type ParitySample } from '../parity.js';
import { pullImage } from '../pull.js';
import type { Chain } from './chain.js';
import { asOnBoards, cutsOf } from './exchange.js';
import { learnChain } from './stream.js';

type Samples = readonly Required<ParitySample>[];

/**
 * Checks that boards with the stages of a network compute what the reference does: what each of them holds, every activity of every layer,
 * what each hands on, and the outcome of the whole. Nothing is changed on the boards.
 *
 * @param known the whole network that was flashed
 */
export async function verifyChain(
  chain: Chain,
  known: Model,
  samples: Samples,
  onProgress?: (done: number, total: number) => void,
): Promise<ParityReport> {
  const ledger = new Ledger();
  const model = asOnBoards(chain, known);
  const stages = splitModel(model, cutsOf(chain));
  for (const [s, session] of chain.sessions.entries()) {
    compareImages(ledger, stages[s]!, encodeImage(stages[s]!), await pullImage(session));
  }
  const whole = new Reference(model);
  const references = stages.map((stage) => new Reference(stage));
  for (const [n, { input, label }] of samples.entries()) {
    let passed = input;
    let outcome: Outcome | undefined;
    for (const [s, session] of chain.sessions.entries()) {
      const { layersBelow, layers } = stages[s]!;
      for (let l = 0; l < layers.length; l++) {
        const expected = references[s]!.trace(passed, l);
        await compareTrace(ledger, session, passed, l, expected, { sample: n, layer: layersBelow + l });
      }
      const expected = references[s]!.infer(passed, label);
      const got = await session.request(STAGE_MESSAGES.infer, { input: passed, label });
      ledger.outcome(n, expected, got.outcome);
      const onward = expected.onward ?? new Uint8Array(0);
      const layer = layersBelow + layers.length - 1;
      for (const [k, byte] of onward.entries())
        ledger.compare(byte, got.onward[k] ?? -1, { what: 'onward', sample: n, layer, offset: k });
      outcome = got.outcome;
      passed = onward;
    }
    ledger.outcome(n, whole.infer(input, label), outcome!);
    onProgress?.(n + 1, samples.length);
  }
  return ledger.report(samples.length);
}

/**
 * Checks that the boards learn what one device with the whole network would: every outcome, and in the end every byte of the network, put
 * together again. It leaves the boards with what they have learned.
 */
export async function verifyChainLearning(
  chain: Chain,
  known: Model,
  samples: Samples,
  onProgress?: (done: number, total: number) => void,
): Promise<ParityReport> {
  const ledger = new Ledger();
  const model = asOnBoards(chain, known);
  const reference = new Reference(model);
  const expected = samples.map(({ input, label }) => reference.learn(input, label));
  await learnChain(chain, datasetOf(model, samples), {
    onOutcome: (place, outcome) => {
      // Undefined where the line lost the last board's answer: the network, in the end, shows what was learned.
      if (outcome !== undefined) ledger.outcome(place, expected[place]!, outcome);
    },
    onProgress: (done, total) => onProgress?.(done, total),
  });
  const stages: Model[] = [];
  for (const session of chain.sessions) stages.push(decodeImage(await pullImage(session)));
  compareImages(ledger, model, reference.image(), encodeImage(joinModels(stages)));
  return ledger.report(samples.length);
}

function datasetOf({ rawInputs, classes }: Model, samples: Samples): Dataset {
  const inputs = new Uint8Array(samples.length * rawInputs);
  for (const [i, { input }] of samples.entries()) inputs.set(input, i * rawInputs);
  return {
    name: 'samples to verify with',
    inputs,
    labels: Uint8Array.from(samples, ({ label }) => label),
    count: samples.length,
    width: rawInputs,
    classes: Array.from({ length: classes }, (_, c) => String(c)),
    scaling: BYTE_SCALING,
  };
}
