import { GoodnessError } from '../../base/errors.js';
import type { Clock } from '../clock.js';
import type { FirmataBoard } from './firmata.js';
import { SampleQueue } from './queue.js';
import type { SampleSource } from './source.js';

/** Nothing for so many intervals: the sensor is dead. */
const SILENT_INTERVALS = 50;
const LEAST_SILENCE_MS = 3000;

/** A source fed by events, which notices when they stop. */
export function pushed(
  firmata: FirmataBoard,
  channels: readonly string[],
  rate: number,
  clock: Clock,
  stop: () => void,
): SampleSource & { push(sample: Float64Array): void } {
  const queue = new SampleQueue<Float64Array>();
  const patience = Math.max(LEAST_SILENCE_MS, (SILENT_INTERVALS * 1000) / rate);
  let heard = false;
  let cancel = (): void => {};
  const watch = (): void => {
    cancel = clock.after(patience, () => {
      if (heard) {
        heard = false;
        watch();
        return;
      }
      queue.end(
        new GoodnessError('sensor.silent', `the sensor says nothing (${channels.join(', ')})`, {
          expected: `${rate.toFixed(1)} samples per second`,
          got: `none for ${patience / 1000} s`,
          fix: 'Check the wiring, the pin and the kind of sensor.',
        }),
      );
    });
  };
  watch();
  firmata.gone.then((reason) => {
    queue.end(
      new GoodnessError('sensor.gone', 'the board with the sensor is gone', {
        got: reason.message,
        fix: 'Check the cable.',
        cause: reason,
      }),
    );
  });
  return {
    channels,
    rate,
    get lost() {
      return queue.lost;
    },
    samples: () => queue,
    push(sample) {
      heard = true;
      queue.push(sample);
    },
    async close() {
      cancel();
      queue.end();
      stop();
      await firmata.close();
    },
  };
}
