import { statisticsOfClasses } from './class-statistics.js';
import { damagedModels } from './damage.js';
import { delta } from './delta.js';
import { badFrames } from './frames.js';
import { handshake } from './handshake.js';
import { inference } from './inference.js';
import { learning } from './learning.js';
import { modelTransfer } from './model-transfer.js';
import { putBack } from './put-back.js';
import type { ContractRun } from './run.js';
import { saving } from './saving.js';
import type { Tally } from './tally.js';

type Check = (run: ContractRun, tally: Tally, onProgress: (done: number, total: number) => void) => Promise<void>;

/** All checks, in the order in which they run. Those that don't change the device neither teach it nor reload it. */
export const CHECKS = [
  { name: 'handshake', changes: false, check: handshake },
  { name: 'model transfer', changes: true, check: modelTransfer },
  { name: 'bad frames', changes: false, check: badFrames },
  { name: 'inference', changes: false, check: inference },
  { name: 'learning', changes: true, check: learning },
  { name: 'class statistics', changes: true, check: statisticsOfClasses },
  { name: 'delta', changes: true, check: delta },
  { name: 'save and reload', changes: true, check: saving },
  { name: 'damaged models', changes: true, check: damagedModels },
  { name: 'put back', changes: true, check: putBack },
] as const satisfies readonly { name: string; changes: boolean; check: Check }[];

export type CheckName = (typeof CHECKS)[number]['name'];

/** The checks that leave a device as it is. */
export const HARMLESS: readonly CheckName[] = CHECKS.filter((check) => !check.changes).map((check) => check.name);
