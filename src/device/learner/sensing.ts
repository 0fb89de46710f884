import type { EventEmitter } from 'node:events';
import { SampleQueue } from '../sensor/queue.js';
import type { SampleSource } from '../sensor/source.js';

/** A johnny-five component, or any emitter of `data` whose reading stands in its fields. */
export type Sensor = EventEmitter;

/**
 * What a learner takes samples from: one component, several that make one sample together (both at the pace of this machine's timers),
 * a source at its own pace, or any stream of vectors.
 */
export type Sensing = Sensor | readonly Sensor[] | SampleSource | AsyncIterable<ArrayLike<number>>;

/** What a component says now: x, y and z where it has them (accelerometers), else its value. */
export function readingOf(sensor: Sensor): number[] {
  const fields = sensor as unknown as Readonly<Record<string, unknown>>;
  if (typeof fields.x === 'number' && typeof fields.y === 'number') {
    return typeof fields.z === 'number' ? [fields.x, fields.y, fields.z] : [fields.x, fields.y];
  }
  const value = fields.value;
  return Array.isArray(value) ? value.map(Number) : [Number(value)];
}

/**
 * Samples of a sensor, one after the other, until `stop` is called. Of several components the last one sets the pace: what the
 * others said last belongs to the same sample.
 */
export function sense(sensing: Sensing): { readonly samples: AsyncIterable<ArrayLike<number>>; stop(): void } {
  if ('samples' in sensing) return sense(sensing.samples());
  if (Symbol.asyncIterator in sensing) {
    const iterator = sensing[Symbol.asyncIterator]();
    return { samples: { [Symbol.asyncIterator]: () => iterator }, stop: () => void iterator.return?.() };
  }
  const sensors: readonly Sensor[] = Array.isArray(sensing) ? sensing : [sensing as Sensor];
  const queue = new SampleQueue<ArrayLike<number>>(100);
  const pace = sensors.at(-1);
  const listener = (): void => {
    const sample = sensors.flatMap(readingOf);
    if (sample.every(Number.isFinite)) queue.push(sample);
  };
  pace?.on('data', listener);
  return {
    samples: queue,
    stop() {
      pace?.removeListener('data', listener);
      queue.end();
    },
  };
}
