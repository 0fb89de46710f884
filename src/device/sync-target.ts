import type { Random } from '../base/random.js';
import type { Model } from '../format/model.js';
import type { Patch } from '../format/patch.js';
import { type Pull, type PullOptions, pull } from './pull.js';
import { type PushReport, push, save } from './push.js';
import type { Session } from './session.js';
import type { OnProgress } from './transfer.js';
import type { Traffic } from './transport.js';

/** What a host makes of a pull. */
export interface Merged {
  /** The model that is to be on the device if it learned nothing meanwhile. */
  readonly model: Model;
  /** The same as a patch of the whole network. */
  readonly patch: Patch;
}

/** What is synced: a device, or several that have the stages of one network. */
export interface SyncTarget {
  /** Bytes over the line so far, or over all lines. */
  readonly traffic: Traffic;
  /** Asks for what was learned; see `pull`. */
  pull(known: Model, random: Random, options: PullOptions): Promise<Pull>;
  /** Sends what was made of the last pull, and has it applied. */
  push(pulled: Pull, merged: Merged, onProgress?: OnProgress): Promise<PushReport>;
  /** Has what was merged written to the store. */
  save(): Promise<void>;
}

/** One device as the target of a sync. */
export function deviceTarget(session: Session): SyncTarget {
  return {
    get traffic() {
      return { ...session.transport.traffic };
    },
    pull: (known, random, options) => pull(session, known, random, options),
    push: (_, { patch }, onProgress) => push(session, patch, onProgress),
    save: async () => {
      await save(session);
    },
  };
}
