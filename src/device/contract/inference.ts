import { compareModel, Ledger } from '../parity.js';
import type { ContractRun } from './run.js';
import type { Tally } from './tally.js';

/** The model, every activity of every layer, and every score and flag of random samples. Nothing is changed. */
export async function inference(run: ContractRun, tally: Tally, onProgress: (done: number, total: number) => void) {
  const ledger = new Ledger();
  const samples = run.samples(run.settings.samples);
  await compareModel(ledger, run.stored, run.session, samples, onProgress);
  tally.ledger(ledger);
}
