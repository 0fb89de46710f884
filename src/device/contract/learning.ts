import { MESSAGES } from '../../format/message.js';
import { STATUS } from '../../format/status.js';
import { Reference } from '../../reference/reference.js';
import { compareLearning, Ledger } from '../parity.js';
import type { ContractRun } from './run.js';
import type { Tally } from './tally.js';

/** A random state of the host's choice, and samples learned with it. */
const SEED = 0xfeedbeef;
const SEEDED_STEPS = 3;

/** Device and reference learn the same new samples; every outcome and, in the end, every byte of the model is compared. */
export async function learnAlike(
  run: ContractRun,
  tally: Tally,
  reference: Reference,
  count: number,
  onProgress?: (done: number, total: number) => void,
): Promise<void> {
  const ledger = new Ledger();
  await compareLearning(ledger, reference, run.session, run.samples(count), onProgress);
  tally.ledger(ledger);
}

/** The device learns sample by sample what the reference learns: every outcome, all counters, and in the end every byte of the model. */
export async function learning(run: ContractRun, tally: Tally, onProgress: (done: number, total: number) => void) {
  await run.reload();
  if (!run.learns) {
    await refusesToLearn(run, tally);
    return;
  }
  const reference = new Reference(run.stored);
  await learnAlike(run, tally, reference, run.settings.steps, onProgress);
  const { state } = reference.toModel();
  const status = await run.session.request(MESSAGES.status, undefined);
  for (const field of ['baseId', 't', 'samples', 'updates', 'errors', 'falseRejects', 'falseAccepts'] as const) {
    tally.number(`${field} of STATUS`, state[field], status[field], 4);
  }
  await run.session.request(MESSAGES.seed, { seed: SEED });
  reference.seed(SEED);
  await learnAlike(run, tally, reference, SEEDED_STEPS);
  await run.reload();
}

async function refusesToLearn(run: ContractRun, tally: Tally): Promise<void> {
  const { session } = run;
  tally.note('this device does not learn this model');
  const { input, label } = run.samples(1)[0]!;
  await session.request(MESSAGES.stream, { index: 0 });
  const request = session.request(MESSAGES.learn, { index: 0, label, input });
  await tally.refuses('LEARN', request, STATUS.NO_LEARN, [0, 0]);
}
