import { Random } from '../../base/random.js';
import { encodeImage } from '../../format/image.js';
import type { Model } from '../../format/model.js';
import type { Session } from '../session.js';
import { CHECKS, type CheckName } from './checks.js';
import { ContractRun } from './run.js';
import { Tally } from './tally.js';

/** A device that the contract is to be held against: what it is like, and how to get at it. */
export interface ContractTarget {
  /** For messages: a board id, or a port. */
  readonly name: string;
  /** Greets the device. The contract closes each session before it opens the next. */
  openSession(): Promise<Session>;
  /** Resets it as a button does: RAM is void afterwards, the store isn't. Left out where there is no way to. */
  readonly reset?: (() => Promise<void>) | undefined;
  /**
   * How models get there. `link`: the device takes images. `with firmware`: the model lies beside the firmware already, and the
   * device must refuse images.
   */
  readonly transfer: 'link' | 'with firmware';
  /** Whether SAVE and images reach a store here. If nothing does, `nothing` says why: then the device must refuse them with FLASH. */
  readonly savesTo: 'store' | { readonly nothing: string };
}

export interface ContractOptions {
  /** Draws samples, tickets, garbage and flipped bits; 1 if left out. */
  readonly seed?: number;
  /** Samples of which every activity is compared; 20 if left out. */
  readonly samples?: number;
  /** Samples to learn; 200 if left out. */
  readonly steps?: number;
  /** Places at which one bit of the model is flipped; 8 if left out. */
  readonly flips?: number;
  /** The checks to run, in their own order; all if left out. */
  readonly checks?: readonly CheckName[];
  /** Called after each check. */
  readonly onCheck?: (report: CheckReport) => void;
  /** How far the check under way has come. */
  readonly onProgress?: (check: CheckName, done: number, total: number) => void;
}

export interface CheckReport {
  readonly name: CheckName;
  readonly ok: boolean;
  /** Bytes that the device said and that were compared with what it should say. */
  readonly compared: number;
  /** Those of them that differ. */
  readonly differences: number;
  /** The first difference, or the error that ended the check. */
  readonly first?: string;
  /** What could not be checked, and why. */
  readonly note?: string;
}

export interface ContractReport {
  /** What the device calls itself. */
  readonly target: string;
  readonly ok: boolean;
  readonly checks: readonly CheckReport[];
  readonly bytesCompared: number;
  readonly bytesDifferent: number;
}

/**
 * Holds a device against SPEC.md: every check compares, byte for byte, what the device says with what the TypeScript reference says.
 * Unless `checks` names only those that change nothing, the device learns, is flashed and reloaded; in the end it holds `model` again,
 * as far as it can be written.
 *
 * A difference or a refusal is a failed check, and the next one runs all the same.
 *
 * @param model what the device holds already (`transfer` is `with firmware`, or nothing can be stored), or is given
 */
export async function runContract(
  target: ContractTarget,
  model: Model,
  options: ContractOptions = {},
): Promise<ContractReport> {
  const { seed = 1, samples = 20, steps = 200, flips = 8 } = options;
  const settings = { samples, steps, flips };
  const run = new ContractRun(target, model, encodeImage(model), settings, new Random(seed));
  const wanted = CHECKS.filter(({ name }) => options.checks?.includes(name) ?? true);
  const reports: CheckReport[] = [];
  // A device that can't be reached once will not be reached for each of the checks.
  let unreachable: string | undefined;
  try {
    for (const { name, check } of wanted) {
      const tally = new Tally();
      let failure = unreachable;
      try {
        if (unreachable === undefined) {
          unreachable = 'the device was not reached';
          await run.connect();
          unreachable = undefined;
          await check(run, tally, (done, total) => options.onProgress?.(name, done, total));
        }
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error);
        if (unreachable !== undefined) unreachable = failure;
        // What is left on the line must not fall to the next check.
        await run.disconnect();
      }
      const { compared, differences } = tally;
      const first = tally.first ?? failure;
      const report: CheckReport = {
        name,
        ok: differences === 0 && failure === undefined && compared > 0,
        compared,
        differences,
        ...(first === undefined ? {} : { first }),
        ...(tally.notes.length === 0 ? {} : { note: tally.notes.join('; ') }),
      };
      reports.push(report);
      options.onCheck?.(report);
    }
  } finally {
    await run.disconnect();
  }
  const sum = (of: (report: CheckReport) => number): number => reports.reduce((total, r) => total + of(r), 0);
  return {
    target: run.deviceName ?? target.name,
    ok: reports.every((report) => report.ok),
    checks: reports,
    bytesCompared: sum((r) => r.compared),
    bytesDifferent: sum((r) => r.differences),
  };
}
