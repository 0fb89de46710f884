import { GoodnessError } from '../base/errors.js';
import { classStatisticsLength } from '../format/class-statistics.js';
import { weightsLength } from '../format/layout.js';
import type { Model } from '../format/model.js';
import { stateFixedLength } from '../format/state.js';

/** One thing that a device may send up when it is pulled. */
export type TelemetryItem = 'weights' | 'means' | 'counts' | 'statistics';

export interface Telemetry {
  readonly item: TelemetryItem;
  /** What it is, for the user who decides whether it may travel. */
  readonly what: string;
  /** What the host can't do without it. */
  readonly without: string;
  /** Payload bytes for a model. */
  bytes(model: Model): number;
}

/**
 * All that a sync asks for, beside what says which model it is (header, layer table, names, base id) and how many samples were
 * learned since. Samples never travel: the protocol has no request for them.
 */
export const TELEMETRY: readonly Telemetry[] = [
  {
    item: 'weights',
    what: 'the weights of layers that learn, as they are now',
    without: 'the host works on the weights that it gave last, and what the device learned stays on the device',
    bytes: (model) => model.layers.reduce((sum, layer) => sum + (layer.learns ? weightsLength(layer) : 0), 0),
  },
  {
    item: 'means',
    what: 'the running mean of each input of those layers',
    without: 'the host assumes the means that it gave last',
    bytes: (model) => model.layers.reduce((sum, layer) => sum + (layer.learns ? 2 * layer.inputs : 0), 0),
  },
  {
    item: 'counts',
    what: 'how many samples were learned, in all and per class, how many of them wrongly, and the class thresholds',
    without: 'the host knows the number of samples since the last sync only',
    bytes: stateFixedLength,
  },
  {
    item: 'statistics',
    what: 'mean and mean square of each sensor input, per class',
    without: 'the host can not tell how the device’s surroundings differ from its own data',
    bytes: (model) => classStatisticsLength(2, model.classes, model.rawInputs),
  },
];

/**
 * The items that are left when some are switched off.
 * @param off names of items
 * @throws GoodnessError `telemetry.item` for an unknown name
 */
export function telemetryWithout(off: readonly string[]): Set<TelemetryItem> {
  const items = new Set(TELEMETRY.map((t) => t.item));
  for (const name of off) {
    if (!items.delete(name as TelemetryItem) && !TELEMETRY.some((t) => t.item === name)) {
      throw new GoodnessError('telemetry.item', 'no such telemetry', {
        expected: TELEMETRY.map((t) => t.item).join(', '),
        got: name,
      });
    }
  }
  return items;
}
