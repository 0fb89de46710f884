import { defineCommand } from 'citty';
import type { StatusResponse } from '../format/message.js';
import { FLAG, MESSAGES } from '../format/message.js';
import { COMMON, numberOf, PORT } from './arguments.js';
import type { CliContext } from './context.js';
import { withDevice } from './device-session.js';
import { metaOnDevice } from './model-data.js';

export default defineCommand({
  meta: { name: 'monitor', description: 'Shows the state of a device again and again, a line each, until Ctrl-C.' },
  args: {
    ...PORT,
    interval: { type: 'string', default: '1', valueHint: 'seconds', description: 'Time from one line to the next' },
    count: { type: 'string', description: 'End after so many lines' },
    ...COMMON,
  },
  async run({ args, data }) {
    const context = data as CliContext;
    const { output } = context;
    const interval = 1000 * numberOf('interval', args.interval, { least: 0.01, most: 86_400, fraction: true })!;
    const count = numberOf('count', args.count, { least: 1 }) ?? Number.POSITIVE_INFINITY;
    await withDevice(args, context, async (session) => {
      const classes = session.hello.modelLoaded ? (await metaOnDevice(session)).classes : [];
      let ended = false;
      const end = context.interrupted().then(() => {
        ended = true;
      });
      let before: StatusResponse | undefined;
      for (let n = 0; n < count && !ended; n++) {
        if (n > 0) await waitFor(interval, end);
        if (ended) break;
        const status = await session.request(MESSAGES.status, undefined);
        const { last, ...counters } = status;
        const restarted = before !== undefined && before.boot !== status.boot;
        if (restarted) {
          output.warn(
            'the device restarted: it goes on from what it saved, and keeps no statistics until it is asked to',
          );
          // What it counted before is no basis for what it counts now.
          before = undefined;
        }
        output.result(
          { ...counters, restarted, last: { ...last, name: classes[last.class] ?? null } },
          statusLine(status, before, classes, interval),
        );
        before = status;
      }
    });
  },
});

/** Waits for the time to pass, or for `end` if that comes first. */
async function waitFor(milliseconds: number, end: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    }),
    end,
  ]);
  clearTimeout(timer);
}

/** Microseconds for people: 850 us, 12.4 ms, 1.25 s. */
function duration(microseconds: number): string {
  if (microseconds < 1000) return `${microseconds} us`;
  return microseconds < 1e6 ? `${(microseconds / 1e3).toPrecision(3)} ms` : `${(microseconds / 1e6).toPrecision(3)} s`;
}

function statusLine(
  status: StatusResponse,
  before: StatusResponse | undefined,
  classes: readonly string[],
  interval: number,
): string {
  const { last, samples, errors } = status;
  const fresh = before === undefined ? 0 : samples - before.samples;
  const wrong = before === undefined ? 0 : errors - before.errors;
  const rate =
    fresh > 0
      ? `, ${((1000 * fresh) / interval).toFixed(0)}/s, ${((100 * wrong) / fresh).toFixed(1)}% of them wrong`
      : '';
  const marks = [
    [FLAG.novel, 'novel'],
    [FLAG.falseReject, 'false reject'],
    [FLAG.falseAccept, 'false accept'],
  ] as const;
  const flags = marks.filter(([bit]) => (last.flags & bit) !== 0).map(([, text]) => text);
  return (
    `base ${status.baseId.toString(16).padStart(8, '0')}  learned ${samples}${rate}  errors ${errors}  updates ${status.updates}  ` +
    `last ${classes[last.class] ?? last.class}${flags.length > 0 ? ` (${flags.join(', ')})` : ''}` +
    `${status.microseconds > 0 ? `  ${duration(status.microseconds)} a sample` : ''}` +
    `${status.framesDropped > 0 ? `  frames dropped ${status.framesDropped}` : ''}`
  );
}
